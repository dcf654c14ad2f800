/*
 * One scan for all rules changes nothing but speed: random patterns on random
 * lines, scanned and tried one by one, give the same updates in the same order.
 * CASES=N in the environment runs more pattern sets than usual, SEED=N others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "parsers/candidates.h"
#include "parsers/engine.h"
#include "parsers/rule.h"

#include "fixture.h"

#define SETS 400
#define BLOCKS 12 /* of each set */

static unsigned long long seed;

static unsigned any(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

static const char *one_of(const char *const *texts, size_t count)
{
	return texts[any((unsigned)count)];
}
#define ONE_OF(texts) one_of(texts, sizeof(texts) / sizeof((texts)[0]))

/* -- patterns, each with a text that it may match ------------------------- */

struct sample {
	struct strbuf pattern, text;
};

static const char *const words[] = {
	"foo",  "bar",     "quick", "brown", "lazy dog", "ERROR", "INFO: ",
	"kiss", "x=",      "=",     "q",     "ab",       "Zz9",   "\xC3\xA9t\xC3\xA9",
	" - ",  "jumpjump"};

static void add_both(struct sample *s, const char *pattern, const char *text)
{
	strbuf_puts(&s->pattern, pattern);
	strbuf_puts(&s->text, text);
}

static void add_alternatives(struct sample *s, unsigned depth);

static void add_word(struct sample *s, unsigned depth)
{
	const char *word = ONE_OF(words);

	(void)depth;
	add_both(s, word, word);
}

static void add_class(struct sample *s, unsigned depth)
{
	static const char *const classes[][2] = {
		{"\\d+", "42"},
		{"\\S+", "z"},
		{".*", ""},
		{".", "y"},
		{"[a-f]", "c"},
		{"\\w", "q"},
		{"[^x]*", "uu"},
		{"\\s", " "},
		{"[.]", "."},
		{"\\.", "."},
		{"\\x66oo", "foo"},
		{"\\b", ""},
		{"\\t", "\t"},
		{"^", ""},
		{"$", ""},
		{"\\K", ""},
		{"\\Qfo.o\\E", "fo.o"},
		{"\\Qbar\\E?", "ba"},
		{"(?#foo)", ""},
		{"\\R?", ""},
	};
	unsigned i = any(sizeof(classes) / sizeof(classes[0]));

	(void)depth;
	add_both(s, classes[i][0], classes[i][1]);
}

/* What must not become a literal, and what may. */
static void add_trap(struct sample *s, unsigned depth)
{
	static const char *const traps[][2] = {
		{"(?!quick)", ""},
		{"(?<!foo)", ""},
		{"(?=.*)", ""},
		{"(?:brown){0}", ""},
		{"(?:brown|)", ""},
		{"(?:lazy){2}", "lazylazy"},
		{"(?:quick)?", ""},
		{"(?:quick){0,2}", ""},
		{"(?(DEFINE)(?<d>quickbrown))", ""},
		{"(ab)\\1", "abab"},
		{"(?(?=foo)foo|bar)", "bar"},
		{"(?:foo(*ACCEPT)|bar)", "foo"},
		{"(?i)", ""},
		{"(?-i)", ""},
		{"(?i:kiss)", "\xE2\x84\xAAi\xC5\xBFs"},
		{"(?i:quick)", "qUiCk"},
		{"(?x: quick # no\n )", "quick"},
		{"quick*+", "quic"},
		{"(?|foo|bar)", "bar"},
		{"(?>jump)", "jump"},
		{"(?<=foo|)", ""},
		{"(?:q(?:u(?:i|)|)|)", ""},
		{"(?:ab){2,}?", "abab"},
		{"(?:(?:ab){2}c){1,2}", "ababc"},
	};
	unsigned i = any(sizeof(traps) / sizeof(traps[0]));

	(void)depth;
	add_both(s, traps[i][0], traps[i][1]);
}

static void add_group(struct sample *s, unsigned depth)
{
	static const char *const openings[] = {
		"(?:", "(", "(?i:", "(?>", "(?|", "(?:(?i)"};
	static const char *const ends[] = {")",  ")",    ")+",    ")?",
					   ")*", "){2}", "){0,2}"};
	size_t start;
	const char *end = ONE_OF(ends);

	if (depth == 0)
		return;
	add_both(s, ONE_OF(openings), "");
	start = s->text.len;
	add_alternatives(s, depth - 1);
	add_both(s, end, "");
	if (strcmp(end, "){2}") == 0) {
		struct slice once = {strdup(s->text.ptr + start), s->text.len - start};

		strbuf_add_slice(&s->text, once);
		free((void *)once.ptr);
	} else if (strpbrk(end, "?*0") && any(2)) {
		s->text.len = start;
		s->text.ptr[start] = '\0';
	}
}

static void add_alternative(struct sample *s, unsigned depth)
{
	static void (*const adders[])(struct sample *, unsigned) = {
		add_word,  add_word, add_word, add_class,
		add_class, add_trap, add_group};

	for (unsigned i = any(4); i > 0; i--)
		adders[any(7)](s, depth);
}

/* The text is that of one of them. */
static void add_alternatives(struct sample *s, unsigned depth)
{
	unsigned count = 1 + (any(3) == 0) + (any(6) == 0), chosen = any(count);
	struct sample unused = {STRBUF_INIT, STRBUF_INIT};

	for (unsigned i = 0; i < count; i++) {
		struct sample other = {s->pattern, unused.text};

		if (i > 0)
			strbuf_putc(&s->pattern, '|');
		other.pattern = s->pattern;
		add_alternative(i == chosen ? s : &other, depth);
		if (i == chosen)
			continue;
		s->pattern = other.pattern;
		unused.text = other.text;
		strbuf_clear(&unused.text);
	}
	strbuf_finish(&unused.text);
}

static bool compiles(const struct strbuf *pattern)
{
	struct diag *diag = diag_create();
	struct regex *regex = regex_compile(strbuf_slice(pattern),
					    (struct position){.file = "x"}, diag);

	regex_destroy(regex);
	diag_destroy(diag);
	return regex && pattern->len > 0;
}

static void make_sample(struct sample *s)
{
	do {
		strbuf_clear(&s->pattern);
		strbuf_clear(&s->text);
		add_alternatives(s, 3);
	} while (!compiles(&s->pattern));
}

/* -- patterns files ------------------------------------------------------- */

#define FILES 2
#define MOST_RULES 70

static struct sample samples[FILES * MOST_RULES];
static size_t sample_count;
static char directory[] = "/tmp/scan-XXXXXX";

static void put_quoted(FILE *f, const struct strbuf *text)
{
	fputc('"', f);
	for (size_t i = 0; i < text->len; i++) {
		if (strchr("\"\\", text->ptr[i]) && text->ptr[i])
			fputc('\\', f);
		if (text->ptr[i] == '\n')
			fputs("\\n", f);
		else
			fputc(text->ptr[i], f);
	}
	fputc('"', f);
}

static void put_pattern(FILE *f)
{
	struct sample *s = &samples[sample_count++];

	make_sample(s);
	put_quoted(f, &s->pattern);
}

static void put_in(FILE *f, enum format format, bool has_line)
{
	static const char *const ins[] = {"_line", "head", "_path", "message",
					  "message"};
	static const char *const format_ins[] = {"_line", "head", "msg", "o.b.0", "o"};

	if (format != FORMAT_PLAIN)
		fprintf(f, "    in: %s\n", ONE_OF(format_ins));
	else if (has_line)
		fprintf(f, "    in: %s\n", ONE_OF(ins));
}

static void put_rule(FILE *f, unsigned number, enum format format, bool has_line)
{
	bool has_head = has_line || format != FORMAT_PLAIN;

	fprintf(f, "  - name: r%u\n", number);
	if (any(12) > 0) {
		fprintf(f, "    pattern: [");
		put_pattern(f);
		for (; sample_count < FILES * MOST_RULES - 8 && any(5) == 0;) {
			fputs(", ", f);
			put_pattern(f);
		}
		fputs("]\n", f);
	}
	if (any(3) == 0)
		put_in(f, format, has_line);
	if (has_head && any(5) == 0)
		fprintf(f, "    where: {head: {matches: '[a-q]'}}\n");
	if (any(6) == 0)
		fprintf(f, "    unless: 'foo.*bar'\n");
	if (any(5) == 0)
		fprintf(f, "    stop: true\n");
	fprintf(f,
		"    metrics: [{counter: n%u_total, help: n, labels: {l: "
		"'$_line%s'}}]\n",
		number, has_head ? " $message" : "");
}

static const char *const multilines[] = {
	"{start: '^[q2f]', max_lines: 4}", "{continue: '^\\s|o'}",
	"{end: 'k', max_lines: 3}", "{continue: '', max_bytes: 1KiB}", "python"};

static void write_file(unsigned index)
{
	char path[64];
	FILE *f;
	enum format format = any(2) ? FORMAT_PLAIN : 1 + any(FORMATS - 1);
	bool has_line = format == FORMAT_PLAIN && any(2);
	unsigned rules = 1 + any(any(8) == 0 ? MOST_RULES / 2 : 6);

	snprintf(path, sizeof(path), "%s/%u.yml", directory, index);
	f = fopen(path, "w");
	if (any(2))
		fprintf(f, "files: ['%s']\n", any(2) ? "a*" : "b*");
	fprintf(f, "format: %s\n", format_name(format));
	if (has_line)
		fputs("line: '^(?<head>\\S*) (?<message>.*)$'\n", f);
	if (any(3) == 0)
		fprintf(f, "multiline: %s\n", ONE_OF(multilines));
	fputs("rules:\n", f);
	for (unsigned i = 0; i < rules; i++)
		put_rule(f, index * 1000 + i, format, has_line);
	fclose(f);
}

static struct patterns *load(void)
{
	const char *paths[] = {directory};
	struct patterns_options options = {.paths = paths, .path_count = 1};
	struct diag *diag = diag_create();
	struct strbuf errors = STRBUF_INIT;
	struct patterns *patterns;

	patterns = patterns_load(&options, diag);
	diag_render(diag, &errors);
	cr_assert(patterns, "%s", errors.ptr);
	strbuf_finish(&errors);
	diag_destroy(diag);
	return patterns;
}

static void remove_files(void)
{
	for (unsigned i = 0; i < FILES; i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%u.yml", directory, i);
		unlink(path);
	}
}

/* -- lines ---------------------------------------------------------------- */

static void add_junk(struct strbuf *out)
{
	static const char *const junk[] = {
		"",     "",  " ",  "2026-11-20 ", "fo", "quic",  "\xFF", "\xE2\x84\xAA",
		"\xC3", "k", "\r", "o",           "\t", "QUICK", "jump", "\xC5\xBF"};

	if (any(40) == 0)
		strbuf_putc(out, '\0');
	strbuf_puts(out, ONE_OF(junk));
}

static void add_text(struct strbuf *out)
{
	for (unsigned i = any(4); i > 0; i--) {
		add_junk(out);
		if (any(3) > 0 && sample_count > 0)
			strbuf_add_slice(
				out,
				strbuf_slice(
					&samples[any((unsigned)sample_count)].text));
		else
			strbuf_puts(out, ONE_OF(words));
	}
}

/* Mostly with no more escapes than it takes, sometimes with fewer. */
static void add_quoted_text(struct strbuf *out)
{
	struct strbuf text = STRBUF_INIT;
	unsigned needless = any(3) == 0 ? 6 : 0;

	add_text(&text);
	strbuf_putc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if ((c == '"' || c == '\\') && any(20) > 0)
			strbuf_addf(out, "\\%c", c);
		else if (c < 0x80 && needless > 0 && any(needless) == 0)
			strbuf_addf(out, "\\u%04x", c);
		else
			strbuf_putc(out, text.ptr[i]);
	}
	strbuf_putc(out, '"');
	strbuf_finish(&text);
}

static const char *const message_keys[] = {"message", "message", "msg", "other"};

static void add_json(struct strbuf *out)
{
	strbuf_puts(out, any(2) ? "{\"head\":429,\"o\": {\"b\":[" : "{\"o\":[[");
	add_quoted_text(out);
	strbuf_addf(out, "]%s, \"%s\":", any(20) ? "}" : "]", ONE_OF(message_keys));
	add_quoted_text(out);
	strbuf_puts(out, any(9) ? "}" : "");
}

static void add_logfmt(struct strbuf *out)
{
	static const char *const heads[] = {"head=", "head", "o.b.0 ",
					    "o.b.0=quick x="};

	strbuf_puts(out, ONE_OF(heads));
	if (any(2))
		add_quoted_text(out);
	strbuf_addf(out, " %s=", ONE_OF(message_keys));
	add_quoted_text(out);
}

static void add_line(struct strbuf *out)
{
	static const char *const ends[] = {"\n", "\n", "\n", "\r\n", "\n\n", "\r\r\n"};
	static void (*const adders[])(struct strbuf *) = {add_text, add_json,
							  add_logfmt};

	adders[any(3)](out);
	strbuf_puts(out, ONE_OF(ends));
}

/* Of a container, in parts, and now and then without its envelope. */
static void add_cri_line(struct strbuf *out)
{
	static const char *const heads[] = {"stdout F ", "stdout F ", "stderr F ",
					    "stderr P ", "stdout P ", "stdlog F "};

	strbuf_addf(out, "2026-11-20T12:00:00Z %s", ONE_OF(heads));
	add_line(out);
}

static void make_block(struct strbuf *out, bool in_envelope)
{
	strbuf_clear(out);
	for (unsigned i = 1 + any(30); i > 0; i--)
		(in_envelope ? add_cri_line : add_line)(out);
	if (any(3) == 0)
		while (out->len > 1 && strchr("\r\n", out->ptr[out->len - 1]))
			out->len--;
}

/* -- both ways ------------------------------------------------------------ */

static enum update_result on_update(void *ctx, const struct update *u)
{
	strbuf_addf(ctx, "%zu %.*s\n", u->metric, SLICE_ARG(u->labels[0]));
	return UPDATE_DONE;
}

/* A rule that cannot match need not try until it hits the limit. */
static void on_error(void *ctx, size_t rule, enum rule_error error)
{
	if (error != RULE_ERROR_MATCH_LIMIT)
		strbuf_addf(ctx, "error %zu %d\n", rule, (int)error);
}

static void on_matched(void *ctx, size_t rule, uint64_t count)
{
	strbuf_addf(ctx, "matched %zu %d\n", rule, (int)count);
}

static const struct engine_ops ops = {
	.update = on_update, .error = on_error, .matched = on_matched};

/* An engine with what it said, and counted. */
struct way {
	struct engine *engine;
	struct source *source; /* it keeps what is open */
	struct strbuf said;
	struct engine_counts counts;
};

static void begin(struct way *way, const struct patterns *patterns, const char *path,
		  enum envelope envelope)
{
	way->source = source_create(patterns, path, NULL, 0);
	source_set_envelope(way->source, envelope);
	way->said = (struct strbuf)STRBUF_INIT;
	way->counts = (struct engine_counts){0};
	way->engine = engine_create(patterns, 10000, &ops, &way->said);
}

static void end(struct way *way)
{
	engine_destroy(way->engine);
	source_destroy(way->source);
	strbuf_finish(&way->said);
}

static void feed(struct way *way, const struct strbuf *lines)
{
	struct block block = {.bytes = strbuf_slice(lines)};

	strbuf_clear(&way->said);
	engine_feed(way->engine, way->source, &block, &way->counts);
}

static void compare(const struct way *a, const struct way *b,
		    const struct strbuf *block)
{
	cr_assert(slice_eq(strbuf_slice(&a->said), strbuf_slice(&b->said)),
		  "plain:\n%s\nscanned:\n%s\nof:\n%.*s\n", a->said.ptr, b->said.ptr,
		  SLICE_ARG(strbuf_slice(block)));
	cr_assert_eq(a->counts.lines, b->counts.lines);
	cr_assert_eq(a->counts.unmatched_lines, b->counts.unmatched_lines);
}

static size_t found_by_literals(const struct patterns *patterns)
{
	size_t count = 0;

	for (size_t i = 0; i < patterns_file_count(patterns); i++)
		for (size_t j = 0; j < patterns_file(patterns, i)->rule_count; j++)
			count += patterns_file(patterns, i)->rules[j].finding.how ==
				 FINDING_LITERALS;
	return count;
}

#define WAYS 3

/* Returns how many updates there were. */
static size_t compare_all(const struct way *ways, const struct strbuf *block)
{
	for (size_t i = 1; i < WAYS; i++)
		compare(&ways[0], &ways[i], block);
	return ways[0].said.len;
}

static void close_all(struct way *way)
{
	strbuf_clear(&way->said);
	engine_close(way->engine, way->source, INT64_MAX, &way->counts);
}

/* Tried one by one, scanned, and checked. */
static size_t compare_ways(const struct patterns *patterns)
{
	bool in_envelope = any(3) == 0;
	const char *path = any(2) ? "/l/a foo.log" : "/l/b quick.log";
	struct way ways[WAYS];
	struct strbuf block = STRBUF_INIT;
	size_t said = 0;

	for (size_t i = 0; i < WAYS; i++)
		begin(&ways[i], patterns, path,
		      in_envelope ? ENVELOPE_CRI : ENVELOPE_NONE);
	engine_scan_with(ways[0].engine, NULL, 0);
	engine_scan_with(ways[2].engine, patterns_scanner(patterns), 1);
	for (int i = 0; i < BLOCKS; i++) {
		make_block(&block, in_envelope);
		for (size_t j = 0; j < WAYS; j++)
			feed(&ways[j], &block);
		said += compare_all(ways, &block);
	}
	for (size_t i = 0; i < WAYS; i++)
		close_all(&ways[i]);
	said += compare_all(ways, &block);
	cr_assert_eq(ways[2].counts.scan_misses, 0);
	strbuf_finish(&block);
	for (size_t i = 0; i < WAYS; i++)
		end(&ways[i]);
	return said;
}

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 10) : otherwise;
}

Test(scan, updates_do_not_depend_on_how_lines_are_found)
{
	unsigned long sets = from_environment("CASES", SETS);
	unsigned long first = from_environment("SEED", 1);
	size_t found = 0, rules = 0, said = 0;

	cr_assert(mkdtemp(directory));
	for (size_t i = 0; i < FILES * MOST_RULES; i++)
		samples[i] = (struct sample){STRBUF_INIT, STRBUF_INIT};
	for (unsigned long i = 0; i < sets; i++) {
		struct patterns *patterns;

		seed = (first + i) * 7919;
		sample_count = 0;
		for (unsigned j = 0; j < FILES; j++)
			write_file(j);
		patterns = load();
		found += found_by_literals(patterns);
		rules += patterns_rule_count(patterns);
		said += compare_ways(patterns);
		patterns_destroy(patterns);
	}
	remove_files();
	rmdir(directory);
	for (size_t i = 0; i < FILES * MOST_RULES; i++) {
		strbuf_finish(&samples[i].pattern);
		strbuf_finish(&samples[i].text);
	}
	cr_expect_gt(found * 4, rules, "only %zu of %zu are found by literals", found,
		     rules);
	cr_expect_gt(said, 100 * sets, "hardly anything matches: %zu", said);
}

static struct patterns *load_text(const char *text)
{
	return patterns_of_good_text(text, (struct patterns_options){0});
}

static const char one_rule[] =
	"rules:\n  - {name: a, pattern: 'quick', metrics: [{counter: "
	"n_total, help: n, labels: {l: $_line}}]}\n";

Test(scan, what_the_scan_misses_is_noticed_counted_and_never_missed_again)
{
	struct patterns *patterns = load_text(one_rule);
	struct scanner_entry wrong = {{slice_of("brown"), false}, 0};
	struct error err;
	struct scanner *scanner = scanner_create(&wrong, 1, &err);
	struct strbuf lines = STRBUF_INIT;
	struct way way;

	begin(&way, patterns, "/a", ENVELOPE_AUTO);
	engine_scan_with(way.engine, scanner, 3);
	strbuf_puts(&lines, "quick\nlazy\nquick\n");
	feed(&way, &lines);
	feed(&way, &lines);
	cr_expect_str_eq(way.said.ptr, "");
	cr_expect_eq(way.counts.unmatched_lines, 6);
	feed(&way, &lines);
	cr_expect_str_eq(way.said.ptr, "0 quick\n0 quick\nmatched 0 2\n");
	cr_expect_eq(way.counts.scan_misses, 1);
	feed(&way, &lines);
	cr_expect_str_eq(way.said.ptr, "0 quick\n0 quick\nmatched 0 2\n");
	cr_expect_eq(way.counts.scan_misses, 1);
	cr_expect_eq(way.counts.lines, 12);
	end(&way);
	strbuf_finish(&lines);
	scanner_destroy(scanner);
	patterns_destroy(patterns);
}

Test(scan, one_block_in_ten_thousand_is_checked)
{
	struct patterns *patterns = load_text(one_rule);
	struct error err;
	struct scanner *none = scanner_create(NULL, 0, &err);
	struct strbuf line = STRBUF_INIT;
	struct way way;

	begin(&way, patterns, "/a", ENVELOPE_AUTO);
	engine_scan_with(way.engine, none, 10000);
	strbuf_puts(&line, "quick\n");
	for (int i = 0; i < 9999; i++)
		feed(&way, &line);
	cr_expect_eq(way.counts.scan_misses, 0);
	feed(&way, &line);
	cr_expect_eq(way.counts.scan_misses, 1);
	end(&way);
	strbuf_finish(&line);
	scanner_destroy(none);
	patterns_destroy(patterns);
}

/* A key alone is "true", which does not stand in the line. */
Test(scan, a_pattern_of_logfmt_that_matches_true_is_tried_on_every_line)
{
	struct patterns *patterns =
		load_text("format: logfmt\nrules:\n  - {name: a, in: quick, pattern: "
			  "'^true$', metrics: [{counter: n_total, help: n, labels: {l: "
			  "$quick}}]}\n");
	struct strbuf lines = STRBUF_INIT;
	struct way way;

	cr_expect_eq(patterns_file(patterns, 0)->rules[0].finding.how, FINDING_IMPLIED);
	begin(&way, patterns, "/a", ENVELOPE_AUTO);
	strbuf_puts(&lines, "quick\nbrown\n");
	feed(&way, &lines);
	cr_expect_str_eq(way.said.ptr, "0 true\nmatched 0 1\n");
	end(&way);
	strbuf_finish(&lines);
	patterns_destroy(patterns);
}

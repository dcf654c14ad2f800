#include "parsers/scanner.h"

#include <hs/hs.h>
#include <stdlib.h>

#include "common/hashmap.h"
#include "common/strbuf.h"
#include "common/xalloc.h"
#include "parsers/window.h"

struct known {
	char *text; /* in lower case if caseless */
	size_t len;
	bool caseless;
};

/* A literal that has the window, and what of it stands on either side. */
struct use {
	uint32_t literal;
	bool caseless;
	struct slice before, after; /* pieces of the literal's text */
};

/* What libhs searches for: window.h. */
struct target {
	size_t len;
	struct use *uses;
	size_t count;
};

struct scanner {
	hs_database_t *database; /* NULL: no literals */
	struct known *literals;
	struct scanner_rules *rules; /* of each literal */
	size_t count;
	struct target *targets;
	size_t target_count;
};

struct scanner_scratch {
	hs_scratch_t *scratch;
	struct scanner_hit *hits;
	size_t count, capacity;
	/* Of the present scan. */
	const struct target *targets;
	struct slice bytes;
};

/* While a scanner is made. */
struct builder {
	struct scanner *scanner;
	struct hashmap *literals; /* from text and caselessness to a number + 1 */
	struct hashmap *targets;  /* from what libhs is given to a number + 1 */
	char **expressions;
	unsigned *flags, *ids;
};

static char in_lower_case(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static struct literal literal_of(const struct known *known)
{
	return (struct literal){{known->text, known->len}, known->caseless};
}

static void add_literal(struct scanner *scanner, struct literal literal)
{
	size_t n = scanner->count++;

	scanner->literals = xgrow(scanner->literals, n, sizeof(*scanner->literals));
	scanner->rules = xgrow(scanner->rules, n, sizeof(*scanner->rules));
	scanner->literals[n] =
		(struct known){.text = xstrndup(literal.text.ptr, literal.text.len),
			       .len = literal.text.len,
			       .caseless = literal.caseless};
	scanner->rules[n] = (struct scanner_rules){NULL, 0};
}

/* Ascending, each once. */
static void add_rule(struct scanner_rules *rules, uint32_t rule)
{
	size_t i = rules->count;

	for (size_t j = 0; j < rules->count; j++)
		if (rules->list[j] == rule)
			return;
	rules->list = xgrow(rules->list, rules->count, sizeof(*rules->list));
	for (; i > 0 && rules->list[i - 1] > rule; i--)
		rules->list[i] = rules->list[i - 1];
	rules->list[i] = rule;
	rules->count++;
}

static void add_entry(struct builder *b, const struct scanner_entry *entry)
{
	bool caseless = entry->literal.caseless;
	struct strbuf key = STRBUF_INIT;
	struct literal literal;
	uintptr_t number;

	for (size_t i = 0; i < entry->literal.text.len; i++) {
		char c = entry->literal.text.ptr[i];

		strbuf_putc(&key, caseless ? in_lower_case(c) : c);
	}
	literal = (struct literal){{key.ptr, key.len}, caseless};
	strbuf_putc(&key, caseless ? 'i' : '-');
	number = (uintptr_t)hashmap_get(b->literals, strbuf_slice(&key));
	if (number == 0) {
		literal.text.ptr = key.ptr;
		add_literal(b->scanner, literal);
		number = b->scanner->count;
		hashmap_put(b->literals, strbuf_slice(&key), (void *)number);
	}
	add_rule(&b->scanner->rules[number - 1], (uint32_t)entry->rule);
	strbuf_finish(&key);
}

static void add_target(struct builder *b, const char *expression, size_t len,
		       bool caseless)
{
	size_t n = b->scanner->target_count++;

	b->expressions = xgrow(b->expressions, n, sizeof(*b->expressions));
	b->flags = xgrow(b->flags, n, sizeof(*b->flags));
	b->ids = xgrow(b->ids, n, sizeof(*b->ids));
	b->scanner->targets =
		xgrow(b->scanner->targets, n, sizeof(*b->scanner->targets));
	b->expressions[n] = xstrdup(expression);
	b->flags[n] = caseless ? HS_FLAG_CASELESS : 0;
	b->ids[n] = (unsigned)n;
	b->scanner->targets[n] = (struct target){.len = len};
}

/* Every byte as \xNN: nothing in it means anything to libhs. */
static struct target *target_of(struct builder *b, struct slice window, bool caseless)
{
	struct strbuf expression = STRBUF_INIT, key = STRBUF_INIT;
	uintptr_t number;

	for (size_t i = 0; i < window.len; i++)
		strbuf_addf(&expression, "\\x%02x", (unsigned char)window.ptr[i]);
	strbuf_addf(&key, "%s%c", expression.ptr, caseless ? 'i' : '-');
	number = (uintptr_t)hashmap_get(b->targets, strbuf_slice(&key));
	if (number == 0) {
		add_target(b, expression.ptr, window.len, caseless);
		number = b->scanner->target_count;
		hashmap_put(b->targets, strbuf_slice(&key), (void *)number);
	}
	strbuf_finish(&expression);
	strbuf_finish(&key);
	return &b->scanner->targets[number - 1];
}

static void choose_targets(struct builder *b)
{
	struct scanner *scanner = b->scanner;
	struct windows *windows = windows_create();

	for (size_t i = 0; i < scanner->count; i++)
		windows_count(windows, literal_of(&scanner->literals[i]));
	for (size_t i = 0; i < scanner->count; i++) {
		const struct known *known = &scanner->literals[i];
		struct slice window = windows_choose(windows, literal_of(known));
		struct target *target = target_of(b, window, known->caseless);
		const char *behind = window.ptr + window.len;

		target->uses =
			xgrow(target->uses, target->count, sizeof(*target->uses));
		target->uses[target->count++] = (struct use){
			.literal = (uint32_t)i,
			.caseless = known->caseless,
			.before = {known->text, (size_t)(window.ptr - known->text)},
			.after = {behind, (size_t)(known->text + known->len - behind)}};
	}
	windows_destroy(windows);
}

static bool compile(struct builder *b, struct error *err)
{
	hs_compile_error_t *why = NULL;

	if (hs_valid_platform() != HS_SUCCESS)
		return error_set(err, "libhs does not run on this CPU");
	if (b->scanner->target_count == 0)
		return true;
	if (hs_compile_multi((const char *const *)b->expressions, b->flags, b->ids,
			     (unsigned)b->scanner->target_count, HS_MODE_BLOCK, NULL,
			     &b->scanner->database, &why) == HS_SUCCESS)
		return true;
	error_set(err, "libhs: %s", why ? why->message : "it does not say why");
	hs_free_compile_error(why);
	return false;
}

static void finish(struct builder *b)
{
	for (size_t i = 0; b->expressions && i < b->scanner->target_count; i++)
		free(b->expressions[i]);
	free(b->expressions);
	free(b->flags);
	free(b->ids);
	hashmap_destroy(b->literals);
	hashmap_destroy(b->targets);
}

struct scanner *scanner_create(const struct scanner_entry *entries, size_t count,
			       struct error *err)
{
	struct scanner *scanner = xcalloc(1, sizeof(*scanner));
	struct builder b = {.scanner = scanner,
			    .literals = hashmap_create(),
			    .targets = hashmap_create()};
	bool ok;

	for (size_t i = 0; i < count; i++)
		add_entry(&b, &entries[i]);
	choose_targets(&b);
	ok = compile(&b, err);
	finish(&b);
	if (ok)
		return scanner;
	scanner_destroy(scanner);
	return NULL;
}

void scanner_destroy(struct scanner *scanner)
{
	if (!scanner)
		return;
	hs_free_database(scanner->database);
	for (size_t i = 0; i < scanner->count; i++) {
		free(scanner->literals[i].text);
		free(scanner->rules[i].list);
	}
	for (size_t i = 0; i < scanner->target_count; i++)
		free(scanner->targets[i].uses);
	free(scanner->literals);
	free(scanner->rules);
	free(scanner->targets);
	free(scanner);
}

struct scanner_scratch *scanner_scratch_create(const struct scanner *scanner,
					       struct error *err)
{
	struct scanner_scratch *scratch = xcalloc(1, sizeof(*scratch));
	hs_error_t rc = HS_SUCCESS;

	if (scanner->database)
		rc = hs_alloc_scratch(scanner->database, &scratch->scratch);
	if (rc == HS_SUCCESS)
		return scratch;
	free(scratch);
	error_set(err, "libhs: no scratch space (error %d)", rc);
	return NULL;
}

void scanner_scratch_destroy(struct scanner_scratch *scratch)
{
	if (!scratch)
		return;
	hs_free_scratch(scratch->scratch);
	free(scratch->hits);
	free(scratch);
}

static bool is_same(struct slice text, const char *bytes, bool caseless)
{
	if (!caseless)
		return text.len == 0 || memcmp(text.ptr, bytes, text.len) == 0;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != in_lower_case(bytes[i]))
			return false;
	return true;
}

/* The window ends before `end`: is what must be around it there? */
static bool is_whole(struct slice bytes, const struct use *use, size_t window_start,
		     size_t end)
{
	return window_start >= use->before.len && bytes.len - end >= use->after.len &&
	       is_same(use->before, bytes.ptr + window_start - use->before.len,
		       use->caseless) &&
	       is_same(use->after, bytes.ptr + end, use->caseless);
}

static void add_hit(struct scanner_scratch *s, size_t end, uint32_t literal)
{
	if (s->count == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 1024;
		s->hits = xreallocarray(s->hits, s->capacity, sizeof(*s->hits));
	}
	s->hits[s->count++] = (struct scanner_hit){(uint32_t)(end - 1), literal};
}

static int on_hit(unsigned id, unsigned long long start, unsigned long long end,
		  unsigned flags, void *ctx)
{
	struct scanner_scratch *s = ctx;
	const struct target *target = &s->targets[id];

	(void)start;
	(void)flags;
	for (size_t i = 0; i < target->count; i++)
		if (is_whole(s->bytes, &target->uses[i], end - target->len, end))
			add_hit(s, end, target->uses[i].literal);
	return 0;
}

static int by_byte(const void *a, const void *b)
{
	const struct scanner_hit *x = a, *y = b;

	return x->byte < y->byte ? -1 : x->byte > y->byte;
}

/* libhs promises no order; it mostly keeps one. */
static void put_in_order(struct scanner_scratch *s)
{
	for (size_t i = 1; i < s->count; i++) {
		if (s->hits[i].byte >= s->hits[i - 1].byte)
			continue;
		qsort(s->hits, s->count, sizeof(*s->hits), by_byte);
		return;
	}
}

bool scanner_find(const struct scanner *scanner, struct scanner_scratch *s,
		  struct slice bytes, const struct scanner_hit **hits, size_t *count)
{
	s->count = 0;
	s->targets = scanner->targets;
	s->bytes = bytes;
	if (scanner->database &&
	    hs_scan(scanner->database, bytes.ptr, (unsigned)bytes.len, 0, s->scratch,
		    on_hit, s) != HS_SUCCESS)
		return false;
	put_in_order(s);
	*hits = s->hits;
	*count = s->count;
	return true;
}

const struct scanner_rules *scanner_rules(const struct scanner *scanner)
{
	return scanner->rules;
}

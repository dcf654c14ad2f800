#include "parsers/regex.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/arena.h"
#include "common/log.h"
#include "common/utf8.h"
#include "common/xalloc.h"
#include "parsers/regex_code.h"

#define JIT_STACK_START_BYTES (32 * 1024)
#define JIT_STACK_MAX_BYTES (1024 * 1024)
#define HEAP_LIMIT_KIB (32 * 1024) /* the interpreter's backtracking frames */
#define FIRST_PAIRS 32             /* groups that need no growth */
#define EXCERPT_BYTES 64           /* shown on each side of the caret */

struct group_name {
	const char *name;
	unsigned first; /* smallest number of its groups */
};

struct regex {
	struct arena *arena;
	pcre2_code *code;    /* for well-formed UTF-8 */
	pcre2_code *lenient; /* for any bytes */
	struct slice pattern, written;
	struct position at;
	bool has_jit; /* of `code` */
	size_t group_count;
	struct group_name *names;
	size_t name_count;
};

struct regex_scratch {
	pcre2_match_context *context;
	pcre2_match_data *data;
	const size_t *ovector; /* of the match data, with so many pairs */
	size_t pairs;
	pcre2_jit_stack *jit_stack;
	const char *subject;
	struct slice trusted;
	size_t group_count; /* of the regex that matched last */
};

static void warn_no_jit(int code)
{
	static atomic_flag warned = ATOMIC_FLAG_INIT;
	PCRE2_UCHAR text[128] = "";

	if (atomic_flag_test_and_set(&warned))
		return;
	pcre2_get_error_message(code, text, sizeof(text));
	log_warn("no just-in-time compiler for regular expressions: they run slower",
		 LOG_TEXT("reason", (const char *)text));
}

static size_t character_start(struct slice text, size_t offset_bytes)
{
	while (offset_bytes > 0 && offset_bytes < text.len &&
	       utf8_is_continuation(text.ptr[offset_bytes]))
		offset_bytes--;
	return offset_bytes;
}

/* An expanded pattern may have thousands of characters: only what is near counts. */
static void show_excerpt(struct diag *diag, struct slice pattern, size_t offset_bytes)
{
	size_t from = 0, to = pattern.len;
	struct strbuf shown = STRBUF_INIT;

	if (offset_bytes > EXCERPT_BYTES)
		from = character_start(pattern, offset_bytes - EXCERPT_BYTES);
	if (pattern.len - offset_bytes > EXCERPT_BYTES)
		to = character_start(pattern, offset_bytes + EXCERPT_BYTES);
	if (from > 0)
		strbuf_puts(&shown, "...");
	offset_bytes = offset_bytes - from + shown.len;
	strbuf_add(&shown, pattern.ptr + from, to - from);
	if (to < pattern.len)
		strbuf_puts(&shown, "...");
	diag_excerpt(diag, strbuf_slice(&shown), offset_bytes);
	strbuf_finish(&shown);
}

static void report(struct slice pattern, struct position at, int code, size_t offset,
		   struct diag *diag)
{
	PCRE2_UCHAR text[256] = "";
	const char *instead = NULL;

	pcre2_get_error_message(code, text, sizeof(text));
	if (code == PCRE2_ERROR_QUANTIFIER_INVALID && offset <= 1)
		instead = "this is a regular expression, not a glob: any text is .*";
	diag_error(diag, at, instead, "the regular expression does not compile: %s",
		   text);
	show_excerpt(diag, pattern, offset < pattern.len ? offset : pattern.len);
}

pcre2_code *regex_code(struct slice pattern, uint32_t more_options, int *error,
		       size_t *offset)
{
	uint32_t options =
		PCRE2_UTF | PCRE2_DUPNAMES | PCRE2_NEVER_BACKSLASH_C | more_options;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	PCRE2_SPTR text = (PCRE2_SPTR)(pattern.len > 0 ? pattern.ptr : "");
	pcre2_code *code;

	if (context)
		pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	code = pcre2_compile(text, pattern.len, options, error, offset, context);
	pcre2_compile_context_free(context);
	return code;
}

static struct group_name *find_name(const struct regex *regex, const char *name)
{
	for (size_t i = 0; i < regex->name_count; i++)
		if (strcmp(regex->names[i].name, name) == 0)
			return &regex->names[i];
	return NULL;
}

static int compare_first(const void *a, const void *b)
{
	const struct group_name *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* An entry of PCRE2's table: the number in two bytes, then the name. */
static void add_name(struct regex *regex, const unsigned char *entry)
{
	unsigned number = (unsigned)entry[0] << 8 | entry[1];
	const char *name = (const char *)entry + 2;
	struct group_name *known = find_name(regex, name);

	if (!known) {
		known = &regex->names[regex->name_count++];
		*known = (struct group_name){arena_strdup(regex->arena, name), number};
	}
	if (number < known->first)
		known->first = number;
}

static void collect_names(struct regex *regex)
{
	uint32_t groups, entries, entry_bytes;
	PCRE2_SPTR table;

	pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &entries);
	pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &entry_bytes);
	pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &table);
	regex->group_count = groups;
	regex->names = arena_alloc(regex->arena, entries * sizeof(*regex->names));
	for (uint32_t i = 0; i < entries; i++)
		add_name(regex, table + (size_t)i * entry_bytes);
	if (regex->name_count > 1)
		qsort(regex->names, regex->name_count, sizeof(*regex->names),
		      compare_first);
}

static void *or_exit(void *p)
{
	if (!p) {
		fputs("logtally: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

struct regex *regex_compile(struct slice pattern, struct position at, struct diag *diag)
{
	int error = 0, jit;
	size_t offset = 0;
	pcre2_code *code = regex_code(pattern, 0, &error, &offset);
	struct regex *regex;

	if (!code) {
		report(pattern, at, error, offset, diag);
		return NULL;
	}
	jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	if (jit != 0)
		warn_no_jit(jit);
	regex = xcalloc(1, sizeof(*regex));
	regex->arena = arena_create();
	regex->code = code;
	/*
	 * A leading .* would be tried only at line starts, and in 10.42 what stands
	 * behind an ill-formed byte is not taken for one.
	 */
	regex->lenient = or_exit(
		regex_code(pattern, PCRE2_MATCH_INVALID_UTF | PCRE2_NO_DOTSTAR_ANCHOR,
			   &error, &offset));
	regex->has_jit = jit == 0;
	regex->pattern = (struct slice){arena_copy(regex->arena, pattern), pattern.len};
	regex_set_written(regex, regex->pattern, at);
	collect_names(regex);
	return regex;
}

void regex_destroy(struct regex *regex)
{
	if (!regex)
		return;
	pcre2_code_free(regex->code);
	pcre2_code_free(regex->lenient);
	arena_destroy(regex->arena);
	free(regex);
}

struct slice regex_pattern(const struct regex *regex)
{
	return regex->pattern;
}

void regex_set_written(struct regex *regex, struct slice written, struct position at)
{
	regex->written = written;
	regex->at = at;
}

struct slice regex_written(const struct regex *regex)
{
	return regex->written;
}

struct position regex_at(const struct regex *regex)
{
	return regex->at;
}

size_t regex_group_count(const struct regex *regex)
{
	return regex->group_count;
}

size_t regex_name_count(const struct regex *regex)
{
	return regex->name_count;
}

const char *regex_name(const struct regex *regex, size_t index)
{
	return regex->names[index].name;
}

static int compare_numbers(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

size_t regex_groups_named(const struct regex *regex, const char *name, unsigned *groups,
			  size_t max)
{
	PCRE2_SPTR entry, last;
	int entry_bytes = pcre2_substring_nametable_scan(regex->code, (PCRE2_SPTR)name,
							 &entry, &last);
	size_t count = 0;

	if (entry_bytes < 0)
		return 0;
	for (; entry <= last; entry += entry_bytes, count++)
		if (count < max)
			groups[count] = (unsigned)entry[0] << 8 | entry[1];
	if (max > 1)
		qsort(groups, count < max ? count : max, sizeof(*groups),
		      compare_numbers);
	return count;
}

struct regex_scratch *regex_scratch_create(uint32_t match_steps)
{
	struct regex_scratch *s = xcalloc(1, sizeof(*s));

	s->context = or_exit(pcre2_match_context_create(NULL));
	s->data = or_exit(pcre2_match_data_create(FIRST_PAIRS, NULL));
	s->ovector = pcre2_get_ovector_pointer(s->data);
	s->pairs = FIRST_PAIRS;
	/* NULL where there is no JIT; then nothing needs it. */
	s->jit_stack = pcre2_jit_stack_create(JIT_STACK_START_BYTES,
					      JIT_STACK_MAX_BYTES, NULL);
	pcre2_jit_stack_assign(s->context, NULL, s->jit_stack);
	pcre2_set_match_limit(s->context, match_steps);
	pcre2_set_depth_limit(s->context, match_steps);
	pcre2_set_heap_limit(s->context, HEAP_LIMIT_KIB);
	return s;
}

void regex_scratch_destroy(struct regex_scratch *scratch)
{
	if (!scratch)
		return;
	pcre2_match_data_free(scratch->data);
	pcre2_jit_stack_free(scratch->jit_stack);
	pcre2_match_context_free(scratch->context);
	free(scratch);
}

void regex_scratch_trust(struct regex_scratch *scratch, struct slice text)
{
	scratch->trusted = text;
}

static bool is_well_formed(const struct regex_scratch *scratch, struct slice subject)
{
	const struct slice *trusted = &scratch->trusted;
	size_t at = (size_t)((uintptr_t)subject.ptr - (uintptr_t)trusted->ptr);

	return (at < trusted->len && subject.len <= trusted->len - at) ||
	       utf8_is_valid(subject);
}

static void make_room(struct regex_scratch *scratch, size_t pairs)
{
	if (scratch->pairs >= pairs)
		return;
	pcre2_match_data_free(scratch->data);
	scratch->data = or_exit(pcre2_match_data_create((uint32_t)pairs, NULL));
	scratch->ovector = pcre2_get_ovector_pointer(scratch->data);
	scratch->pairs = pairs;
}

/*
 * JIT code with PCRE2_MATCH_INVALID_UTF would take any bytes, but in 10.42 the
 * negated classes \S, \D and \W do not match what is not ASCII then.  So the text
 * is looked at here, and pcre2_jit_match() does not look again.
 */
static int run(const struct regex *regex, struct regex_scratch *scratch,
	       struct slice subject, size_t from, uint32_t options)
{
	PCRE2_SPTR text = (PCRE2_SPTR)subject.ptr;

	if (regex->has_jit && is_well_formed(scratch, subject))
		return pcre2_jit_match(regex->code, text, subject.len, from, options,
				       scratch->data, scratch->context);
	return pcre2_match(regex->lenient, text, subject.len, from, options,
			   scratch->data, scratch->context);
}

static enum regex_result match_from(const struct regex *regex,
				    struct regex_scratch *scratch, struct slice subject,
				    size_t from, uint32_t options)
{
	int rc;

	make_room(scratch, regex->group_count + 1);
	subject.ptr = subject.ptr ? subject.ptr : "";
	scratch->subject = subject.ptr;
	scratch->group_count = 0;
	rc = run(regex, scratch, subject, from, options);
	if (rc == PCRE2_ERROR_NOMATCH)
		return REGEX_NO_MATCH;
	if (rc < 0)
		return REGEX_LIMIT;
	scratch->group_count = regex->group_count + 1;
	return REGEX_MATCH;
}

enum regex_result regex_match(const struct regex *regex, struct regex_scratch *scratch,
			      struct slice subject)
{
	return match_from(regex, scratch, subject, 0, 0);
}

struct slice regex_group(const struct regex_scratch *scratch, unsigned number)
{
	const size_t *pair;

	if (number >= scratch->group_count)
		return (struct slice){NULL, 0};
	/* \K in a subroutine can set the start of a match behind its end. */
	pair = scratch->ovector + 2 * (size_t)number;
	if (pair[0] == PCRE2_UNSET || pair[0] > pair[1])
		return (struct slice){NULL, 0};
	return (struct slice){scratch->subject + pair[0], pair[1] - pair[0]};
}

static struct slice group_named(const struct regex *regex,
				const struct regex_scratch *scratch, struct slice name)
{
	char text[64];
	unsigned groups[16];
	size_t count;
	struct slice found = {NULL, 0};

	if (name.len >= sizeof(text))
		return found;
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	count = regex_groups_named(regex, text, groups, 16);
	for (size_t i = 0; i < count && i < 16 && !found.ptr; i++)
		found = regex_group(scratch, groups[i]);
	return found;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static void add_reference(const struct regex *regex,
			  const struct regex_scratch *scratch, struct slice name,
			  struct strbuf *out)
{
	struct slice group;
	unsigned number = 0;

	if (is_digit(name.ptr[0])) {
		for (size_t i = 0; i < name.len && number < 100000; i++)
			number = number * 10 + (unsigned)(name.ptr[i] - '0');
		group = regex_group(scratch, number);
	} else {
		group = group_named(regex, scratch, name);
	}
	strbuf_add_slice(out, group);
}

/* The name at `at` in "$name" or "${name}" (behind the $), and where it ends. */
static struct slice reference_at(struct slice with, size_t at, size_t *end)
{
	bool braced = at < with.len && with.ptr[at] == '{';
	size_t from = at + (braced ? 1 : 0), to = from;
	bool digits = from < with.len && is_digit(with.ptr[from]);

	while (to < with.len &&
	       (digits ? is_digit(with.ptr[to]) : is_word(with.ptr[to])))
		to++;
	*end = to + (braced ? 1 : 0);
	if (to == from || (braced && (to >= with.len || with.ptr[to] != '}')))
		return (struct slice){NULL, 0};
	return (struct slice){with.ptr + from, to - from};
}

/* What the `$` at `at` stands for; returns where the text goes on. */
static size_t add_dollar(const struct regex *regex, const struct regex_scratch *scratch,
			 struct slice with, size_t at, struct strbuf *out)
{
	size_t end = at + 1;
	struct slice name = reference_at(with, at + 1, &end);

	if (name.ptr) {
		add_reference(regex, scratch, name, out);
		return end;
	}
	strbuf_putc(out, '$');
	return at + (at + 1 < with.len && with.ptr[at + 1] == '$' ? 2 : 1);
}

static void add_replacement(const struct regex *regex,
			    const struct regex_scratch *scratch, struct slice with,
			    struct strbuf *out)
{
	for (size_t i = 0; i < with.len;) {
		if (with.ptr[i] == '$')
			i = add_dollar(regex, scratch, with, i, out);
		else
			strbuf_putc(out, with.ptr[i++]);
	}
}

/*
 * After an empty match the next one must not be empty at the same place;
 * what is found further on may be.
 */
enum regex_result regex_replace(const struct regex *regex,
				struct regex_scratch *scratch, struct slice subject,
				struct slice with, struct strbuf *out)
{
	enum regex_result any = REGEX_NO_MATCH, result;
	size_t copied = 0, from = 0;
	uint32_t options = 0;

	while ((result = match_from(regex, scratch, subject, from, options)) ==
	       REGEX_MATCH) {
		const size_t *whole = scratch->ovector;

		if (whole[0] < copied || whole[1] < whole[0] || whole[1] < from)
			break;
		any = REGEX_MATCH;
		strbuf_add(out, scratch->subject + copied, whole[0] - copied);
		add_replacement(regex, scratch, with, out);
		copied = from = whole[1];
		options = whole[0] == whole[1] ? PCRE2_NOTEMPTY_ATSTART : 0;
	}
	strbuf_add(out, scratch->subject + copied, subject.len - copied);
	return result == REGEX_LIMIT ? REGEX_LIMIT : any;
}

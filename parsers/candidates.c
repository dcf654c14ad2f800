#include "parsers/candidates.h"

#include <stdlib.h>

#include "common/log.h"
#include "common/xalloc.h"

#define BITS 64

/* Sets of rules have a bit for each, in `words` words. */
struct candidates {
	const struct scanner *scanner; /* NULL: not used, or no more */
	struct scanner_scratch *scratch;
	size_t rules, words;
	uint64_t *always, *wanted, *escaped;
	uint64_t *line_rules;

	/* The block. */
	struct slice bytes;
	size_t at;                   /* where the next line begins */
	const size_t *ends;          /* of records; NULL: lines */
	size_t record_count, record; /* the next one */
	bool every_line;
	size_t backslash; /* the next one that makes candidates; none: the end */
	const struct scanner_hit *hits;
	size_t hit_count, hit;
	const struct scanner_rules *rules_of; /* of each literal */
};

/* -- sets of rules -------------------------------------------------------- */

static void add(uint64_t *set, size_t rule)
{
	set[rule / BITS] |= UINT64_C(1) << rule % BITS;
}

static bool has(const uint64_t *set, size_t rule)
{
	return set[rule / BITS] >> rule % BITS & 1;
}

static void stop_scanning(struct candidates *c)
{
	c->scanner = NULL;
	memset(c->always, 0xFF, c->words * sizeof(*c->always));
}

static void warn(const char *reason)
{
	log_warn("lines cannot be searched for the texts of all rules at once: each "
		 "rule is tried on each line",
		 LOG_TEXT("reason", reason));
}

struct candidates *candidates_create(const struct scanner *scanner, size_t rules)
{
	struct candidates *c = xcalloc(1, sizeof(*c));
	struct error err;

	c->scanner = scanner;
	c->rules_of = scanner ? scanner_rules(scanner) : NULL;
	c->rules = rules;
	c->words = (rules + BITS - 1) / BITS;
	c->always = xcalloc(c->words, sizeof(*c->always));
	c->wanted = xcalloc(c->words, sizeof(*c->wanted));
	c->escaped = xcalloc(c->words, sizeof(*c->escaped));
	c->line_rules = xcalloc(c->words, sizeof(*c->line_rules));
	if (scanner)
		c->scratch = scanner_scratch_create(scanner, &err);
	if (scanner && !c->scratch)
		warn(err.text);
	if (!c->scratch)
		stop_scanning(c);
	return c;
}

void candidates_destroy(struct candidates *c)
{
	if (!c)
		return;
	scanner_scratch_destroy(c->scratch);
	free(c->always);
	free(c->wanted);
	free(c->escaped);
	free(c->line_rules);
	free(c);
}

void candidates_always(struct candidates *c, size_t rule)
{
	add(c->always, rule);
	add(c->line_rules, rule);
}

void candidates_escaped(struct candidates *c, size_t rule)
{
	add(c->escaped, rule);
}

void candidates_want_none(struct candidates *c)
{
	memset(c->wanted, 0, c->words * sizeof(*c->wanted));
}

void candidates_want(struct candidates *c, size_t first_rule, size_t count)
{
	for (size_t rule = first_rule; rule < first_rule + count;) {
		if (rule % BITS == 0 && first_rule + count - rule >= BITS) {
			c->wanted[rule / BITS] = ~UINT64_C(0);
			rule += BITS;
		} else {
			add(c->wanted, rule++);
		}
	}
}

/* -- the block ------------------------------------------------------------ */

typedef uint8_t vector __attribute__((vector_size(16)));

#define VECTOR_BYTES sizeof(vector)
#define MOST_VECTORS 255 /* until a byte that counts is full */

static uint64_t sum_of(vector counts)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < VECTOR_BYTES; i++)
		sum += counts[i];
	return sum;
}

static unsigned char all_bits_of(vector bits)
{
	unsigned char all = 0;

	for (size_t i = 0; i < VECTOR_BYTES; i++)
		all |= bits[i];
	return all;
}

/* *bits: those that any byte has. */
static uint64_t count_newlines(const char *p, size_t len, unsigned char *bits)
{
	uint64_t count = 0;
	vector any = {0};

	while (len >= VECTOR_BYTES) {
		size_t n = len / VECTOR_BYTES;
		vector counts = {0};

		n = n < MOST_VECTORS ? n : MOST_VECTORS;
		for (size_t i = 0; i < n; i++, p += VECTOR_BYTES) {
			vector bytes;

			memcpy(&bytes, p, VECTOR_BYTES);
			counts -= (vector)(bytes == '\n'); /* true is -1 */
			any |= bytes;
		}
		len -= n * VECTOR_BYTES;
		count += sum_of(counts);
	}
	*bits = all_bits_of(any);
	for (; len > 0; len--, p++) {
		count += *p == '\n';
		*bits |= (unsigned char)*p;
	}
	return count;
}

uint64_t count_lines(struct slice bytes, bool *is_ascii)
{
	unsigned char bits;
	uint64_t newlines = count_newlines(bytes.ptr, bytes.len, &bits);

	*is_ascii = bits < 0x80;
	return newlines + (bytes.len > 0 && bytes.ptr[bytes.len - 1] != '\n');
}

/* The rules that want the block: is one of them ... */
struct kinds {
	bool tried;   /* always tried, */
	bool found;   /* to be found, */
	bool escaped; /* tried where there is a backslash? */
};

static struct kinds kinds_of_rules(const struct candidates *c)
{
	uint64_t always = 0, others = 0, escaped = 0;

	for (size_t i = 0; i < c->words; i++) {
		always |= c->wanted[i] & c->always[i];
		others |= c->wanted[i] & ~c->always[i];
		escaped |= c->wanted[i] & ~c->always[i] & c->escaped[i];
	}
	return (struct kinds){always != 0, others != 0, escaped != 0};
}

/* From byte `from` on; the end of the bytes if there is none. */
static size_t find_backslash(const struct candidates *c, size_t from)
{
	const char *found = memchr(c->bytes.ptr + from, '\\', c->bytes.len - from);

	return found ? (size_t)(found - c->bytes.ptr) : c->bytes.len;
}

static void begin(struct candidates *c, struct slice bytes, bool every_line)
{
	struct kinds kinds = kinds_of_rules(c);

	c->bytes = bytes;
	c->at = c->hit = c->hit_count = 0;
	c->backslash = kinds.escaped ? find_backslash(c, 0) : bytes.len;
	if (kinds.found &&
	    !scanner_find(c->scanner, c->scratch, bytes, &c->hits, &c->hit_count)) {
		warn("libhs failed");
		stop_scanning(c);
		kinds.tried = true;
	}
	c->every_line = every_line || kinds.tried;
}

uint64_t candidates_begin(struct candidates *c, struct slice bytes, bool every_line,
			  bool *is_ascii)
{
	c->ends = NULL;
	begin(c, bytes, every_line);
	return count_lines(bytes, is_ascii);
}

void candidates_begin_records(struct candidates *c, struct slice bytes,
			      const size_t *ends, size_t count, bool every_line,
			      bool *is_ascii)
{
	c->ends = ends;
	c->record_count = count;
	c->record = 0;
	begin(c, bytes, every_line);
	count_lines(bytes, is_ascii);
}

size_t candidates_record(const struct candidates *c)
{
	return c->record - 1;
}

bool candidates_any(const struct candidates *c)
{
	return c->every_line || c->hit_count > 0 || c->backslash < c->bytes.len;
}

static bool is_wanted(const struct candidates *c, const struct scanner_hit *hit)
{
	const struct scanner_rules *rules = &c->rules_of[hit->literal];

	for (size_t i = 0; i < rules->count; i++)
		if (has(c->wanted, rules->list[i]))
			return true;
	return false;
}

/* The byte of the next hit that somebody wants, or the next backslash; or the end. */
static size_t next_byte(struct candidates *c)
{
	size_t next;

	while (c->hit < c->hit_count && !is_wanted(c, &c->hits[c->hit]))
		c->hit++;
	next = c->hit < c->hit_count ? c->hits[c->hit].byte : c->bytes.len;
	return c->backslash < next ? c->backslash : next;
}

/* Where the next line to be tried begins; at the end of the bytes if none is left. */
static size_t next_start(struct candidates *c)
{
	const char *newline;
	size_t next;

	if (c->every_line)
		return c->at;
	next = next_byte(c);
	if (next == c->bytes.len)
		return c->bytes.len;
	newline = memrchr(c->bytes.ptr + c->at, '\n', next - c->at);
	return newline ? (size_t)(newline + 1 - c->bytes.ptr) : c->at;
}

static void start_with_always(struct candidates *c)
{
	for (size_t i = 0; i < c->words; i++)
		c->line_rules[i] = c->wanted[i] & c->always[i];
}

static void add_wanted(struct candidates *c, size_t rule)
{
	size_t word = rule / BITS;

	c->line_rules[word] |= c->wanted[word] & UINT64_C(1) << rule % BITS;
}

/* The hits before byte `end` are the line's. */
static void add_hits(struct candidates *c, size_t end)
{
	for (; c->hit < c->hit_count && c->hits[c->hit].byte < end; c->hit++) {
		const struct scanner_rules *rules =
			&c->rules_of[c->hits[c->hit].literal];

		for (size_t i = 0; i < rules->count; i++)
			add_wanted(c, rules->list[i]);
	}
}

static void add_escaped(struct candidates *c, size_t end)
{
	if (c->backslash >= end)
		return;
	for (size_t i = 0; i < c->words; i++)
		c->line_rules[i] |= c->wanted[i] & c->escaped[i];
	c->backslash = find_backslash(c, end);
}

/* A hit that reaches over the end of a record is in none. */
static bool next_record(struct candidates *c, struct slice *text)
{
	size_t start, end;

	if (!c->every_line) {
		size_t next = next_byte(c);

		while (c->record < c->record_count && c->ends[c->record] <= next)
			c->record++;
	}
	if (c->record == c->record_count)
		return false;
	start = c->record == 0 ? 0 : c->ends[c->record - 1] + 1;
	end = c->ends[c->record++];
	start_with_always(c);
	add_hits(c, end);
	add_escaped(c, end);
	*text = (struct slice){c->bytes.ptr + start, end - start};
	return true;
}

bool candidates_next(struct candidates *c, struct slice *line)
{
	size_t start, end;
	const char *newline;

	if (c->ends)
		return next_record(c, line);
	start = next_start(c);
	if (start == c->bytes.len)
		return false;
	newline = memchr(c->bytes.ptr + start, '\n', c->bytes.len - start);
	end = newline ? (size_t)(newline - c->bytes.ptr) : c->bytes.len;
	c->at = newline ? end + 1 : end;
	start_with_always(c);
	add_hits(c, end);
	add_escaped(c, end);
	*line = (struct slice){c->bytes.ptr + start, end - start};
	if (line->len > 0 && line->ptr[line->len - 1] == '\r')
		line->len--;
	return true;
}

size_t candidates_rule(const struct candidates *c, size_t from, size_t end)
{
	while (from < end) {
		uint64_t left = c->line_rules[from / BITS] >> from % BITS;

		if (left != 0) {
			from += (size_t)__builtin_ctzll(left);
			return from < end ? from : end;
		}
		from += BITS - from % BITS;
	}
	return end;
}

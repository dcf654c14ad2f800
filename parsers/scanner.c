#include "parsers/scanner.h"

#include <hs/hs.h>
#include <stdlib.h>

#include "common/hashmap.h"
#include "common/strbuf.h"
#include "common/xalloc.h"

struct owners {
	uint32_t *rules;
	size_t count;
};

struct scanner {
	hs_database_t *database; /* NULL: no literals */
	struct owners *literals;
	size_t count;
};

struct scanner_scratch {
	hs_scratch_t *scratch;
	struct scanner_hit *hits;
	size_t count, capacity;
};

/* While a scanner is made: distinct literals, each as libhs wants it. */
struct builder {
	struct scanner *scanner;
	struct hashmap *numbers; /* from what libhs is given to a number + 1 */
	char **expressions;
	unsigned *flags, *ids;
};

/* Every byte as \xNN: nothing in it means anything to libhs. */
static void write_expression(struct literal literal, struct strbuf *out)
{
	for (size_t i = 0; i < literal.text.len; i++)
		strbuf_addf(out, "\\x%02x", (unsigned char)literal.text.ptr[i]);
}

static size_t add_literal(struct builder *b, const char *expression, bool caseless)
{
	size_t n = b->scanner->count++;

	b->expressions = xgrow(b->expressions, n, sizeof(*b->expressions));
	b->flags = xgrow(b->flags, n, sizeof(*b->flags));
	b->ids = xgrow(b->ids, n, sizeof(*b->ids));
	b->scanner->literals =
		xgrow(b->scanner->literals, n, sizeof(*b->scanner->literals));
	b->expressions[n] = xstrdup(expression);
	b->flags[n] = caseless ? HS_FLAG_CASELESS : 0;
	b->ids[n] = (unsigned)n;
	b->scanner->literals[n] = (struct owners){NULL, 0};
	return n;
}

static void add_owner(struct owners *owners, uint32_t rule)
{
	size_t i = owners->count;

	for (size_t j = 0; j < owners->count; j++)
		if (owners->rules[j] == rule)
			return;
	owners->rules = xgrow(owners->rules, owners->count, sizeof(*owners->rules));
	for (; i > 0 && owners->rules[i - 1] > rule; i--)
		owners->rules[i] = owners->rules[i - 1];
	owners->rules[i] = rule;
	owners->count++;
}

static void add_entry(struct builder *b, const struct scanner_entry *entry)
{
	struct strbuf key = STRBUF_INIT;
	uintptr_t number;
	size_t text_len;

	write_expression(entry->literal, &key);
	text_len = key.len;
	strbuf_putc(&key, entry->literal.caseless ? 'i' : '-');
	number = (uintptr_t)hashmap_get(b->numbers, strbuf_slice(&key));
	if (number == 0) {
		key.ptr[text_len] = '\0';
		number = add_literal(b, key.ptr, entry->literal.caseless) + 1;
		key.ptr[text_len] = entry->literal.caseless ? 'i' : '-';
		hashmap_put(b->numbers, strbuf_slice(&key), (void *)number);
	}
	add_owner(&b->scanner->literals[number - 1], (uint32_t)entry->rule);
	strbuf_finish(&key);
}

static bool compile(struct builder *b, struct error *err)
{
	hs_compile_error_t *why = NULL;

	if (hs_valid_platform() != HS_SUCCESS)
		return error_set(err, "libhs does not run on this CPU");
	if (b->scanner->count == 0)
		return true;
	if (hs_compile_multi((const char *const *)b->expressions, b->flags, b->ids,
			     (unsigned)b->scanner->count, HS_MODE_BLOCK, NULL,
			     &b->scanner->database, &why) == HS_SUCCESS)
		return true;
	error_set(err, "libhs: %s", why ? why->message : "it does not say why");
	hs_free_compile_error(why);
	return false;
}

struct scanner *scanner_create(const struct scanner_entry *entries, size_t count,
			       struct error *err)
{
	struct scanner *scanner = xcalloc(1, sizeof(*scanner));
	struct builder b = {.scanner = scanner, .numbers = hashmap_create()};
	bool ok;

	for (size_t i = 0; i < count; i++)
		add_entry(&b, &entries[i]);
	ok = compile(&b, err);
	for (size_t i = 0; b.expressions && i < scanner->count; i++)
		free(b.expressions[i]);
	free(b.expressions);
	free(b.flags);
	free(b.ids);
	hashmap_destroy(b.numbers);
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
	for (size_t i = 0; i < scanner->count; i++)
		free(scanner->literals[i].rules);
	free(scanner->literals);
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

static int on_hit(unsigned id, unsigned long long start, unsigned long long end,
		  unsigned flags, void *ctx)
{
	struct scanner_scratch *s = ctx;

	(void)start;
	(void)flags;
	if (s->count == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 1024;
		s->hits = xreallocarray(s->hits, s->capacity, sizeof(*s->hits));
	}
	s->hits[s->count++] = (struct scanner_hit){(uint32_t)(end - 1), id};
	return 0;
}

static int by_last_byte(const void *a, const void *b)
{
	const struct scanner_hit *x = a, *y = b;

	return x->last_byte < y->last_byte ? -1 : x->last_byte > y->last_byte;
}

/* libhs promises no order; it mostly keeps one. */
static void put_in_order(struct scanner_scratch *s)
{
	for (size_t i = 1; i < s->count; i++) {
		if (s->hits[i].last_byte >= s->hits[i - 1].last_byte)
			continue;
		qsort(s->hits, s->count, sizeof(*s->hits), by_last_byte);
		return;
	}
}

bool scanner_find(const struct scanner *scanner, struct scanner_scratch *s,
		  struct slice bytes, const struct scanner_hit **hits, size_t *count)
{
	s->count = 0;
	if (scanner->database &&
	    hs_scan(scanner->database, bytes.ptr, (unsigned)bytes.len, 0, s->scratch,
		    on_hit, s) != HS_SUCCESS)
		return false;
	put_in_order(s);
	*hits = s->hits;
	*count = s->count;
	return true;
}

const uint32_t *scanner_rules(const struct scanner *scanner, uint32_t literal,
			      size_t *count)
{
	*count = scanner->literals[literal].count;
	return scanner->literals[literal].rules;
}

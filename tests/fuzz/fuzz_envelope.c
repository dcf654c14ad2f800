/*
 * Lines of containers: what is malformed leaves no trace, and the texts do not depend
 * on how the bytes arrive.
 *
 * The first byte says in what the lines are.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/assembly.h"
#include "parsers/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(holds) ((holds) ? (void)0 : fail(__LINE__))

static void fail(int line)
{
	fprintf(stderr, "line %d does not hold\n", line);
	abort();
}

static void check_line(enum envelope envelope, struct slice line)
{
	struct strbuf text = STRBUF_INIT;
	struct envelope_line opened;
	bool is_open;

	strbuf_puts(&text, "before");
	is_open = envelope_open(envelope, line, &opened, &text);
	check(is_open || text.len == 6);
	check(memcmp(text.ptr, "before", 6) == 0);
	check(text.len <= 6 + line.len);
	check(opened.stream < STREAMS);
	if (envelope_of(line) == envelope)
		check(is_open && opened.time_ns != ENVELOPE_NO_TIME &&
		      (opened.stream != STREAM_NONE || envelope == ENVELOPE_DOCKER));
	strbuf_finish(&text);
}

static size_t line_bytes(struct slice rest)
{
	const char *newline = memchr(rest.ptr, '\n', rest.len);

	return newline ? (size_t)(newline - rest.ptr) + 1 : rest.len;
}

static void add_all(struct strbuf *out, const struct records *records)
{
	for (size_t i = 0; i < records->count; i++) {
		strbuf_addf(out, "%d ", (int)records->origins[i].stream);
		strbuf_add_slice(out, records_text(records, i));
		strbuf_putc(out, '\n');
	}
}

/* Blocks are the whole, or single lines. */
static void take_all(enum envelope envelope, struct slice rest, bool by_line,
		     struct strbuf *out, struct engine_counts *counts)
{
	struct assembly *assembly = assembly_create(NULL, 0);
	struct records lines = RECORDS_INIT;

	assembly_set_envelope(assembly, envelope);
	while (rest.len > 0) {
		size_t len = by_line ? line_bytes(rest) : rest.len;
		struct block block = {.bytes = {rest.ptr, len}};

		if (by_line)
			check_line(envelope, (struct slice){rest.ptr, len - 1});
		assembly_take(assembly, &block, 0, &lines, counts);
		add_all(out, &lines);
		assembly_settle(assembly, counts);
		rest.ptr += len;
		rest.len -= len;
	}
	assembly_take_old(assembly, INT64_MAX, &lines, counts);
	add_all(out, &lines);
	assembly_settle(assembly, counts);
	check(counts->unmatched_lines == counts->lines);
	records_finish(&lines);
	assembly_destroy(assembly);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf whole = STRBUF_INIT, pieces = STRBUF_INIT;
	struct engine_counts counts = {0}, again = {0};
	enum envelope envelope;
	struct slice bytes;

	if (size < 2)
		return 0;
	envelope = data[0] & 1 ? ENVELOPE_CRI : ENVELOPE_DOCKER;
	bytes = (struct slice){(const char *)data + 1, size - 1};
	take_all(envelope, bytes, false, &whole, &counts);
	take_all(envelope, bytes, true, &pieces, &again);
	check(slice_eq(strbuf_slice(&whole), strbuf_slice(&pieces)));
	check(memcmp(&counts, &again, sizeof(counts)) == 0);
	strbuf_finish(&whole);
	strbuf_finish(&pieces);
	return 0;
}

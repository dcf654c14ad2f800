#include "parsers/assembly.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "parsers/engine.h"
#include "parsers/line_votes.h"
#include "parsers/rule.h"

/* Of a line that its envelope cut up. */
#define PART_MAX_BYTES (1024 * 1024)
#define PART_MAX_AGE_NS (10 * NS_PER_SECOND)

#define KEEP_BYTES 4096 /* of an open record's memory, when it is complete */

/* What may go on.  Without a line: nothing. */
struct open {
	struct strbuf text;
	uint32_t lines;
	unsigned state;
	struct record_origin origin; /* of its first line */
	int64_t touched_ns;
};

struct group {
	const struct patterns_file **files;
	size_t file_count;
	const struct multiline *multiline; /* NULL: each line is a record */
	struct open open[STREAMS];
};

struct assembly {
	enum envelope envelope;
	struct open parts[STREAMS];
	struct line_votes votes[STREAMS];
	bool changed;
	uint64_t lines; /* that were taken */
	size_t group_count;
	struct group groups[];
};

/* -- groups --------------------------------------------------------------- */

static void add_to_group(struct group *group, const struct patterns_file *file)
{
	group->files = xgrow((void *)group->files, group->file_count,
			     sizeof(const struct patterns_file *));
	group->files[group->file_count++] = file;
	group->multiline = file->multiline;
}

static bool has_plain(const struct patterns_file *const *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!files[i]->multiline)
			return true;
	return false;
}

/* All files without `multiline` are one group, the first; each other is one. */
struct assembly *assembly_create(const struct patterns_file *const *files, size_t count)
{
	struct assembly *a =
		xcalloc(1, sizeof(*a) + (count + 1) * sizeof(a->groups[0]));

	a->envelope = ENVELOPE_NONE;
	a->group_count = has_plain(files, count);
	for (size_t i = 0; i < count; i++)
		add_to_group(&a->groups[files[i]->multiline ? a->group_count++ : 0],
			     files[i]);
	for (int s = 0; s < STREAMS; s++) {
		a->parts[s].text = (struct strbuf)STRBUF_INIT;
		for (size_t g = 0; g < a->group_count; g++)
			a->groups[g].open[s].text = (struct strbuf)STRBUF_INIT;
	}
	return a;
}

void assembly_destroy(struct assembly *a)
{
	if (!a)
		return;
	for (int s = 0; s < STREAMS; s++) {
		strbuf_finish(&a->parts[s].text);
		line_votes_finish(&a->votes[s]);
		for (size_t g = 0; g < a->group_count; g++)
			strbuf_finish(&a->groups[g].open[s].text);
	}
	for (size_t g = 0; g < a->group_count; g++)
		free((void *)a->groups[g].files);
	free(a);
}

void assembly_set_envelope(struct assembly *a, enum envelope envelope)
{
	a->envelope = envelope;
}

size_t assembly_group_count(const struct assembly *a)
{
	return a->group_count;
}

const struct patterns_file *const *assembly_group(const struct assembly *a,
						  size_t group, size_t *count)
{
	*count = a->groups[group].file_count;
	return a->groups[group].files;
}

/* -- what is open --------------------------------------------------------- */

static void append(struct open *open, struct slice text,
		   const struct record_origin *origin, int64_t now_ns)
{
	if (open->lines == 0)
		open->origin = *origin;
	strbuf_add_slice(&open->text, text);
	open->lines++;
	open->touched_ns = now_ns;
}

static void forget(struct open *open)
{
	open->lines = 0;
	if (open->text.capacity > KEEP_BYTES)
		strbuf_finish(&open->text);
	else
		strbuf_clear(&open->text);
}

static bool is_old(const struct open *open, int64_t max_age_ns, int64_t now_ns)
{
	return open->lines > 0 &&
	       (now_ns == INT64_MAX || open->touched_ns + max_age_ns <= now_ns);
}

/* -- lines out of their envelopes ----------------------------------------- */

/* The text behind the last of the lines is a line, made from so many of the file. */
static void add_line(struct assembly *a, struct record_origin *origin, uint32_t weight,
		     struct records *lines)
{
	origin->line_count = 1;
	origin->first_line = line_votes_add(&a->votes[origin->stream], weight,
					    (uint32_t)a->group_count);
	records_add(lines, origin);
}

static void finish_part(struct assembly *a, struct open *part, struct records *lines)
{
	strbuf_add_slice(&lines->bytes, strbuf_slice(&part->text));
	add_line(a, &part->origin, part->lines, lines);
	forget(part);
	a->changed = true;
}

/* What stands behind the last of the lines goes to the part. */
static void add_to_part(struct assembly *a, struct open *part, struct records *lines,
			const struct record_origin *origin, int64_t now_ns)
{
	size_t start = records_start(lines);
	struct slice text = {lines->bytes.ptr + start, lines->bytes.len - start};

	append(part, text, origin, now_ns);
	lines->bytes.len = start;
	a->changed = true;
}

static void take_opened(struct assembly *a, const struct envelope_line *opened,
			struct record_origin *origin, int64_t now_ns,
			struct records *lines, struct engine_counts *counts)
{
	struct open *part = &a->parts[opened->stream];

	origin->stream = opened->stream;
	origin->time_ns = opened->time_ns;
	if (part->lines == 0 && !opened->goes_on) {
		add_line(a, origin, 1, lines);
		return;
	}
	add_to_part(a, part, lines, origin, now_ns);
	if (!opened->goes_on) {
		finish_part(a, part, lines);
	} else if (part->text.len >= PART_MAX_BYTES) {
		counts->cut_records[RECORD_CUT_BYTES]++;
		finish_part(a, part, lines);
	}
}

static void take_line(struct assembly *a, struct slice line, const struct block *block,
		      int64_t now_ns, struct records *lines,
		      struct engine_counts *counts)
{
	struct record_origin origin = {.line = ++a->lines,
				       .time_ns = ENVELOPE_NO_TIME,
				       .read_time_ns = block->read_time_ns,
				       .mtime_ns = block->mtime_ns};
	struct envelope_line opened;

	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (a->envelope != ENVELOPE_NONE) {
		if (envelope_open(a->envelope, line, &opened, &lines->bytes)) {
			take_opened(a, &opened, &origin, now_ns, lines, counts);
			return;
		}
		counts->malformed[a->envelope == ENVELOPE_DOCKER ? MALFORMED_DOCKER
								 : MALFORMED_CRI]++;
	}
	strbuf_add_slice(&lines->bytes, line);
	add_line(a, &origin, 1, lines);
}

void assembly_take(struct assembly *a, const struct block *block, int64_t now_ns,
		   struct records *lines, struct engine_counts *counts)
{
	struct slice rest = block->bytes;

	records_clear(lines);
	while (rest.len > 0) {
		const char *newline = memchr(rest.ptr, '\n', rest.len);
		size_t len = newline ? (size_t)(newline - rest.ptr) : rest.len;

		take_line(a, (struct slice){rest.ptr, len}, block, now_ns, lines,
			  counts);
		counts->lines++;
		len += newline != NULL;
		rest.ptr += len;
		rest.len -= len;
	}
}

void assembly_take_old(struct assembly *a, int64_t now_ns, struct records *lines,
		       struct engine_counts *counts)
{
	records_clear(lines);
	for (int s = 0; s < STREAMS; s++) {
		if (!is_old(&a->parts[s], PART_MAX_AGE_NS, now_ns))
			continue;
		counts->cut_records[RECORD_CUT_AGE] += now_ns != INT64_MAX;
		finish_part(a, &a->parts[s], lines);
	}
}

/* -- lines to records ----------------------------------------------------- */

static void complete(struct open *open, struct records *records)
{
	open->origin.line_count = open->lines;
	strbuf_add_slice(&records->bytes, strbuf_slice(&open->text));
	records_add(records, &open->origin);
	forget(open);
}

/* True, and counted, if one more line is too much for the record. */
static bool is_full(const struct multiline *m, const struct open *open,
		    struct slice line, struct engine_counts *counts)
{
	enum record_cut why = RECORD_CUT_LINES;

	if (open->lines < m->max_lines) {
		if (open->text.len + 1 + line.len <= m->max_bytes)
			return false;
		why = RECORD_CUT_BYTES;
	}
	counts->cut_records[why]++;
	return true;
}

static void join_line(const struct multiline *m, struct open *open, struct slice line,
		      const struct record_origin *origin, int64_t now_ns,
		      struct regex_scratch *scratch, struct records *records,
		      struct engine_counts *counts)
{
	enum multiline_action action = multiline_next(m, scratch, line, &open->state);

	if (open->lines > 0 &&
	    (action == MULTILINE_BEGIN || is_full(m, open, line, counts)))
		complete(open, records);
	if (open->lines > 0)
		strbuf_putc(&open->text, '\n');
	append(open, line, origin, now_ns);
	if (action == MULTILINE_LAST)
		complete(open, records);
}

static void complete_old(struct group *group, int64_t now_ns, struct records *records,
			 struct engine_counts *counts)
{
	for (int s = 0; s < STREAMS; s++) {
		struct open *open = &group->open[s];

		if (!is_old(open, group->multiline->max_age_ns, now_ns))
			continue;
		counts->cut_records[RECORD_CUT_AGE] += now_ns != INT64_MAX;
		open->state = 0;
		complete(open, records);
	}
}

static bool group_is_open(const struct group *group)
{
	for (int s = 0; s < STREAMS; s++)
		if (group->open[s].lines > 0)
			return true;
	return false;
}

struct records *assembly_join(struct assembly *a, size_t index, struct records *lines,
			      int64_t now_ns, bool complete_silent,
			      struct regex_scratch *scratch, struct records *records,
			      struct engine_counts *counts)
{
	struct group *group = &a->groups[index];
	bool was_open = group_is_open(group);

	for (size_t i = 0; i < lines->count; i++)
		lines->origins[i].matched = false;
	if (!group->multiline)
		return lines;
	records_clear(records);
	for (size_t i = 0; i < lines->count; i++) {
		const struct record_origin *origin = &lines->origins[i];

		join_line(group->multiline, &group->open[origin->stream],
			  records_text(lines, i), origin, now_ns, scratch, records,
			  counts);
	}
	if (complete_silent)
		complete_old(group, now_ns, records, counts);
	a->changed |= was_open || group_is_open(group);
	return records;
}

void assembly_vote(struct assembly *a, const struct records *records)
{
	for (size_t i = 0; i < records->count; i++) {
		const struct record_origin *origin = &records->origins[i];

		line_votes_cast(&a->votes[origin->stream], origin->first_line,
				origin->line_count, origin->matched);
	}
}

void assembly_settle(struct assembly *a, struct engine_counts *counts)
{
	for (int s = 0; s < STREAMS; s++)
		counts->unmatched_lines += line_votes_settle(&a->votes[s]);
}

/* -- what is open, from outside ------------------------------------------- */

static int64_t earlier(int64_t deadline_ns, const struct open *open, int64_t max_age_ns)
{
	if (open->lines == 0 || open->touched_ns + max_age_ns > deadline_ns)
		return deadline_ns;
	return open->touched_ns + max_age_ns;
}

int64_t assembly_deadline_ns(const struct assembly *a)
{
	int64_t deadline_ns = INT64_MAX;

	for (int s = 0; s < STREAMS; s++) {
		deadline_ns = earlier(deadline_ns, &a->parts[s], PART_MAX_AGE_NS);
		for (size_t g = 0; g < a->group_count; g++)
			if (a->groups[g].multiline)
				deadline_ns =
					earlier(deadline_ns, &a->groups[g].open[s],
						a->groups[g].multiline->max_age_ns);
	}
	return deadline_ns;
}

bool assembly_has_changed(struct assembly *a)
{
	bool changed = a->changed;

	a->changed = false;
	return changed;
}

static void tell(const struct assembly *a, const struct open *open,
		 const char *patterns, enum envelope_stream stream,
		 void (*visit)(void *ctx, const struct open_record *open), void *ctx)
{
	uint32_t part = open->lines << 1;
	uint32_t *lines =
		*patterns ? line_votes_pack(&a->votes[stream], open->lines) : &part;
	struct open_record told = {.patterns = slice_of(patterns),
				   .stream = stream,
				   .state = open->state,
				   .time_ns = open->origin.time_ns,
				   .read_time_ns = open->origin.read_time_ns,
				   .mtime_ns = open->origin.mtime_ns,
				   .text = strbuf_slice(&open->text),
				   .lines = lines,
				   .line_count = *patterns ? open->lines : 1};

	visit(ctx, &told);
	if (lines != &part)
		free(lines);
}

void assembly_each_open(const struct assembly *a,
			void (*visit)(void *ctx, const struct open_record *open),
			void *ctx)
{
	for (int s = 0; s < STREAMS; s++) {
		enum envelope_stream stream = (enum envelope_stream)s;

		if (a->parts[s].lines > 0)
			tell(a, &a->parts[s], "", stream, visit, ctx);
		for (size_t g = 0; g < a->group_count; g++)
			if (a->groups[g].open[s].lines > 0)
				tell(a, &a->groups[g].open[s],
				     a->groups[g].files[0]->name, stream, visit, ctx);
	}
}

static struct group *group_named(struct assembly *a, struct slice name)
{
	for (size_t g = 0; g < a->group_count; g++)
		if (a->groups[g].multiline &&
		    slice_is(name, a->groups[g].files[0]->name))
			return &a->groups[g];
	return NULL;
}

static void restore_open(struct open *open, const struct open_record *from,
			 const struct record_origin *origin, uint32_t lines,
			 int64_t now_ns)
{
	append(open, from->text, origin, now_ns);
	open->lines = lines;
	open->state = from->state;
}

bool assembly_restore(struct assembly *a, const struct open_record *open,
		      int64_t now_ns, struct records *records)
{
	struct group *group = group_named(a, open->patterns);
	struct record_origin origin = {.stream = open->stream,
				       .line_count = (uint32_t)open->line_count,
				       .time_ns = open->time_ns,
				       .read_time_ns = open->read_time_ns,
				       .mtime_ns = open->mtime_ns};

	a->changed = true;
	records_clear(records);
	if (open->patterns.len == 0) {
		restore_open(&a->parts[open->stream], open, &origin,
			     open->lines[0] >> 1, now_ns);
		return true;
	}
	origin.first_line = line_votes_unpack(&a->votes[open->stream], open->lines,
					      open->line_count);
	if (group) {
		restore_open(&group->open[open->stream], open, &origin,
			     (uint32_t)open->line_count, now_ns);
		return true;
	}
	strbuf_add_slice(&records->bytes, open->text);
	records_add(records, &origin);
	return false;
}

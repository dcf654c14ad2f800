#include "parsers/record.h"

#include "common/clock.h"
#include "parsers/rule.h"

#define MAX_AHEAD_NS (5 * 60 * NS_PER_SECOND)

bool record_match_line(struct record *record)
{
	enum regex_result result;

	if (record->line_tried || !record->file->line)
		return record->line_matched;
	result = regex_match(record->file->line, record->line_scratch, record->text);
	record->line_tried = true;
	record->line_matched = result == REGEX_MATCH;
	record->line_hit_limit = result == REGEX_LIMIT;
	return record->line_matched;
}

struct slice record_field(struct record *record, size_t wanted)
{
	const struct patterns_file *file = record->file;

	if (!record->fields_read) {
		record->fields_read = true;
		record->fields_malformed = !format_read(record->fields, file->format,
							file->wanted, record->text);
		if (record->fields_malformed)
			record->malformed |= 1U << malformed_of(file->format);
	}
	return format_field(record->fields, wanted);
}

static bool is_ahead(const struct record *record, int64_t ns)
{
	return ns > record->block->read_time_ns + MAX_AHEAD_NS;
}

/*
 * The line was written before it was read, and before the file's last change.  Its
 * envelope knows better.
 */
static int64_t time_without_log_time(const struct record *record)
{
	const struct block *block = record->block;

	if (record->envelope_time_ns != ENVELOPE_NO_TIME &&
	    !is_ahead(record, record->envelope_time_ns))
		return record->envelope_time_ns;
	return block->mtime_ns < block->read_time_ns ? block->mtime_ns
						     : block->read_time_ns;
}

static enum record_time find_time(struct record *record, int64_t *ns)
{
	struct slice text;

	if (!record->file->layout || !record->time_field) {
		*ns = record->envelope_time_ns;
		if (*ns == ENVELOPE_NO_TIME)
			return RECORD_TIME_NONE;
		return is_ahead(record, *ns) ? RECORD_TIME_AHEAD : RECORD_TIME_PARSED;
	}
	text = field_text(record->time_field, record);
	if (!text.ptr ||
	    !timestamp_parse_cached(record->times, record->file->layout, text,
				    time_without_log_time(record), ns))
		return RECORD_TIME_UNPARSED;
	if (is_ahead(record, *ns))
		return RECORD_TIME_AHEAD;
	return RECORD_TIME_PARSED;
}

int64_t record_time_ns(struct record *record)
{
	if (record->time_state == RECORD_TIME_UNKNOWN) {
		record->time_state = find_time(record, &record->time_ns);
		if (record->time_state != RECORD_TIME_PARSED)
			record->time_ns = time_without_log_time(record);
	}
	return record->time_ns;
}

/* Writes the number, with at least `least` digits, so that it ends before `end`. */
static char *put_digits(char *end, uint64_t number, int least)
{
	for (; number > 0 || least > 0; number /= 10, least--)
		*--end = (char)('0' + number % 10);
	return end;
}

struct slice record_time_text(struct record *record)
{
	int64_t ns = record_time_ns(record);
	uint64_t magnitude = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	uint64_t fraction = magnitude % (uint64_t)NS_PER_SECOND;
	char *end = record->time_text + sizeof(record->time_text), *start = end;
	int digits = 9;

	for (; digits > 0 && fraction % 10 == 0; digits--)
		fraction /= 10;
	if (digits > 0) {
		start = put_digits(start, fraction, digits);
		*--start = '.';
	}
	start = put_digits(start, magnitude / (uint64_t)NS_PER_SECOND, 1);
	if (ns < 0)
		*--start = '-';
	return (struct slice){start, (size_t)(end - start)};
}

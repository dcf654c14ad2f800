#include "daemon/state_value.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "exporter/number.h"

/* Integers of so few digits are exact, and most buckets are such. */
#define EXACT_DIGITS 15

static size_t write_buckets(char *out, const double *buckets, size_t count)
{
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			out[len++] = ',';
		len += number_format(out + len, buckets[i]);
	}
	return len;
}

void state_value_bind(sqlite3_stmt *statement, int first,
		      const struct state_value *value)
{
	char text[(METRIC_MAX_BUCKETS + 1) * (NUMBER_MAX_BYTES + 1)];
	size_t len;

	/* Of a NaN SQLite makes NULL. */
	sqlite3_bind_double(statement, first, value->value);
	sqlite3_bind_int64(statement, first + 1, value->time_ns);
	if (value->bucket_count == 0) {
		sqlite3_bind_null(statement, first + 2);
		return;
	}
	assert(value->bucket_count <= METRIC_MAX_BUCKETS + 1);
	len = write_buckets(text, value->buckets, value->bucket_count);
	sqlite3_bind_text(statement, first + 2, text, (int)len, SQLITE_TRANSIENT);
}

void state_value_bind_panes(sqlite3_stmt *statement, int at,
			    const struct state_value *value)
{
	if (value->panes.len > 0)
		sqlite3_bind_blob64(statement, at, value->panes.ptr, value->panes.len,
				    SQLITE_STATIC);
	else
		sqlite3_bind_null(statement, at);
}

/* Where the number ends; NULL if none is there. */
static const char *read_number(const char *p, double *number)
{
	const char *start = p;
	uint64_t integer = 0;
	char *end;

	while (*p >= '0' && *p <= '9' && p - start < EXACT_DIGITS)
		integer = integer * 10 + (uint64_t)(*p++ - '0');
	if (p > start && (*p == ',' || *p == '\0')) {
		*number = (double)integer;
		return p;
	}
	*number = strtod(start, &end);
	return end > start && (*end == ',' || *end == '\0') ? end : NULL;
}

static bool read_buckets(const char *p, struct state_value *value,
			 struct state_buckets *buckets)
{
	size_t count = 0;

	do {
		if (count == METRIC_MAX_BUCKETS + 1)
			return false;
		p = read_number(p, &buckets->list[count++]);
	} while (p && *p++ == ',');
	value->buckets = buckets->list;
	value->bucket_count = count;
	return p != NULL;
}

bool state_value_read(sqlite3_stmt *statement, int first, struct state_value *value,
		      struct state_buckets *buckets)
{
	const char *text = (const char *)sqlite3_column_text(statement, first + 2);
	bool is_nan = sqlite3_column_type(statement, first) == SQLITE_NULL;

	*value = (struct state_value){
		.value = is_nan ? NAN : sqlite3_column_double(statement, first),
		.time_ns = sqlite3_column_int64(statement, first + 1),
	};
	return !text || read_buckets(text, value, buckets);
}

void state_value_read_panes(sqlite3_stmt *statement, int at, struct state_value *value)
{
	value->panes.ptr = sqlite3_column_blob(statement, at);
	value->panes.len = (size_t)sqlite3_column_bytes(statement, at);
}

/*
 * log.h - the daemon's own log: one line an event on stderr.
 *
 * A line has a time, a level, a message and named fields, as logfmt or JSON:
 *
 *     log_info("following file", LOG_TEXT("path", path), LOG_INT("bytes", n));
 *
 * Each line is one write(2), so lines of several threads do not mix.  Never
 * call it once a log line followed: what happens a million times is a counter.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

struct log_field {
	const char *key;  /* NULL ends the fields */
	const char *text; /* NULL: the number counts */
	int64_t number;
};

#define LOG_TEXT(k, v) ((struct log_field){.key = (k), .text = (v)})
#define LOG_INT(k, v) ((struct log_field){.key = (k), .number = (int64_t)(v)})

/* Before threads start: levels below `level` are dropped. */
void log_configure(enum log_level level, enum log_format format);

/* True if such a line would be written: to save building expensive fields. */
bool log_enabled(enum log_level level);

/* Use the macros below. */
void log_write(enum log_level level, const char *message,
	       const struct log_field *fields);

/* The array begins with an empty field so that there may be none. */
#define LOG_AT(level, message, ...)                                      \
	log_write(level, message,                                        \
		  (const struct log_field[]){                            \
			  {.key = NULL}, ##__VA_ARGS__, {.key = NULL}} + \
			  1)
#define log_debug(...) LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) LOG_AT(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif

/*
 * grok_patterns.h - the table of built-in grok patterns.  Internal to grok.
 *
 * The names, and the names of their captures, are those that Logstash users
 * know; the expressions are written for PCRE2.
 */
#ifndef PARSERS_GROK_PATTERNS_H
#define PARSERS_GROK_PATTERNS_H

struct grok_pattern {
	const char *name; /* NULL: the end */
	const char *pattern;
};

extern const struct grok_pattern grok_patterns[];

#endif

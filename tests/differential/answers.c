/*
 * Answers questions on stdin, a line each, so that another implementation can be asked
 * the same (differential.py).  Fields are separated by tabs, texts are in hexadecimal.
 *
 *     T zone layout now_ns text    nanoseconds, or -; an empty layout: ISO 8601
 *     V as text                    the double as C and the locale write it in
 * hexadecimal, or - R pattern text               name=text of the groups that took
 * part, or - L                            the locale's decimal point
 */
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "parsers/regex.h"
#include "parsers/timestamp_cache.h"
#include "parsers/value.h"

#define MAX_FIELDS 5

static void die(const char *why, const char *what)
{
	fprintf(stderr, "%s: %s\n", why, what);
	exit(1);
}

/* In place. */
static struct slice unhex(char *text)
{
	size_t len = strlen(text) / 2;

	for (size_t i = 0; i < len; i++) {
		char digits[] = {text[2 * i], text[2 * i + 1], '\0'};

		text[i] = (char)strtoul(digits, NULL, 16);
	}
	text[len] = '\0';
	return (struct slice){text, len};
}

static void print_hex(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		printf("%02x", (unsigned char)text.ptr[i]);
}

/* What was asked last is mostly asked again. */
static const struct timestamp_layout *layout_of(const char *zone_name, const char *text)
{
	static char *last_zone, *last_layout;
	static struct zone *zone;
	static struct timestamp_layout *layout;
	struct error err;

	if (layout && strcmp(last_zone, zone_name) == 0 &&
	    strcmp(last_layout, text) == 0)
		return layout;
	timestamp_destroy(layout);
	zone_destroy(zone);
	free(last_zone);
	free(last_layout);
	last_zone = xstrdup(zone_name);
	last_layout = xstrdup(text);
	zone = zone_load(zone_name, &err);
	if (!zone)
		die(zone_name, err.text);
	layout = timestamp_compile(*text ? text : NULL, zone, &err);
	if (!layout)
		die(text, err.text);
	return layout;
}

static void answer_time(char **fields)
{
	const char *zone = unhex(fields[1]).ptr, *layout = unhex(fields[2]).ptr;
	int64_t now_ns = strtoll(fields[3], NULL, 10), ns;

	if (timestamp_parse(layout_of(zone, layout), unhex(fields[4]), now_ns, &ns))
		printf("%" PRId64 "\n", ns);
	else
		puts("-");
}

static void answer_value(char **fields)
{
	struct slice text = unhex(fields[2]);
	double value;
	int as = 0;

	while (as < VALUE_KINDS &&
	       strcmp(value_as_name((enum value_as)as), fields[1]) != 0)
		as++;
	if (as == VALUE_KINDS)
		die("no such value", fields[1]);
	if (value_parse((enum value_as)as, text, &value))
		printf("%a\n", value);
	else
		puts("-");
}

static void print_groups(const struct regex *regex, const struct regex_scratch *scratch)
{
	for (size_t i = 0; i < regex_name_count(regex); i++) {
		unsigned group = 0;
		struct slice text;

		regex_groups_named(regex, regex_name(regex, i), &group, 1);
		text = regex_group(scratch, group);
		if (!text.ptr)
			continue;
		printf("%s=", regex_name(regex, i));
		print_hex(text);
		putchar(' ');
	}
	putchar('\n');
}

static void answer_regex(char **fields)
{
	static struct regex_scratch *scratch;
	struct diag *diag = diag_create();
	struct slice pattern = unhex(fields[1]), text = unhex(fields[2]);
	struct regex *regex =
		regex_compile(pattern, (struct position){.file = "stdin"}, diag);

	if (!regex)
		die("does not compile", pattern.ptr);
	if (!scratch)
		scratch = regex_scratch_create(100000000);
	if (regex_match(regex, scratch, text) == REGEX_MATCH)
		print_groups(regex, scratch);
	else
		puts("-");
	regex_destroy(regex);
	diag_destroy(diag);
}

/* The number of fields; the others are empty. */
static void split(char *line, char **fields)
{
	for (size_t i = 0; i < MAX_FIELDS; i++) {
		size_t n = strcspn(line, "\t");

		fields[i] = line;
		line += n;
		if (*line == '\t')
			*line++ = '\0';
	}
}

int main(void)
{
	char *line = NULL, *fields[MAX_FIELDS];
	size_t room = 0;
	ssize_t n;

	setlocale(LC_ALL, "");
	while ((n = getline(&line, &room, stdin)) > 0) {
		line[n - 1] = '\0';
		split(line, fields);
		switch (*fields[0]) {
		case 'T':
			answer_time(fields);
			break;
		case 'V':
			answer_value(fields);
			break;
		case 'R':
			answer_regex(fields);
			break;
		case 'L':
			puts(localeconv()->decimal_point);
			break;
		default:
			die("no such question", fields[0]);
		}
	}
	free(line);
	return 0;
}

/*
 * options.h - the command line.
 *
 * Flags follow the Prometheus exporters' conventions: --name value,
 * --name=value; a flag that is on or off takes no value.
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/error.h"

/* NULL or 0: not given. */
struct options {
	const char *config_file;
	const char **logs;
	size_t log_count;
	const char **patterns;
	size_t pattern_count;
	const char *storage_path;
	const char *storage_sync;
	const char *hash_key_file;
	bool needs_hash_key; /* no flag: the command's metrics are for others to see */
	const char *workers;
	const char *listen_address;
	const char *telemetry_path;
	bool enable_lifecycle;
	const char *format;
	const char *as;
	const char **files;
	size_t file_count;
	bool all;
	const char *color;
	const char *only;
	const char *junit;
	bool own_metrics;
	bool verbose;
	bool strict;
	bool lint; /* not a flag: what check also does */
	const char *log_level;
	const char *log_format;
	const char **arguments; /* what is no flag */
	size_t argument_count;
	bool help;
};

enum command {
	COMMAND_RUN,
	COMMAND_CHECK,
	COMMAND_TEST,
	COMMAND_EXPLAIN,
	COMMAND_REPLAY,
	COMMAND_HEALTHCHECK,
	COMMAND_COMPLETION,
	COMMAND_VERSION,
	COMMANDS
};

/* NULL: the command takes no arguments. */
const char *command_arguments(enum command command);
const char *command_name(enum command command);
const char *command_help(enum command command);

/* A flag as the table has it; everything is static. */
struct option_flag {
	const char *name;
	const char *value;   /* what it takes, as FILE; NULL: nothing */
	const char *choices; /* the only values, with a space between; or NULL */
	const char *help;
	bool repeatable;
};

/* The nth flag of a command, from 0; false if there are not so many. */
bool options_flag(enum command command, size_t nth, struct option_flag *flag);

/*
 * Reads argv: a command (run if none is named), flags and arguments.  The
 * texts are borrowed from argv; release the lists with options_finish().
 * False with a text that names the flag, the closest one known, and --help.
 */
bool options_parse(int argc, char *const *argv, enum command *command,
		   struct options *options, struct error *err);
void options_finish(struct options *options);

/* The help of one command, or of all (COMMANDS). */
void options_help(enum command command, FILE *out);

#endif

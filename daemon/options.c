#include "daemon/options.h"

#include <stdlib.h>
#include <string.h>

#include "common/suggest.h"
#include "common/xalloc.h"

#define OF(command) (1u << (command))
#define RUNS OF(COMMAND_RUN)
#define REPLAYS OF(COMMAND_REPLAY)
#define FOLLOWS (RUNS | OF(COMMAND_CHECK))
#define EXPLAINS OF(COMMAND_EXPLAIN)
#define LOADS (FOLLOWS | REPLAYS | EXPLAINS)
#define READS (LOADS | OF(COMMAND_TEST))
#define ANY (OF(COMMANDS) - 1)

enum flag_kind { FLAG_TEXT, FLAG_LIST, FLAG_ON };

struct flag {
	const char *name;
	const char *value; /* what it takes, for the help */
	enum flag_kind kind;
	size_t offset;       /* of a text, a list or a bool in struct options */
	size_t count_offset; /* of a list's count */
	unsigned commands;
	const char *help;
	const char *choices; /* the only values, with a space between; or NULL */
};

#define AT(field) offsetof(struct options, field)

static const struct flag flags[] = {
	{"config.file", "FILE", FLAG_TEXT, AT(config_file), 0, LOADS,
	 "logtally.yml; flags win over it"},
	{"logs", "PATH", FLAG_LIST, AT(logs), AT(log_count), FOLLOWS | EXPLAINS,
	 "directory, file or glob to follow; repeatable"},
	{"patterns", "PATH", FLAG_LIST, AT(patterns), AT(pattern_count), READS,
	 "patterns file or directory; repeatable"},
	{"storage.path", "DIR", FLAG_TEXT, AT(storage_path), 0, RUNS,
	 "where state is kept (./data); \"\": nowhere"},
	{"storage.sync", "HOW", FLAG_TEXT, AT(storage_sync), 0, RUNS,
	 "normal, or full: wait for the disk (normal)", "normal full"},
	{"hash.key-file", "FILE", FLAG_TEXT, AT(hash_key_file), 0, LOADS,
	 "the secret of labels with hash: true"},
	{"workers", "N", FLAG_TEXT, AT(workers), 0, RUNS | REPLAYS,
	 "threads that read (the cores, at most 4)"},
	{"web.listen-address", "ADDR", FLAG_TEXT, AT(listen_address), 0,
	 RUNS | OF(COMMAND_HEALTHCHECK), "HOST:PORT (127.0.0.1:8001)"},
	{"web.telemetry-path", "PATH", FLAG_TEXT, AT(telemetry_path), 0, RUNS,
	 "where metrics are served (/metrics)"},
	{"web.enable-lifecycle", NULL, FLAG_ON, AT(enable_lifecycle), 0, RUNS,
	 "allow POST /-/reload"},
	{"format", "FORMAT", FLAG_TEXT, AT(format), 0, REPLAYS,
	 "prometheus or json (prometheus)", "prometheus json"},
	{"as", "PATH", FLAG_TEXT, AT(as), 0, REPLAYS,
	 "as which path everything read counts, - too"},
	{"as", "PATH", FLAG_TEXT, AT(as), 0, EXPLAINS,
	 "from which path the lines come"},
	{"file", "FILE", FLAG_LIST, AT(files), AT(file_count), EXPLAINS,
	 "a file of lines, also .gz and .zst; repeatable"},
	{"all", NULL, FLAG_ON, AT(all), 0, EXPLAINS,
	 "show every rule, not only the closest"},
	{"format", "FORMAT", FLAG_TEXT, AT(format), 0, EXPLAINS, "text or json (text)",
	 "text json"},
	{"color", "WHEN", FLAG_TEXT, AT(color), 0, EXPLAINS,
	 "auto, always or never (auto)", "auto always never"},
	{"only", "WORD", FLAG_TEXT, AT(only), 0, OF(COMMAND_TEST),
	 "only the tests whose name has this in it"},
	{"junit", "FILE", FLAG_TEXT, AT(junit), 0, OF(COMMAND_TEST),
	 "write the results there, too, as JUnit does"},
	{"own-metrics", NULL, FLAG_ON, AT(own_metrics), 0, REPLAYS,
	 "print logtally_lines_total and the like as well"},
	{"log.level", "LEVEL", FLAG_TEXT, AT(log_level), 0, RUNS | REPLAYS,
	 "debug, info, warn or error (info)", "debug info warn error"},
	{"log.format", "FORMAT", FLAG_TEXT, AT(log_format), 0, RUNS | REPLAYS,
	 "logfmt or json (logfmt)", "logfmt json"},
	{"strict", NULL, FLAG_ON, AT(strict), 0, OF(COMMAND_CHECK),
	 "fail on warnings, too"},
	{"verbose", NULL, FLAG_ON, AT(verbose), 0, OF(COMMAND_CHECK),
	 "say by which texts each rule's lines are found"},
	{"help", NULL, FLAG_ON, AT(help), 0, ANY, "this text"},
};
#define FLAG_COUNT (sizeof(flags) / sizeof(flags[0]))

static const struct {
	const char *name;
	const char *arguments; /* NULL: takes none */
	const char *help;
} commands[COMMANDS] = {
	[COMMAND_RUN] = {"run", NULL, "follow and serve (the default)"},
	[COMMAND_CHECK] = {"check", "[PATTERNS...]",
			   "validate configuration and patterns"},
	[COMMAND_TEST] = {"test", "[PATTERNS...]",
			  "run the tests that patterns files carry"},
	[COMMAND_EXPLAIN] = {"explain", "['LINE'...]",
			     "say why lines match, or do not"},
	[COMMAND_REPLAY] = {"replay", "[FILES...]",
			    "read whole files once and print the metrics"},
	[COMMAND_HEALTHCHECK] = {"healthcheck", "[ADDR]",
				 "exit 0 if the daemon there is ready"},
	[COMMAND_COMPLETION] = {"completion", "bash|zsh",
				"print a script that completes this command line"},
	[COMMAND_VERSION] = {"version", NULL, "print the version"},
};

const char *command_name(enum command command)
{
	return commands[command].name;
}

const char *command_arguments(enum command command)
{
	return commands[command].arguments;
}

const char *command_help(enum command command)
{
	return commands[command].help;
}

bool options_flag(enum command command, size_t nth, struct option_flag *flag)
{
	for (size_t i = 0; i < FLAG_COUNT; i++) {
		if (!(flags[i].commands & OF(command)) || nth-- > 0)
			continue;
		*flag = (struct option_flag){.name = flags[i].name,
					     .value = flags[i].value,
					     .choices = flags[i].choices,
					     .help = flags[i].help,
					     .repeatable = flags[i].kind == FLAG_LIST};
		return true;
	}
	return false;
}

static bool find_command(const char *word, enum command *command, struct error *err)
{
	const char *names[COMMANDS];
	const char *closest;

	for (int i = 0; i < COMMANDS; i++) {
		names[i] = commands[i].name;
		if (strcmp(word, names[i]) == 0) {
			*command = (enum command)i;
			return true;
		}
	}
	closest = suggest_closest(word, names, COMMANDS);
	if (closest)
		return error_set(err, "unknown command %s: did you mean %s?", word,
				 closest);
	return error_set(err, "unknown command %s: see logtally --help", word);
}

static bool unknown_flag(const char *name, enum command command, struct error *err)
{
	const char *names[FLAG_COUNT];
	const char *closest;
	size_t count = 0;

	for (size_t i = 0; i < FLAG_COUNT; i++)
		if (flags[i].commands & OF(command))
			names[count++] = flags[i].name;
	closest = suggest_closest(name, names, count);
	if (closest)
		return error_set(err, "%s has no flag --%s: did you mean --%s?",
				 commands[command].name, name, closest);
	return error_set(err, "%s has no flag --%s: see logtally %s --help",
			 commands[command].name, name, commands[command].name);
}

static const struct flag *find_flag(const char *name, size_t len, enum command command)
{
	for (size_t i = 0; i < FLAG_COUNT; i++)
		if ((flags[i].commands & OF(command)) && strlen(flags[i].name) == len &&
		    memcmp(flags[i].name, name, len) == 0)
			return &flags[i];
	return NULL;
}

static void add_text(const char ***list, size_t *count, const char *text)
{
	*list = xgrow(*list, *count, sizeof(**list));
	(*list)[(*count)++] = text;
}

static void store_flag(struct options *options, const struct flag *flag,
		       const char *value)
{
	char *base = (char *)options;

	if (flag->kind == FLAG_ON)
		*(bool *)(void *)(base + flag->offset) = true;
	else if (flag->kind == FLAG_TEXT)
		*(const char **)(void *)(base + flag->offset) = value;
	else
		add_text((const char ***)(void *)(base + flag->offset),
			 (size_t *)(void *)(base + flag->count_offset), value);
}

/* argv[*i] is a flag; moves *i to its last word. */
static bool parse_flag(int argc, char *const *argv, int *i, enum command command,
		       struct options *options, struct error *err)
{
	const char *name = argv[*i] + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	const struct flag *flag = find_flag(name, len, command);
	char *typed;
	bool ok;

	if (flag && flag->kind == FLAG_ON && value)
		return error_set(err, "--%s takes no value", flag->name);
	if (flag && flag->kind != FLAG_ON && !value) {
		if (*i + 1 >= argc)
			return error_set(err, "--%s needs a value: --%s %s", flag->name,
					 flag->name, flag->value);
		value = argv[++*i];
	}
	if (flag) {
		store_flag(options, flag, value);
		return true;
	}
	typed = xstrndup(name, len);
	ok = unknown_flag(typed, command, err);
	free(typed);
	return ok;
}

/* Of a command that takes flags alone. */
static bool unknown_word(const char *word, enum command command, struct error *err)
{
	if (word[0] == '-')
		return error_set(err, "%s is no flag: flags begin with --", word);
	return error_set(err, "%s takes no argument: what is \"%s\"?",
			 commands[command].name, word);
}

static bool parse_words(int argc, char *const *argv, int first, enum command command,
			struct options *options, struct error *err)
{
	bool flags_end = false;

	for (int i = first; i < argc; i++) {
		if (!flags_end && strcmp(argv[i], "--") == 0) {
			flags_end = true;
		} else if (!flags_end && strcmp(argv[i], "-h") == 0) {
			options->help = true;
		} else if (!flags_end && strncmp(argv[i], "--", 2) == 0) {
			if (!parse_flag(argc, argv, &i, command, options, err))
				return false;
		} else if (!commands[command].arguments) {
			return unknown_word(argv[i], command, err);
		} else {
			add_text(&options->arguments, &options->argument_count,
				 argv[i]);
		}
	}
	return true;
}

bool options_parse(int argc, char *const *argv, enum command *command,
		   struct options *options, struct error *err)
{
	int first = 1;

	*options = (struct options){0};
	*command = COMMAND_RUN;
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		*command = COMMAND_VERSION;
		return true;
	}
	if (argc > 1 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		*command = COMMANDS;
		options->help = true;
		return true;
	}
	if (argc > 1 && argv[1][0] != '-') {
		if (!find_command(argv[1], command, err))
			return false;
		first = 2;
	}
	options->needs_hash_key = OF(*command) & (RUNS | REPLAYS);
	return parse_words(argc, argv, first, *command, options, err);
}

void options_finish(struct options *options)
{
	free(options->logs);
	free(options->patterns);
	free(options->files);
	free(options->arguments);
	*options = (struct options){0};
}

static void print_flags(unsigned of, FILE *out)
{
	for (size_t i = 0; i < FLAG_COUNT; i++) {
		char left[64];

		if (!(flags[i].commands & of))
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", flags[i].name,
			 flags[i].value ? " " : "",
			 flags[i].value ? flags[i].value : "");
		fprintf(out, "  %-28s %s\n", left, flags[i].help);
	}
}

void options_help(enum command command, FILE *out)
{
	if (command == COMMANDS) {
		fputs("usage: logtally [COMMAND] [FLAGS]: metrics from log files, for "
		      "Prometheus\n\n",
		      out);
		for (int i = 0; i < COMMANDS; i++)
			fprintf(out, "  %-28s %s\n", commands[i].name,
				commands[i].help);
		fputs("\nflags of run; each command has --help:\n", out);
		print_flags(RUNS, out);
		return;
	}
	fprintf(out, "usage: logtally %s [FLAGS]%s%s\n\n%s\n\n", commands[command].name,
		commands[command].arguments ? " " : "",
		commands[command].arguments ? commands[command].arguments : "",
		commands[command].help);
	print_flags(OF(command), out);
}

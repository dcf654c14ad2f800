#include "daemon/commands.h"

#include <string.h>

#include "daemon/setup.h"
#include "parsers/finding.h"

static const char *s(size_t count)
{
	return count == 1 ? "" : "s";
}

static void print_findings(const struct setup *setup)
{
	struct strbuf out = STRBUF_INIT;

	finding_describe(setup->patterns, &out);
	fputs(out.ptr, stdout);
	strbuf_finish(&out);
}

/* Arguments are patterns, as --patterns. */
int command_check(const struct options *options)
{
	struct options all = *options;
	struct diag *diag = diag_create();
	struct strbuf out = STRBUF_INIT;
	struct setup *setup;
	size_t warnings;
	int status = 1;

	if (all.argument_count > 0) {
		all.patterns = all.arguments;
		all.pattern_count = all.argument_count;
	}
	if (!all.config_file && all.pattern_count == 0) {
		fputs("logtally: nothing to check: give PATTERNS, --patterns or "
		      "--config.file\n",
		      stderr);
		diag_destroy(diag);
		return 2;
	}
	all.lint = true;
	setup = setup_load(&all, diag);
	warnings = diag_warnings(diag);
	diag_render(diag, &out);
	fputs(out.ptr, stderr);
	if (setup) {
		size_t files = patterns_file_count(setup->patterns);
		size_t rules = patterns_rule_count(setup->patterns), metrics;

		if (options->verbose)
			print_findings(setup);
		patterns_metrics(setup->patterns, &metrics);
		printf("%zu patterns file%s, %zu rule%s, %zu metric%s: ", files,
		       s(files), rules, s(rules), metrics, s(metrics));
		if (warnings == 0)
			puts("ok");
		else
			printf("%zu warning%s\n", warnings, s(warnings));
		status = options->strict && warnings > 0;
	} else {
		size_t errors = diag_errors(diag);

		fprintf(stderr, "%zu error%s, %zu warning%s\n", errors, s(errors),
			warnings, s(warnings));
	}
	setup_destroy(setup);
	strbuf_finish(&out);
	diag_destroy(diag);
	return status;
}

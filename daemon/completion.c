#include "daemon/completion.h"

#include <string.h>

#include "daemon/options.h"

/* What stands for an argument or a value decides how it is completed. */
static bool is_file(const char *what)
{
	return what && (strstr(what, "FILE") || strstr(what, "PATH") ||
			strstr(what, "PATTERNS"));
}

static bool is_directory(const char *what)
{
	return what && strstr(what, "DIR");
}

/* The shells that `completion` takes, the only arguments of a fixed set. */
static void print_argument_words(enum command command, FILE *out)
{
	const char *arguments = command_arguments(command);

	if (!arguments || !strchr(arguments, '|'))
		return;
	for (const char *c = arguments; *c; c++)
		fputc(*c == '|' ? ' ' : *c, out);
}

/* -- bash ----------------------------------------------------------------- */

static void bash_flags(enum command command, FILE *out)
{
	struct option_flag flag;

	for (size_t i = 0; options_flag(command, i, &flag); i++)
		fprintf(out, "%s--%s", i ? " " : "", flag.name);
}

static void bash_command(enum command command, FILE *out)
{
	fprintf(out, "    %s)\n        flags='", command_name(command));
	bash_flags(command, out);
	fputs("' words='", out);
	print_argument_words(command, out);
	fprintf(out, "' arguments=%s ;;\n",
		is_file(command_arguments(command)) ? "file" : "");
}

static void bash_values(enum command command, FILE *out)
{
	const char *name = command_name(command);
	struct option_flag flag;

	for (size_t i = 0; options_flag(command, i, &flag); i++) {
		if (!flag.value)
			continue;
		fprintf(out, "    %s--%s) ", name, flag.name);
		if (flag.choices)
			fprintf(out, "words='%s' ;;\n", flag.choices);
		else if (is_directory(flag.value))
			fputs("action=directory ;;\n", out);
		else
			fprintf(out, "action=%s ;;\n",
				is_file(flag.value) ? "file" : "none");
	}
}

static const char bash_begin[] =
	"# bash completion for logtally, made by `logtally completion bash`\n"
	"_logtally()\n"
	"{\n"
	"    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	"    local command=run commands flags words= action= arguments=\n"
	"    COMPREPLY=()\n"
	"    # bash takes --flag=value for three words.\n"
	"    if [[ $cur == = ]]; then\n"
	"        cur=\n"
	"    elif [[ $prev == = ]]; then\n"
	"        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
	"    fi\n"
	"    [[ ${COMP_WORDS[1]} == -* || $COMP_CWORD == 1 ]] || "
	"command=${COMP_WORDS[1]}\n"
	"    commands='";

static const char bash_end[] =
	"    *) action=flag ;;\n"
	"    esac\n"
	"    if [[ $action == flag && $cur != -* ]]; then\n"
	"        action=${arguments:-words}\n"
	"        [[ $COMP_CWORD == 1 ]] && words=$commands action=words\n"
	"    fi\n"
	"    case $action in\n"
	"    flag) mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$cur\") ;;\n"
	"    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen "
	"-f -- \"$cur\") ;;\n"
	"    directory) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < "
	"<(compgen -d -- \"$cur\") ;;\n"
	"    none) ;;\n"
	"    *) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\") ;;\n"
	"    esac\n"
	"}\n"
	"complete -F _logtally logtally\n";

void completion_bash(FILE *out)
{
	fputs(bash_begin, out);
	for (int i = 0; i < COMMANDS; i++)
		fprintf(out, "%s ", command_name((enum command)i));
	fputs("--version --help'\n    case $command in\n", out);
	for (int i = 0; i < COMMANDS; i++)
		bash_command((enum command)i, out);
	fputs("    *) return ;;\n    esac\n    case $command$prev in\n", out);
	for (int i = 0; i < COMMANDS; i++)
		bash_values((enum command)i, out);
	fputs(bash_end, out);
}

/* -- zsh ------------------------------------------------------------------ */

/* Inside single quotes; a bracket or colon would end what _arguments reads. */
static void zsh_text(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (strchr("[]:\\", *text))
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static void zsh_flag(const struct option_flag *flag, FILE *out)
{
	fprintf(out, " \\\n            '%s--%s%s[", flag->repeatable ? "*" : "",
		flag->name, flag->value ? "=" : "");
	zsh_text(flag->help, out);
	fputc(']', out);
	if (flag->value) {
		fprintf(out, ":%s:", flag->value);
		if (flag->choices)
			fprintf(out, "(%s)", flag->choices);
		else if (is_directory(flag->value))
			fputs("_files -/", out);
		else
			fputs(is_file(flag->value) ? "_files" : " ", out);
	}
	fputc('\'', out);
}

static void zsh_arguments(enum command command, FILE *out)
{
	const char *arguments = command_arguments(command);

	if (!arguments)
		return;
	fputs(" \\\n            '*:", out);
	zsh_text(arguments, out);
	fputc(':', out);
	if (strchr(arguments, '|')) {
		fputc('(', out);
		print_argument_words(command, out);
		fputc(')', out);
	} else {
		fputs(is_file(arguments) ? "_files" : " ", out);
	}
	fputc('\'', out);
}

static void zsh_command(enum command command, FILE *out)
{
	struct option_flag flag;

	fprintf(out, "    %s)\n        _arguments -S", command_name(command));
	for (size_t i = 0; options_flag(command, i, &flag); i++)
		zsh_flag(&flag, out);
	zsh_arguments(command, out);
	fputs(" ;;\n", out);
}

void completion_zsh(FILE *out)
{
	fputs("#compdef logtally\n"
	      "# zsh completion for logtally, made by `logtally completion zsh`\n"
	      "_logtally() {\n"
	      "    local command=run\n"
	      "    local -a commands=(",
	      out);
	for (int i = 0; i < COMMANDS; i++) {
		fprintf(out, "\n        '%s:", command_name((enum command)i));
		zsh_text(command_help((enum command)i), out);
		fputc('\'', out);
	}
	fputs(")\n"
	      "    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
	      "        _describe command commands\n"
	      "        return\n"
	      "    fi\n"
	      "    if [[ $words[2] != -* ]]; then\n"
	      "        command=$words[2]\n"
	      "        shift words\n"
	      "        (( CURRENT-- ))\n"
	      "    fi\n"
	      "    case $command in\n",
	      out);
	for (int i = 0; i < COMMANDS; i++)
		zsh_command((enum command)i, out);
	fputs("    esac\n"
	      "}\n"
	      "if [[ $funcstack[1] == _logtally ]]; then\n"
	      "    _logtally \"$@\"\n"
	      "else\n"
	      "    compdef _logtally logtally\n"
	      "fi\n",
	      out);
}

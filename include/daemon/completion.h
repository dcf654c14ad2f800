/*
 * completion.h - scripts by which shells complete logtally's command line.
 *
 * Made from the table of commands and flags (options.h), so that they know
 * what the command line knows.  They ask nothing of logtally while they run.
 */
#ifndef DAEMON_COMPLETION_H
#define DAEMON_COMPLETION_H

#include <stdio.h>

/* For bash 4 or newer: to be sourced, or read by bash-completion. */
void completion_bash(FILE *out);

/* For zsh: a file _logtally in a directory of $fpath. */
void completion_zsh(FILE *out);

#endif

/*
 * config_loader.h - what the parts of the configuration's loader share.
 *
 * Internal to config.c, which reads all keys but `logs`, and config_logs.c, which reads
 * that.  Each reports all errors that it finds and leaves something usable behind.
 */
#ifndef DAEMON_CONFIG_LOADER_H
#define DAEMON_CONFIG_LOADER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/diag.h"
#include "daemon/config.h"
#include "parsers/yaml.h"

#define KEYS(array) array, sizeof(array) / sizeof((array)[0])

struct config_loader {
	struct config *config;
	struct diag *diag;
	const char *directory; /* paths in the file are relative to it */
};

/* The index of a word; -1 after an error.  `what` names the key. */
int config_choose(struct config_loader *l, const char *text, struct position at,
		  const char *what, const char *const *words, size_t count);

/* Likewise of a key of a mapping; false, and *index as it was, if it is left out. */
bool config_load_choice(struct config_loader *l, const struct yaml_node *mapping,
			const char *key, const char *const *words, size_t count,
			int *index);

/* `true`; false if the key is left out, is `false`, or neither, which is an error. */
bool config_load_flag(struct config_loader *l, const struct yaml_node *mapping,
		      const char *key);

/*
 * Absolute, in the arena; `..` in it stays, which depends on the disk.  `directory` is
 * what it is relative to; NULL: the process's.
 */
const char *config_path(struct config_loader *l, const char *directory,
			const char *path);

/* Another root, with what an entry has that says nothing but its path. */
struct discovery_root *config_add_root(struct config_loader *l, const char *path);

void config_load_logs(struct config_loader *l, const struct yaml_node *root);

#endif

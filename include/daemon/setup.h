/*
 * setup.h - one configuration, loaded: what runs until the next reload.
 */
#ifndef DAEMON_SETUP_H
#define DAEMON_SETUP_H

#include "common/diag.h"
#include "daemon/config.h"
#include "daemon/options.h"
#include "exporter/registry.h"
#include "parsers/patterns.h"
#include "parsers/source.h"

/* Immutable, shared by the workers. */
struct setup {
	struct config *config;
	struct patterns *patterns;
	struct roots *roots;   /* those of `config`; NULL: all are alike for a path */
	struct schema *schema; /* own metrics first; NULL before setup_bind() */
};

/*
 * NULL after an error in `diag`.  Without a key for hashed labels: an error if
 * options->needs_hash_key, else warnings and PSEUDONYM_TEST_KEY.
 */
struct setup *setup_load(const struct options *options, struct diag *diag);
/* Likewise; errors and warnings go to stderr. */
struct setup *setup_load_or_print(const struct options *options);
void setup_destroy(struct setup *setup); /* NULL is accepted */

/* Gives every metric its family. */
void setup_bind(struct setup *setup, struct registry *registry);
/* As before setup_bind(). */
void setup_unbind(struct setup *setup);

/* A followed path as this configuration's rules see it. */
struct source *setup_source(const struct setup *setup, const char *path,
			    struct regex_scratch *scratch);

#endif

/*
 * A text as a patterns file, which is there just as long as it takes to load it.
 * The caller destroys what it gets.
 */
#ifndef PARSERS_FIXTURE_H
#define PARSERS_FIXTURE_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/strbuf.h"
#include "parsers/patterns.h"

/* NULL if it has errors.  The paths of `options` are set here. */
static inline struct patterns *
patterns_of_text(const char *yaml, struct patterns_options options, struct diag *diag)
{
	char path[] = "/tmp/patterns-XXXXXX.yml";
	int fd = mkstemps(path, 4);
	const char *const paths[] = {path};
	struct patterns *patterns;

	cr_assert_eq(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
	close(fd);
	options.paths = paths;
	options.path_count = 1;
	patterns = patterns_load(&options, diag);
	unlink(path);
	return patterns;
}

/* As above, of a text without errors. */
static inline struct patterns *patterns_of_good_text(const char *yaml,
						     struct patterns_options options)
{
	struct diag *diag = diag_create();
	struct patterns *patterns = patterns_of_text(yaml, options, diag);
	struct strbuf errors = STRBUF_INIT;

	diag_render(diag, &errors);
	cr_assert(patterns, "%s", errors.ptr);
	strbuf_finish(&errors);
	diag_destroy(diag);
	return patterns;
}

#endif

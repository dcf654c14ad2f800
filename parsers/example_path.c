#include "parsers/example_path.h"

#include "common/glob.h"
#include "common/strbuf.h"

/* Appends the glob without its magic; `with` stands for what `*` matches. */
static void fill_glob(struct strbuf *out, const char *glob, const char *with)
{
	for (const char *p = glob; *p; p++) {
		if (*p == '*') {
			strbuf_puts(out, with);
			while (p[1] == '*')
				p++;
		} else if (*p == '?') {
			strbuf_putc(out, 'x');
		} else if (*p == '[' && p[1] && strchr(p, ']')) {
			strbuf_putc(out, p[1]);
			p = strchr(p, ']');
		} else if (*p != '\\') {
			strbuf_putc(out, *p);
		}
	}
}

/* By the first of its globs. */
const char *example_path(const struct patterns_file *file, struct arena *arena)
{
	static const char *const fillers[] = {"", "test", "a/test.log"};
	const char *found = NULL;

	if (file->file_glob_count == 0)
		return "/logs/test.log";
	for (size_t i = 0; i < 3 && !found; i++) {
		const char *glob = file->files[0];
		struct strbuf path = STRBUF_INIT;

		strbuf_puts(&path, *glob == '/' ? "" : "/logs/");
		fill_glob(&path, glob, fillers[i]);
		if (glob_match_path(glob, path.ptr))
			found = arena_strdup(arena, path.ptr);
		strbuf_finish(&path);
	}
	return found;
}

#include "daemon/pattern_watch.h"

#include <sys/stat.h>
#include <xxhash.h>

#include "common/arena.h"
#include "common/clock.h"
#include "parsers/patterns_list.h"

static void add_file(XXH3_state_t *hash, const char *path)
{
	struct stat st;
	struct {
		uint64_t device, inode;
		int64_t size, seconds, nanoseconds;
	} look = {0};

	if (stat(path, &st) == 0) {
		look.device = st.st_dev;
		look.inode = st.st_ino;
		look.size = st.st_size;
		look.seconds = st.st_mtim.tv_sec;
		look.nanoseconds = st.st_mtim.tv_nsec;
	}
	XXH3_64bits_update(hash, path, strlen(path) + 1);
	XXH3_64bits_update(hash, &look, sizeof(look));
}

uint64_t pattern_watch_look(const char *const *paths, size_t count)
{
	XXH3_state_t *hash = XXH3_createState();
	struct arena *arena = arena_create();
	uint64_t digest;

	XXH3_64bits_reset(hash);
	for (size_t i = 0; i < count; i++) {
		const char *const *files;
		struct error err;
		size_t n;

		if (!patterns_list(paths[i], arena, &files, &n, &err))
			add_file(hash, paths[i]);
		for (size_t j = 0; j < n; j++)
			add_file(hash, files[j]);
	}
	digest = XXH3_64bits_digest(hash);
	XXH3_freeState(hash);
	arena_destroy(arena);
	return digest;
}

bool pattern_watch_changed(struct pattern_watch *watch, const char *const *paths,
			   size_t count, int64_t now_ns)
{
	uint64_t look = pattern_watch_look(paths, count);

	if (look != watch->present) {
		watch->present = look;
		watch->since_ns = now_ns;
		return false;
	}
	if (look == watch->loaded || now_ns - watch->since_ns < NS_PER_SECOND)
		return false;
	watch->loaded = look;
	return true;
}

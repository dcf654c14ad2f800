#include "daemon/open_records.h"

#include <string.h>

/* Each entry begins with one; they are aligned, for the lines behind a record. */
struct entry {
	struct open_record open; /* its pointers mean nothing */
	size_t path_len;         /* of an entry that is a path; else 0 */
};

#define ALIGNED(bytes) (((bytes) + 15) & ~(size_t)15)

void open_records_finish(struct open_records *records)
{
	strbuf_finish(&records->packed);
}

static void add_bytes(struct open_records *records, const void *bytes, size_t len)
{
	static const char padding[16];
	struct strbuf *out = &records->packed;

	if (len > 0)
		strbuf_add(out, bytes, len);
	strbuf_add(out, padding, ALIGNED(out->len) - out->len);
}

void open_records_path(struct open_records *records, const char *path)
{
	struct entry entry = {.path_len = strlen(path)};

	add_bytes(records, &entry, sizeof(entry));
	add_bytes(records, path, entry.path_len + 1);
}

void open_records_add(struct open_records *records, const struct open_record *open)
{
	struct entry entry = {.open = *open};

	add_bytes(records, &entry, sizeof(entry));
	add_bytes(records, open->patterns.ptr, open->patterns.len);
	add_bytes(records, open->text.ptr, open->text.len);
	add_bytes(records, open->lines, open->line_count * sizeof(*open->lines));
}

static const char *take(const char **at, size_t len)
{
	const char *taken = *at;

	*at += ALIGNED(len);
	return taken;
}

void open_records_each(const struct open_records *records,
		       const struct open_records_visitor *visitor, void *ctx)
{
	const char *at = records->packed.ptr, *path = NULL;
	const char *end = at + records->packed.len;

	while (at < end) {
		struct entry entry;
		struct open_record *open = &entry.open;

		memcpy(&entry, take(&at, sizeof(entry)), sizeof(entry));
		if (entry.path_len > 0) {
			path = take(&at, entry.path_len + 1);
			visitor->path(ctx, path);
			continue;
		}
		open->patterns.ptr = take(&at, open->patterns.len);
		open->text.ptr = take(&at, open->text.len);
		open->lines = (const void *)take(&at, open->line_count *
							      sizeof(*open->lines));
		visitor->record(ctx, path, open);
	}
}

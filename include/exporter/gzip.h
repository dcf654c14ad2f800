/*
 * gzip.h - a response compressed while it is read.
 *
 * Pulls from a source and gives a gzip file (RFC 1952), as quickly as zlib
 * can: a scrape is sent once and thrown away.
 */
#ifndef EXPORTER_GZIP_H
#define EXPORTER_GZIP_H

#include <stdbool.h>
#include <stddef.h>

/* Fills up to `size_bytes`; returns the count, 0 at the end. */
typedef size_t (*gzip_source)(void *ctx, char *out, size_t size_bytes);

struct gzip;

struct gzip *gzip_create(gzip_source source, void *ctx);
void gzip_destroy(struct gzip *gzip); /* NULL is accepted */

/* Fills up to `size_bytes` (at least 1); returns the count, 0 at the end. */
size_t gzip_read(struct gzip *gzip, char *out, size_t size_bytes);

/*
 * True if a request with this Accept-Encoding (NULL: it has none) takes gzip:
 * named, or covered by `*`, with a q above 0.
 */
bool gzip_accepted(const char *accept_encoding);

#endif

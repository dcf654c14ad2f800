/*
 * adrift.h - files that have no name now: the newest first, and by inode number.
 *
 * Such a file may be found again under another name, or be gone for good.
 *
 * For the catalog.
 */
#ifndef TAILER_ADRIFT_H
#define TAILER_ADRIFT_H

#include <stdint.h>

struct adrift_files;
struct adrift; /* one of them */
struct known;

struct adrift_files *adrift_files_create(void);
void adrift_files_destroy(struct adrift_files *files); /* NULL is accepted */

struct adrift *adrift_begin(struct adrift_files *files, struct known *known,
			    uint64_t inode);
void adrift_end(struct adrift_files *files, struct adrift *adrift);

/* NULL: there is none. */
struct known *adrift_with_inode(const struct adrift_files *files, uint64_t inode);

/* The last that began, and the one that began before; NULL: there is none. */
struct adrift *adrift_newest(const struct adrift_files *files);
struct adrift *adrift_older(const struct adrift *adrift);
struct known *adrift_known(const struct adrift *adrift);
int64_t adrift_since_ns(const struct adrift *adrift); /* monotonic */

#endif

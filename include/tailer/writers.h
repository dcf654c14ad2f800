/* writers.h - does any process still have a file open for writing? */
#ifndef TAILER_WRITERS_H
#define TAILER_WRITERS_H

enum writers {
	WRITERS_NONE,
	WRITERS_SOME,
	WRITERS_UNKNOWN, /* not our file, or the file system cannot tell */
};

/* `fd` is open for reading only. */
enum writers writers_of(int fd);

#endif

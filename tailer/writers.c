#include "tailer/writers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

/*
 * The kernel grants a read lease only on a file that nobody has open for
 * writing.  The lease is given back at once.  Somebody who opens the file in
 * between waits that long, and we get a signal: by default SIGIO, which
 * would end us, so it is made one that is ignored by default.
 */
enum writers writers_of(int fd)
{
	if (fcntl(fd, F_SETSIG, SIGURG) == -1)
		return WRITERS_UNKNOWN;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
		fcntl(fd, F_SETLEASE, F_UNLCK);
		return WRITERS_NONE;
	}
	return errno == EAGAIN ? WRITERS_SOME : WRITERS_UNKNOWN;
}

#include "daemon/notify.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"

/* False if nobody wants to know. */
static bool find_socket(struct sockaddr_un *address, socklen_t *len)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t bytes = path ? strlen(path) : 0;

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (bytes < 2 || bytes >= sizeof(address->sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return false;
	memcpy(address->sun_path, path, bytes);
	if (path[0] == '@')
		address->sun_path[0] = '\0'; /* an abstract name */
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes);
	return true;
}

static void notify(const char *message)
{
	struct sockaddr_un address;
	socklen_t len;
	int fd;

	if (!find_socket(&address, &len))
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	(void)!sendto(fd, message, strlen(message), MSG_NOSIGNAL,
		      (const struct sockaddr *)&address, len);
	close(fd);
}

void notify_ready(void)
{
	notify("READY=1");
}

void notify_reloading(void)
{
	char message[64];

	/* By the time a manager knows which reload the next READY=1 ends. */
	snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)(clock_monotonic_ns() / 1000));
	notify(message);
}

void notify_stopping(void)
{
	notify("STOPPING=1");
}

void notify_status(const char *text)
{
	char message[256];

	snprintf(message, sizeof(message), "STATUS=%.200s", text);
	notify(message);
}

#include "daemon/healthcheck.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/strbuf.h"
#include "exporter/address.h"

#define SCHEME "http://"
#define ANSWER_BYTES 4096

/* One check: where to, until when. */
struct check {
	char text[300]; /* HOST:PORT, for messages and the Host header */
	struct address address;
	int timeout_ms;
	int64_t until_ns;
};

/* Without scheme and path. */
static bool parse(const char *text, struct check *check, struct error *err)
{
	size_t len;

	if (strncmp(text, SCHEME, strlen(SCHEME)) == 0)
		text += strlen(SCHEME);
	len = strcspn(text, "/");
	snprintf(check->text, sizeof(check->text), "%.*s", (int)len, text);
	return address_parse(check->text, &check->address, err);
}

/* Sets errno to ETIMEDOUT once the time is over. */
static bool wait_for(const struct check *check, int fd, short events)
{
	struct pollfd ready = {.fd = fd, .events = events};
	int64_t left_ns;
	int n;

	do {
		left_ns = check->until_ns - clock_monotonic_ns();
		n = left_ns > 0 ? poll(&ready, 1, (int)(left_ns / NS_PER_MS) + 1) : 0;
	} while (n == -1 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	return n == 1;
}

static bool finish_connecting(const struct check *check, int fd)
{
	int failure = 0;
	socklen_t len = sizeof(failure);

	if (errno != EINPROGRESS || !wait_for(check, fd, POLLOUT))
		return false;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len);
	errno = failure;
	return failure == 0;
}

/* -1 and errno on failure. */
static int connect_to(const struct check *check, const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved;

	if (fd == -1)
		return -1;
	if (connect(fd, at->ai_addr, at->ai_addrlen) == 0 ||
	    finish_connecting(check, fd))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static bool fail(const struct check *check, const char *what, struct error *err)
{
	if (errno == ETIMEDOUT)
		return error_set(err, "no answer from %s within %d ms", check->text,
				 check->timeout_ms);
	return error_errno(err, "cannot %s %s", what, check->text);
}

/* To the first address that works. */
static int connect_any(const struct check *check, struct error *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICSERV};
	const char *host = check->address.host[0] ? check->address.host : NULL;
	struct addrinfo *found;
	int failure = getaddrinfo(host, check->address.port, &hints, &found);
	int fd = -1;

	if (failure) {
		error_set(err, "cannot connect to %s: %s", check->text,
			  gai_strerror(failure));
		return -1;
	}
	for (const struct addrinfo *at = found; at && fd == -1; at = at->ai_next)
		fd = connect_to(check, at);
	if (fd == -1)
		fail(check, "connect to", err);
	freeaddrinfo(found);
	return fd;
}

static bool send_request(const struct check *check, int fd)
{
	struct strbuf request = STRBUF_INIT;
	size_t sent = 0;
	bool all;

	strbuf_addf(&request,
		    "GET /-/ready HTTP/1.0\r\nHost: %s\r\n"
		    "User-Agent: logtally-healthcheck\r\n\r\n",
		    check->text);
	while (sent < request.len && wait_for(check, fd, POLLOUT)) {
		ssize_t n =
			send(fd, request.ptr + sent, request.len - sent, MSG_NOSIGNAL);

		if (n == -1 && errno != EAGAIN && errno != EINTR)
			break;
		sent += n > 0 ? (size_t)n : 0;
	}
	all = sent == request.len;
	strbuf_finish(&request);
	return all;
}

/* Until the server closes or there is more than anybody wants to know. */
static bool receive_answer(const struct check *check, int fd, struct strbuf *answer)
{
	while (answer->len < ANSWER_BYTES) {
		char *room = strbuf_room(answer, ANSWER_BYTES);
		ssize_t n;

		if (!wait_for(check, fd, POLLIN))
			return false;
		n = recv(fd, room, ANSWER_BYTES, 0);
		if (n == 0)
			break;
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return false;
		answer->len += n > 0 ? (size_t)n : 0;
		answer->ptr[answer->len] = '\0';
	}
	return true;
}

/* Cuts the text at its first control character, such as the end of the line. */
static const char *first_line(char *text)
{
	char *end = text;

	while (*end && !iscntrl((unsigned char)*end))
		end++;
	*end = '\0';
	return text;
}

/* "HTTP/1.1 503 Service Unavailable", headers, then why not. */
static bool judge(const struct check *check, char *answer, struct error *err)
{
	char *body = strstr(answer, "\r\n\r\n");
	const char *why;
	int status = 0;

	if (sscanf(answer, "HTTP/1.%*1[01] %3d", &status) != 1)
		return error_set(err, "what listens at %s does not speak HTTP",
				 check->text);
	if (status == 200)
		return true;
	why = first_line(body ? body + strlen("\r\n\r\n") : answer + strlen(answer));
	return error_set(err, "not ready: %s%s%s",
			 first_line(answer + strlen("HTTP/1.1 ")), *why ? ": " : "",
			 why);
}

bool healthcheck(const char *address, int timeout_ms, struct error *err)
{
	struct check check = {.timeout_ms = timeout_ms,
			      .until_ns =
				      clock_monotonic_ns() + timeout_ms * NS_PER_MS};
	struct strbuf answer = STRBUF_INIT;
	bool ok = false;
	int fd;

	if (!parse(address, &check, err))
		return false;
	fd = connect_any(&check, err);
	if (fd == -1)
		return false;
	if (!send_request(&check, fd) || !receive_answer(&check, fd, &answer))
		fail(&check, "get an answer from", err);
	else
		ok = judge(&check, answer.ptr, err);
	strbuf_finish(&answer);
	close(fd);
	return ok;
}

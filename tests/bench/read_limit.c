/*
 * read_limit - what reading costs at least: read() and finding each newline.
 *
 *     read_limit FILE
 *
 * Prints the lines.  Nothing that counts lines of a file can be faster by much;
 * tests/bench compares with it in the same run.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_BYTES ((size_t)256 * 1024)

static char block[BLOCK_BYTES];

/* Each line is looked at by itself, as its first reader would have to. */
static unsigned long split(const char *bytes, size_t len)
{
	const char *end = bytes + len, *newline;
	unsigned long lines = 0;

	while ((newline = memchr(bytes, '\n', (size_t)(end - bytes)))) {
		lines++;
		bytes = newline + 1;
	}
	return lines;
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	unsigned long lines = 0;
	ssize_t n;

	if (fd == -1) {
		fputs("usage: read_limit FILE\n", stderr);
		return 2;
	}
	while ((n = read(fd, block, sizeof(block))) > 0)
		lines += split(block, (size_t)n);
	close(fd);
	printf("%lu\n", lines);
	return n == -1;
}

#include "daemon/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"

#define BAR_COLUMNS 24

void progress_begin(struct progress *progress, uint64_t total_bytes)
{
	*progress = (struct progress){.shown = isatty(STDERR_FILENO) == 1,
				      .total_bytes = total_bytes,
				      .start_ns = clock_monotonic_ns()};
}

static void add_bytes(struct strbuf *out, double bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	size_t i = 0;

	while (bytes >= 1000 && i + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1000;
		i++;
	}
	strbuf_addf(out, bytes < 10 && i > 0 ? "%.1f %s" : "%.0f %s", bytes, units[i]);
}

static void add_time(struct strbuf *out, double seconds)
{
	uint64_t whole = (uint64_t)(seconds + 0.5);

	if (whole >= 3600)
		strbuf_addf(out, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, whole / 3600,
			    whole / 60 % 60, whole % 60);
	else
		strbuf_addf(out, "%" PRIu64 ":%02" PRIu64, whole / 60, whole % 60);
}

static void add_bar(struct strbuf *out, double share)
{
	int filled = (int)(share * BAR_COLUMNS);

	strbuf_putc(out, '[');
	for (int i = 0; i < BAR_COLUMNS; i++)
		strbuf_putc(out, i < filled ? '=' : i == filled ? '>' : ' ');
	strbuf_addf(out, "] %3d%%  ", (int)(share * 100));
}

void progress_render(const struct progress *progress, uint64_t done_bytes,
		     int64_t elapsed_ns, struct strbuf *out)
{
	double seconds = (double)elapsed_ns / NS_PER_SECOND;
	double total = (double)progress->total_bytes, done = (double)done_bytes;
	double rate = seconds > 0 ? done / seconds : 0;

	if (done > total && total > 0)
		done = total; /* the file has grown */
	if (total > 0)
		add_bar(out, done / total);
	add_bytes(out, done);
	if (total > 0) {
		strbuf_puts(out, " of ");
		add_bytes(out, total);
	}
	if (rate > 0) {
		strbuf_puts(out, "  ");
		add_bytes(out, rate);
		strbuf_puts(out, "/s  ");
		add_time(out, total > 0 ? (total - done) / rate : seconds);
		strbuf_puts(out, total > 0 ? " left" : " so far");
	}
}

void progress_show(const struct progress *progress, uint64_t done_bytes)
{
	struct strbuf line = STRBUF_INIT;

	if (!progress->shown)
		return;
	strbuf_puts(&line, "\r\033[K");
	progress_render(progress, done_bytes, clock_monotonic_ns() - progress->start_ns,
			&line);
	fputs(line.ptr, stderr);
	fflush(stderr);
	strbuf_finish(&line);
}

void progress_end(const struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
}

#include "daemon/own_metrics.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "exporter/exposition.h"

#define LABELS(...)                                   \
	.labels = (const char *const[]){__VA_ARGS__}, \
	.label_count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

static const double commit_buckets[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
					0.05,   0.1,   0.25,   0.5,   1,    10};

static const struct metric_def table[OWN_METRICS] = {
	[OWN_LINES] = {METRIC_COUNTER, "logtally_lines_total", "Complete lines read."},
	[OWN_BYTES_READ] = {METRIC_COUNTER, "logtally_bytes_read_total",
			    "Bytes of complete lines read; UTF-16 counts as UTF-8."},
	[OWN_UNMATCHED_LINES] = {METRIC_COUNTER, "logtally_unmatched_lines_total",
				 "Lines that no rule of any patterns file matched."},
	[OWN_OVERSIZED_LINES] = {METRIC_COUNTER, "logtally_oversized_lines_total",
				 "Lines over limits.line_bytes, skipped whole."},
	[OWN_MALFORMED_LINES] =
		{METRIC_COUNTER, "logtally_malformed_lines_total",
		 "Lines that are not in the envelope that their log has, or not in the "
		 "format that their patterns file says, among those of which a rule "
		 "asked for a field.",
		 LABELS("reason")},
	[OWN_RECORD_LIMITS] =
		{METRIC_COUNTER, "logtally_record_limits_total",
		 "Records of several lines that ended at a limit: of lines or "
		 "bytes, or as no more lines came.",
		 LABELS("reason")},
	[OWN_LOST_BYTES] = {METRIC_COUNTER, "logtally_lost_bytes_total",
			    "Bytes known to have been written that could not be read.",
			    LABELS("reason")},
	[OWN_LOST_GENERATIONS] = {METRIC_COUNTER, "logtally_lost_generations_total",
				  "Files of which something could not be read.",
				  LABELS("reason")},
	[OWN_ROTATIONS] = {METRIC_COUNTER, "logtally_rotations_total",
			   "Followed paths that were rotated, truncated or deleted.",
			   LABELS("kind")},
	[OWN_RULE_MATCHES] = {METRIC_COUNTER, "logtally_rule_matches_total",
			      "Lines that a rule matched.", LABELS("patterns", "rule")},
	[OWN_RULE_ERRORS] = {METRIC_COUNTER, "logtally_rule_errors_total",
			     "Matches of which something could not be used, by reason.",
			     LABELS("patterns", "rule", "reason")},
	[OWN_RULE_LAST_MATCH] = {METRIC_GAUGE,
				 "logtally_rule_last_match_timestamp_seconds",
				 "When a rule matched last, by the wall clock.",
				 LABELS("patterns", "rule")},
	[OWN_RULE_CPU] = {METRIC_COUNTER, "logtally_rule_cpu_seconds_total",
			  "CPU time that a rule took, estimated from samples.",
			  LABELS("patterns", "rule")},
	[OWN_SCAN_MISSES] =
		{METRIC_COUNTER, "logtally_scan_misses_total",
		 "Rules that a check found to match a line that has none of "
		 "the texts that they are found by; always 0, or a bug."},
	[OWN_BUILD_INFO] = {METRIC_GAUGE, "logtally_build_info",
			    "Always 1; says which version runs.", LABELS("version")},
	[OWN_CATCHING_UP] =
		{METRIC_GAUGE, "logtally_catching_up",
		 "1 until what was there at the start has been read and is shown."},
	[OWN_FILES] = {METRIC_GAUGE, "logtally_files",
		       "Followed paths, by whether their file is open.",
		       LABELS("state")},
	[OWN_FILE_LAG] =
		{METRIC_GAUGE, "logtally_file_lag_bytes",
		 "Bytes of a followed path that are not read yet (the 1000 paths "
		 "that lag most or were written last).",
		 LABELS("file")},
	[OWN_FILE_LAST_LINE] =
		{METRIC_GAUGE, "logtally_file_last_line_timestamp_seconds",
		 "When a line was last read, by the wall clock; at first the "
		 "file's time of change (the same paths).",
		 LABELS("file")},
	[OWN_SERIES] = {METRIC_GAUGE, "logtally_series",
			"Label sets that a metric has, without expired ones.",
			LABELS("metric")},
	[OWN_SERIES_OVERFLOW] = {METRIC_COUNTER, "logtally_series_overflow_total",
				 "Updates that the series limit kept from a series of "
				 "their own.",
				 LABELS("metric")},
	[OWN_SERIES_FORGOTTEN] =
		{METRIC_COUNTER, "logtally_series_forgotten_total",
		 "Expired counters, histograms and summaries whose value was given up, "
		 "as more were hidden than the series limit.",
		 LABELS("metric")},
	[OWN_WATCH_FALLBACKS] = {METRIC_COUNTER, "logtally_watch_fallbacks_total",
				 "Times inotify could not help, by reason.",
				 LABELS("reason")},
	[OWN_COMMIT_DURATION] = {METRIC_HISTOGRAM, "logtally_commit_duration_seconds",
				 "How long it took to save values and positions.",
				 .buckets = commit_buckets,
				 .bucket_count = sizeof(commit_buckets) /
						 sizeof(commit_buckets[0])},
	[OWN_COMMIT_LAST_SUCCESS] =
		{METRIC_GAUGE, "logtally_commit_last_success_timestamp_seconds",
		 "When all that was read was last known to be saved."},
	[OWN_COMMIT_ERRORS] = {METRIC_COUNTER, "logtally_commit_errors_total",
			       "Commits that failed; they are tried again."},
	[OWN_RELOAD_SUCCESSFUL] =
		{METRIC_GAUGE, "logtally_config_last_reload_successful",
		 "1 if the configuration was good the last time it was "
		 "loaded."},
	[OWN_RELOAD_SUCCESS_TIME] =
		{METRIC_GAUGE, "logtally_config_last_reload_success_timestamp_seconds",
		 "When a good configuration was last loaded."},
	[OWN_PROCESS_CPU] = {METRIC_COUNTER, "process_cpu_seconds_total",
			     "User and system CPU time."},
	[OWN_PROCESS_OPEN_FDS] = {METRIC_GAUGE, "process_open_fds",
				  "Open file descriptors."},
	[OWN_PROCESS_MAX_FDS] = {METRIC_GAUGE, "process_max_fds",
				 "Most file descriptors that may be open."},
	[OWN_PROCESS_VIRTUAL_BYTES] = {METRIC_GAUGE, "process_virtual_memory_bytes",
				       "Virtual memory."},
	[OWN_PROCESS_RESIDENT_BYTES] = {METRIC_GAUGE, "process_resident_memory_bytes",
					"Resident memory."},
	[OWN_PROCESS_START_TIME] = {METRIC_GAUGE, "process_start_time_seconds",
				    "When the process started."},
};

const struct metric_def *own_metric(enum own_metric metric)
{
	return &table[metric];
}

void own_metric_header(enum own_metric metric, struct strbuf *out)
{
	exposition_add_header(out, table[metric].name, table[metric].kind,
			      table[metric].help);
}

void own_metric_sample(enum own_metric metric, const char *labels, double value,
		       struct strbuf *out)
{
	exposition_add_sample(out, table[metric].name, labels, value);
}

void own_metric_single(enum own_metric metric, double value, struct strbuf *out)
{
	own_metric_header(metric, out);
	own_metric_sample(metric, "", value, out);
}

static void add_number(struct strbuf *out, const char *name, const char *suffix,
		       const char *labels, double value)
{
	struct strbuf full = STRBUF_INIT;

	strbuf_addf(&full, "%s%s", name, suffix);
	exposition_add_sample(out, full.ptr, labels, value);
	strbuf_finish(&full);
}

void own_metric_histogram(enum own_metric metric, const uint64_t *counts, double sum,
			  struct strbuf *out)
{
	const struct metric_def *def = &table[metric];
	uint64_t count = 0;

	own_metric_header(metric, out);
	for (size_t i = 0; i <= def->bucket_count; i++) {
		struct strbuf le = STRBUF_INIT;

		count += counts[i];
		exposition_add_le(&le,
				  i < def->bucket_count ? def->buckets[i] : INFINITY);
		add_number(out, def->name, "_bucket", le.ptr, (double)count);
		strbuf_finish(&le);
	}
	add_number(out, def->name, "_sum", "", sum);
	add_number(out, def->name, "_count", "", (double)count);
}

/* -- /proc ---------------------------------------------------------------- */

struct process {
	double virtual_bytes, resident_bytes;
	unsigned long long start_ticks; /* since the machine booted */
};

static double boot_seconds(void)
{
	struct timespec wall, since_boot;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_BOOTTIME, &since_boot);
	return (double)(wall.tv_sec - since_boot.tv_sec) +
	       (double)(wall.tv_nsec - since_boot.tv_nsec) / 1e9;
}

/* proc(5), /proc/self/stat: fields 22 (starttime), 23 (vsize), 24 (rss). */
static bool read_process(struct process *p)
{
	char text[1024], *after;
	FILE *f = fopen("/proc/self/stat", "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	unsigned long long vsize;
	long rss;

	if (f)
		fclose(f);
	text[n] = '\0';
	after = strrchr(text, ')'); /* the name before it may hold anything */
	if (!after || sscanf(after + 1,
			     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d"
			     " %*d %*d %*d %*d %*d %llu %llu %ld",
			     &p->start_ticks, &vsize, &rss) != 3)
		return false;
	p->virtual_bytes = (double)vsize;
	p->resident_bytes = (double)rss * (double)sysconf(_SC_PAGESIZE);
	return true;
}

/*
 * Worked out once: the two clocks are never read at the same instant and drift
 * apart, and a value that moves looks like a restart to changes().
 */
static double start_seconds;

static void find_start(void)
{
	struct process process;

	if (read_process(&process))
		start_seconds = boot_seconds() + (double)process.start_ticks /
							 (double)sysconf(_SC_CLK_TCK);
}

/* Since Linux 6.2 the size tells; listing 10,000 takes longer than all else. */
static double count_fds(void)
{
	struct stat st;
	DIR *dir;
	double count = -3; /* ".", ".." and the one that reads */

	if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
		return (double)st.st_size;
	dir = opendir("/proc/self/fd");
	if (!dir)
		return 0;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

void own_metrics_process(struct strbuf *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct process process;
	struct timespec cpu;
	struct rlimit files;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	own_metric_single(OWN_PROCESS_CPU,
			  (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9, out);
	own_metric_single(OWN_PROCESS_OPEN_FDS, count_fds(), out);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		own_metric_single(OWN_PROCESS_MAX_FDS, (double)files.rlim_cur, out);
	if (!read_process(&process))
		return;
	own_metric_single(OWN_PROCESS_VIRTUAL_BYTES, process.virtual_bytes, out);
	own_metric_single(OWN_PROCESS_RESIDENT_BYTES, process.resident_bytes, out);
	pthread_once(&once, find_start);
	own_metric_single(OWN_PROCESS_START_TIME, start_seconds, out);
}

/* -- docs ----------------------------------------------------------------- */

static const char *const kind_names[] = {"counter", "gauge", "histogram"};

void own_metrics_document(struct strbuf *out)
{
	strbuf_puts(out,
		    "# logtally's own metrics\n\n"
		    "Made by `make docs/metrics.md` from the table in "
		    "`daemon/own_metrics.c`.\n\n"
		    "| metric | kind | labels | what it says |\n|---|---|---|---|\n");
	for (int i = 0; i < OWN_METRICS; i++) {
		const struct metric_def *def = &table[i];

		strbuf_addf(out, "| `%s` | %s | ", def->name, kind_names[def->kind]);
		for (size_t j = 0; j < def->label_count; j++)
			strbuf_addf(out, "%s`%s`", j > 0 ? ", " : "", def->labels[j]);
		strbuf_addf(out, " | %s |\n", def->help);
	}
}

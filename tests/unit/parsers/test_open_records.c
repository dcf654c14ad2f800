/* What is open when a block ends goes on in the next one, after a restart, and under
 * other patterns. */
#include "records_fixture.h"

TestSuite(open_records, .init = setup, .fini = teardown);

/* A copy of what is told of an open record, and of all that it points to. */
static struct open_record saved[8];
static size_t saved_count;

static struct slice copy_of(struct slice text)
{
	return (struct slice){xstrndup(text.ptr, text.len), text.len};
}

static void save(void *ctx, const struct open_record *open)
{
	struct open_record *copy = &saved[saved_count++];
	uint32_t *lines = xcalloc(open->line_count, sizeof(*lines));

	(void)ctx;
	*copy = *open;
	copy->patterns = copy_of(open->patterns);
	copy->text = copy_of(open->text);
	memcpy(lines, open->lines, open->line_count * sizeof(*lines));
	copy->lines = lines;
}

static void restore_all(void)
{
	for (size_t i = 0; i < saved_count; i++) {
		engine_restore(engine, source, &saved[i], clock_monotonic_ns(),
			       &counts);
		free((void *)(uintptr_t)saved[i].patterns.ptr);
		free((void *)(uintptr_t)saved[i].text.ptr);
		free((void *)(uintptr_t)saved[i].lines);
	}
	saved_count = 0;
}

/* As a restart does. */
static void start_again(void)
{
	struct slice path = source_path(source);
	char *copy = xstrndup(path.ptr, path.len);

	source_each_open(source, save, NULL);
	source_destroy(source);
	engine_destroy(engine);
	engine = engine_create(patterns, 100000, &ops, NULL);
	source = source_create(patterns, copy, NULL, 0);
	free(copy);
	restore_all();
}

/* The lines of `text`, with a restart before each if `restarts`. */
static void feed_each_line(const char *text, bool restarts)
{
	while (*text) {
		size_t len = strcspn(text, "\n") + 1;
		char *line = xstrndup(text, len);

		if (restarts)
			start_again();
		feed(line);
		free(line);
		text += len;
	}
	end();
}

static const char mixture[] =
	CRI "stdout F 1 ERROR\n" CRI "stderr F Traceback (most recent call last):\n" CRI
	    "stdout P  b\n" CRI "stderr F   File \"x\", line 1\n" CRI "stdout P c\n" CRI
	    "stderr P Val\n" CRI "stdout F d;\nbroken\n" CRI "stderr F ueError: x\n" CRI
	    "stdout F 2 x\n" CRI "stderr F \n" CRI
	    "stderr F During handling of the above exception, another exception "
	    "occurred:\n" CRI "stdout F  y;\n" CRI "stderr F \n" CRI
	    "stderr F Traceback (most recent call last):\n" CRI
	    "stderr F   File \"y\", line 1\n" CRI "stderr F E\n" CRI "stdout P  z\n";

static int by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Streams are told in another order, if blocks are others. */
static void sort_said(void)
{
	char *lines[64], *copy = xstrdup(said.ptr), *rest = copy, *line;
	size_t n = 0;

	while ((line = strsep(&rest, "\n")) && *line)
		lines[n++] = line;
	qsort(lines, n, sizeof(*lines), by_line);
	strbuf_clear(&said);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&said, "%s\n", lines[i]);
	free(copy);
}

Test(open_records, records_do_not_depend_on_how_the_bytes_arrive_or_on_restarts)
{
	static const char *const a = WITH("multiline: python\n", "x|y|z|E"),
				 *const b = WITH("multiline: {end: ';'}\n", "d");
	struct engine_counts whole;
	char *want;

	load(PODS, a, b);
	feed(mixture);
	end();
	sort_said();
	want = xstrdup(said.ptr);
	whole = counts;
	for (int restarts = 0; restarts < 2; restarts++) {
		load(PODS, a, b);
		feed_each_line(mixture, restarts);
		sort_said();
		expect(want);
		cr_expect_eq(counts.lines, whole.lines);
		cr_expect_eq(counts.unmatched_lines, whole.unmatched_lines, "%d of %d",
			     (int)counts.unmatched_lines, (int)whole.unmatched_lines);
		cr_expect_eq(counts.malformed[MALFORMED_CRI], 1);
	}
	cr_expect_gt(whole.unmatched_lines, 0);
	cr_expect_lt(whole.unmatched_lines, whole.lines);
	free(want);
}

Test(open_records, the_mixture_is_joined_at_all)
{
	load_all(PODS, "multiline: {continue: '^(?: |Value|E|During|Trace|$)'}\n");
	feed(mixture);
	end();
	cr_expect(strstr(said.ptr, "1 ERROR~ bcd;\n"));
	cr_expect(strstr(said.ptr, "2 x~ y;~ z\n"));
	cr_expect(strstr(said.ptr, "~ValueError: x~~During handling"));
	cr_expect(strstr(said.ptr, "broken\n"));
}

Test(open_records, a_record_whose_file_joins_no_more_is_complete)
{
	load("/l/a.log", WITH("multiline: {continue: '^ '}\n", "b"), WITH("", "a"));
	feed("a\n b\n");
	expect("a\n");
	source_each_open(source, save, NULL);
	cr_expect_eq(saved_count, 1);
	load("/l/a.log", WITH("", "b"), WITH("", "a"));
	restore_all();
	expect("a~ b\n");
	end();
	cr_expect_eq(counts.unmatched_lines, 0);
	cr_expect_eq(counts.lines, 0);
}

Test(open_records, a_record_of_a_file_that_is_gone_is_dropped)
{
	load("/l/a.log", WITH("", "a"), WITH("multiline: {continue: '^ '}\n", "b"));
	feed("x\n b\n");
	source_each_open(source, save, NULL);
	load("/l/a.log", WITH("", "b"), NULL);
	restore_all();
	end();
	expect("");
	cr_expect_eq(counts.unmatched_lines, 2);
}

Test(open_records, a_record_goes_on_under_new_settings)
{
	load("/l/a.log", WITH("multiline: {continue: '^ '}\n", "a"), NULL);
	feed("a\n b\n");
	source_each_open(source, save, NULL);
	load("/l/a.log", WITH("multiline: {end: ';'}\n", "a"), NULL);
	restore_all();
	feed("c;\nd;\n");
	expect("a~ b~c;\n");
}

Test(open_records, only_what_changed_is_told_to_have_changed)
{
	load_all("/l/a.log", "multiline: {continue: '^ '}\n");
	cr_expect_not(source_open_has_changed(source));
	feed("a\n");
	cr_expect(source_open_has_changed(source));
	cr_expect_not(source_open_has_changed(source));
	end();
	cr_expect(source_open_has_changed(source));
	load_all(PODS, "");
	feed(CRI "stdout F a\n");
	cr_expect_not(source_open_has_changed(source));
}

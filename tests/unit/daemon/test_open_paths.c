/* Which paths with open records are saved with which cut, and when records are closed.
 */
#include "daemon/open_paths.h"

#include "common/clock.h"
#include "common/shared_text.h"
#include "parsers/engine.h"
#include "parsers/rule.h"

#include "../parsers/fixture.h"

static struct patterns *patterns;
static struct engine *engine;
static struct source *source;
static struct open_paths *paths;
static struct open_path *place;
static const char *name;
static struct strbuf told = STRBUF_INIT;

static enum update_result on_update(void *ctx, const struct update *update)
{
	(void)ctx;
	(void)update;
	return UPDATE_DONE;
}

static void on_error(void *ctx, size_t rule, enum rule_error error)
{
	(void)ctx, (void)rule, (void)error;
}

static const struct engine_ops ops = {.update = on_update, .error = on_error};

static void setup(void)
{
	static const char yaml[] = "multiline: {continue: '^ ', max_age: 1h}\n"
				   "rules: [{name: a, pattern: 'a'}]\n";

	patterns = patterns_of_good_text(yaml, (struct patterns_options){0});
	engine = engine_create(patterns, 1000, &ops, NULL);
	source = source_create(patterns, "/l/a", NULL, 0);
	paths = open_paths_create();
	name = shared_text_create(slice_of("/l/a"));
}

static void teardown(void)
{
	open_paths_destroy(paths);
	cr_expect_null(place);
	shared_text_unref(name);
	source_destroy(source);
	engine_destroy(engine);
	patterns_destroy(patterns);
	strbuf_finish(&told);
}

TestSuite(open_paths, .init = setup, .fini = teardown);

static void feed(const char *lines)
{
	struct engine_counts counts = {0};

	engine_feed(engine, source, &(struct block){.bytes = slice_of(lines)}, &counts);
	open_paths_note(paths, &place, name, source);
}

static void close_source(void *ctx, struct source *closed)
{
	struct engine_counts counts = {0};

	(void)ctx;
	cr_expect_eq(closed, source);
	engine_close(engine, source, INT64_MAX, &counts);
	strbuf_puts(&told, "closed ");
}

static void tell_path(void *ctx, const char *path)
{
	(void)ctx;
	strbuf_addf(&told, "%s:", path);
}

static void tell_record(void *ctx, const char *path, const struct open_record *open)
{
	(void)ctx;
	(void)path;
	strbuf_addf(&told, "%.*s ", SLICE_ARG(open->text));
}

static void save(uint64_t sequence, uint64_t saved, const char *want)
{
	static const struct open_records_visitor visitor = {tell_path, tell_record};
	struct open_records records = OPEN_RECORDS_INIT;

	open_paths_save(paths, sequence, saved, &records);
	open_records_each(&records, &visitor, NULL);
	cr_expect_str_eq(told.ptr, want);
	strbuf_clear(&told);
	open_records_finish(&records);
}

Test(open_paths, a_path_without_open_records_is_none)
{
	open_paths_note(paths, &place, name, source);
	cr_expect_null(place);
	cr_expect_eq(open_paths_deadline_ns(paths), INT64_MAX);
	save(1, 0, "");
}

Test(open_paths, what_is_not_known_to_be_saved_is_saved_again)
{
	feed("a\n");
	save(1, 0, "/l/a:a ");
	save(2, 0, "/l/a:a ");
	save(3, 1, "");
	feed("b\n");
	save(4, 1, "/l/a:b ");
	save(5, 3, "/l/a:b ");
	save(6, 4, "");
	save(7, 0, "/l/a:b ");
}

Test(open_paths, that_nothing_is_open_any_more_is_saved_too)
{
	feed("a\n");
	save(1, 0, "/l/a:a ");
	open_paths_close(paths, INT64_MAX - 1, close_source, NULL);
	cr_expect_str_eq(told.ptr, "closed ");
	strbuf_clear(&told);
	save(2, 1, "/l/a:");
	cr_expect(place);
	save(3, 2, "");
	cr_expect_null(place);
}

Test(open_paths, a_path_that_goes_is_dropped_from_what_is_saved)
{
	feed("a\n");
	save(1, 0, "/l/a:a ");
	open_paths_drop(paths, &place, name);
	cr_expect_null(place);
	save(2, 1, "/l/a:");
	save(3, 1, "/l/a:");
	save(4, 3, "");
}

Test(open_paths, records_are_closed_at_their_deadline_not_before)
{
	int64_t deadline_ns;

	feed("a\n");
	deadline_ns = open_paths_deadline_ns(paths);
	cr_expect_gt(deadline_ns, clock_monotonic_ns());
	open_paths_close(paths, deadline_ns - 1, close_source, NULL);
	cr_expect_str_eq(told.ptr, "");
	cr_expect_eq(open_paths_deadline_ns(paths), deadline_ns);
	open_paths_close(paths, deadline_ns, close_source, NULL);
	cr_expect_str_eq(told.ptr, "closed ");
	strbuf_clear(&told);
	cr_expect_eq(open_paths_deadline_ns(paths), INT64_MAX);
}

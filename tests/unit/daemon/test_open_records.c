/* Records that may go on: packed, in the database, and until somebody takes them. */
#include "daemon/leftovers.h"
#include "daemon/positions.h"

#include "state_fixture.h"

static const uint32_t lines[] = {2, 7, UINT32_MAX};

static const struct open_record trace = {.patterns = {"app", 3},
					 .stream = STREAM_STDERR,
					 .state = 4,
					 .time_ns = ENVELOPE_NO_TIME,
					 .read_time_ns = 17,
					 .mtime_ns = -18,
					 .text = {"a\n\0b", 4},
					 .lines = lines,
					 .line_count = 3};
static const struct open_record part = {.patterns = {"", 0},
					.stream = STREAM_STDOUT,
					.time_ns = 5,
					.text = {"", 0},
					.lines = lines,
					.line_count = 1};

static struct strbuf told = STRBUF_INIT;

static void tell_path(void *ctx, const char *path)
{
	(void)ctx;
	strbuf_addf(&told, "%s:", path);
}

static void tell_record(void *ctx, const char *path, const struct open_record *r)
{
	(void)ctx;
	strbuf_addf(&told, "%s|%.*s|%d|%u|%lld|%lld|%lld|", path,
		    SLICE_ARG(r->patterns), (int)r->stream, r->state,
		    r->time_ns == ENVELOPE_NO_TIME ? -1LL : (long long)r->time_ns,
		    (long long)r->read_time_ns, (long long)r->mtime_ns);
	for (size_t i = 0; i < r->text.len; i++)
		strbuf_addf(&told, "%02x", (unsigned char)r->text.ptr[i]);
	for (size_t i = 0; i < r->line_count; i++)
		strbuf_addf(&told, " %u", r->lines[i]);
	strbuf_puts(&told, "; ");
}

static const struct open_records_visitor visitor = {tell_path, tell_record};

static void expect(const char *want)
{
	cr_expect_str_eq(told.ptr, want);
	strbuf_clear(&told);
}

#define TRACE "/l/a|app|2|4|-1|17|-18|610a0062 2 7 4294967295; "
#define PART "/l/a||1|0|5|0|0| 2; "

static void stop_all(void)
{
	strbuf_finish(&told);
	stop();
}

TestSuite(open_records, .init = start, .fini = stop_all);

Test(open_records, come_out_as_they_went_in)
{
	struct open_records records = OPEN_RECORDS_INIT;

	open_records_path(&records, "/l/a");
	open_records_add(&records, &trace);
	open_records_add(&records, &part);
	open_records_path(&records, "/l/other");
	open_records_each(&records, &visitor, NULL);
	expect("/l/a:" TRACE PART "/l/other:");
	open_records_finish(&records);
}

Test(open_records, positions_with_an_open_record_are_not_empty)
{
	struct positions positions = POSITIONS_INIT;

	cr_expect(positions_is_empty(&positions));
	open_records_path(&positions.open, "/l/a");
	cr_expect_not(positions_is_empty(&positions));
	positions_finish(&positions);
	cr_expect(positions_is_empty(&positions));
}

static void tell_saved(void)
{
	cr_assert(state_each_open_record(state, tell_record, NULL, &err), "%s",
		  err.text);
}

Test(open_records, come_back_from_the_database)
{
	open_state();
	state_begin(state);
	state_put_open_record(state, "/l/a", &trace);
	state_put_open_record(state, "/l/a", &part);
	state_put_open_record(state, "/l/b", &part);
	commit();
	reopen();
	cr_expect_eq(found, STATE_RESUMED);
	tell_saved();
	expect(TRACE PART "/l/b||1|0|5|0|0| 2; ");
	state_begin(state);
	state_drop_open_records(state, "/l/b");
	state_drop_open_records(state, "/l/a");
	state_put_open_record(state, "/l/a", &part);
	commit();
	reopen();
	tell_saved();
	expect(PART);
}

Test(open_records, what_makes_no_sense_is_damage)
{
	open_state();
	state_begin(state);
	state_put_open_record(state, "/l/a", &trace);
	commit();
	close_state();
	query("UPDATE open_records SET lines = x'010203'");
	open_state();
	cr_expect_not(state_each_open_record(state, tell_record, NULL, &err));
	cr_expect(state_is_damaged(state));
}

Test(open_records, leftovers_are_taken_once_by_path)
{
	struct leftovers *leftovers = leftovers_create();
	struct open_records records;

	cr_expect(leftovers_are_gone(leftovers));
	cr_expect_not(leftovers_take(leftovers, "/l/a", &records));
	leftovers_add(leftovers, "/l/a", &trace);
	leftovers_add(leftovers, "/l/b", &part);
	leftovers_add(leftovers, "/l/a", &part);
	cr_expect_not(leftovers_are_gone(leftovers));
	cr_expect(leftovers_take(leftovers, "/l/a", &records));
	open_records_each(&records, &visitor, NULL);
	open_records_finish(&records);
	expect("/l/a:" TRACE PART);
	cr_expect_not(leftovers_take(leftovers, "/l/a", &records));
	cr_expect(leftovers_take_any(leftovers, &records));
	open_records_each(&records, &visitor, NULL);
	open_records_finish(&records);
	expect("/l/b:/l/b||1|0|5|0|0| 2; ");
	cr_expect(leftovers_are_gone(leftovers));
	cr_expect_not(leftovers_take_any(leftovers, &records));
	leftovers_add(leftovers, "/l/c", &part);
	leftovers_destroy(leftovers);
}

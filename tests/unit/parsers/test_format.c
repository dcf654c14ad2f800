/*
 * Fields of JSON and logfmt records.  One helper reads a record and tells what the
 * names are; it lies in memory of exactly its size, so that a sanitizer sees a step
 * beyond.  tests/differential/formats.py compares with other readers.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/xalloc.h"
#include "parsers/format.h"
#include "parsers/json.h"

#define MAX_NAMES 8

/* `names` is a list with blanks between; *said becomes the texts, `-` if missing, with
 * a bar between, or "malformed". */
static void read_fields(enum format format, const char *names, struct slice text,
			struct strbuf *said)
{
	struct arena *arena = arena_create();
	struct wanted *wanted = wanted_create(arena, format_is_nested(format));
	struct format_fields *fields = format_fields_create();
	char *list = xstrndup(names, strlen(names)), *rest = list, *name;
	size_t numbers[MAX_NAMES], count = 0;
	char *record = xmalloc(text.len + 1);

	memcpy(record + 1, text.ptr, text.len);
	while ((name = strsep(&rest, " ")))
		numbers[count++] = wanted_add(wanted, slice_of(name));
	wanted_finish(wanted);
	if (!format_read(fields, format, wanted, (struct slice){record + 1, text.len}))
		strbuf_puts(said, "malformed");
	for (size_t i = 0; i < count && strcmp(said->ptr, "malformed") != 0; i++) {
		struct slice field = format_field(fields, numbers[i]);

		strbuf_puts(said, i > 0 ? "|" : "");
		strbuf_add_slice(said, field.ptr ? field : slice_of("-"));
	}
	format_fields_destroy(fields);
	arena_destroy(arena);
	free(list);
	free(record);
}

static void expect(enum format format, const char *names, const char *text,
		   const char *want)
{
	struct strbuf said = STRBUF_INIT;

	read_fields(format, names, slice_of(text), &said);
	cr_expect_str_eq(said.ptr, want, "%s of %s: %s, not %s", names, text, said.ptr,
			 want);
	strbuf_finish(&said);
}

static void json(const char *names, const char *text, const char *want)
{
	expect(FORMAT_JSON, names, text, want);
}

static void logfmt(const char *names, const char *text, const char *want)
{
	expect(FORMAT_LOGFMT, names, text, want);
}

/* -- JSON ----------------------------------------------------------------- */

Test(json, values_are_as_they_are_written)
{
	json("n f t u o a s e",
	     "{\"n\":429,\"f\":-1.50e+3,\"t\":true,\"u\":null,\"o\":{ \"x\": 1 "
	     "},\"a\":[1, "
	     "2],\"s\":\"x\",\"e\":\"\"}",
	     "429|-1.50e+3|true|-|{ \"x\": 1 }|[1, 2]|x|");
	json("a", "{\"a\":NaN}", "NaN");
	json("a", "{\"a\":-Infinity}", "-Infinity");
}

Test(json, names_lead_into_objects_and_arrays)
{
	json("request.path a.b.0 a.b.1.c a.b.2 a.b.01",
	     "{\"request\":{\"path\":\"/x\"},\"a\":{\"b\":[7,{\"c\":8}]}}",
	     "/x|7|8|-|-");
	json("a.b", "{\"a\":\"b\"}", "-");
}

Test(json, a_flat_key_comes_before_a_path_at_each_level)
{
	json("a.b.c", "{\"a\":{\"b\":{\"c\":1}}}", "1");
	json("a.b.c", "{\"a\":{\"b.c\":2,\"b\":{\"c\":1}}}", "2");
	json("a.b.c", "{\"a\":{\"b\":{\"c\":1},\"b.c\":2},\"a.b.c\":3}", "3");
	json("a.b", "{\"a.b\":null,\"a\":{\"b\":1}}", "1");
}

Test(json, of_a_key_that_stands_twice_the_last_value_counts)
{
	json("a", "{\"a\":1,\"a\":2}", "2");
	json("a", "{\"a\":1,\"a\":null}", "-");
	json("a.b a.c", "{\"a\":{\"b\":1},\"a\":{\"c\":2}}", "-|2");
	json("a.b", "{\"a\":{\"b\":1},\"a\":3}", "-");
}

Test(json, escapes_are_decoded_in_texts_and_keys)
{
	json("a", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\"}",
	     "\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC");
	json("ab", "{\"a\\u0062\":1}", "1");
	json("a b", "{\"a\":\"\\u0031\",\"b\":\"\\u0032\"}", "1|2");
}

Test(json, halves_of_surrogate_pairs_become_replacement_characters)
{
	json("a", "{\"a\":\"\\ud83d\\uDE00\"}", "\xF0\x9F\x98\x80");
	json("a", "{\"a\":\"\\ud83dx\\ude00\"}", "\xEF\xBF\xBDx\xEF\xBF\xBD");
	json("a", "{\"a\":\"\\ud83d\\ud83d\\ude00\"}", "\xEF\xBF\xBD\xF0\x9F\x98\x80");
	json("a", "{\"a\":\"\\ud83d\\u0041\"}", "\xEF\xBF\xBD\x41");
}

Test(json, bytes_that_are_no_utf8_and_control_characters_pass_through)
{
	json("a", "{\"a\":\"x\xFF\tx\"}", "x\xFF\tx");
}

Test(json, blanks_around_it_are_nothing_and_blanks_alone_a_record_without_fields)
{
	json("a", " \t{ \"a\" : 1 } \r", "1");
	json("a", "", "-");
	json("a", "  ", "-");
}

Test(json, what_is_no_object_is_malformed)
{
	static const char *const texts[] = {"{",
					    "}",
					    "[]",
					    "1",
					    "null",
					    "x",
					    "{}x",
					    "{} {}",
					    "{\"a\"}",
					    "{\"a\":}",
					    "{\"a\":1,}",
					    "{,}",
					    "{\"a\" 1}",
					    "{a:1}",
					    "{\"a\":01}",
					    "{\"a\":1.}",
					    "{\"a\":.1}",
					    "{\"a\":+1}",
					    "{\"a\":1e}",
					    "{\"a\":-}",
					    "{\"a\":tru",
					    "{\"a\":\"",
					    "{\"a\":\"\\",
					    "{\"a\":\"\\u12",
					    "{\"a\":[1,]}",
					    "{\"a\":[}",
					    "{\"a\":\"\\x\"}",
					    "{\"a\":\"\\u12g4\"}",
					    "{\"a\":[1 2]}",
					    "{\"a\":1}}",
					    "{\"a\":'1'}",
					    "\xEF\xBB\xBF{}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		json("a", texts[i], "malformed");
}

Test(json, depth_is_bounded)
{
	struct strbuf text = STRBUF_INIT;

	for (int more = 0; more < 2; more++) {
		strbuf_clear(&text);
		strbuf_puts(&text, "{\"b\":1,\"a\":");
		for (int i = 1; i < JSON_MAX_DEPTH + more; i++)
			strbuf_putc(&text, '[');
		for (int i = 1; i < JSON_MAX_DEPTH + more; i++)
			strbuf_putc(&text, ']');
		strbuf_putc(&text, '}');
		json("b", text.ptr, more ? "malformed" : "1");
	}
	strbuf_finish(&text);
}

Test(json, keys_of_any_length_are_told_apart)
{
	struct strbuf key = STRBUF_INIT, text = STRBUF_INIT;

	for (int i = 0; i < 70; i++) {
		strbuf_putc(&key, 'k');
		strbuf_clear(&text);
		strbuf_addf(&text, "{\"%sx\":1,\"%s\":2,\"%sk\":3}", key.ptr, key.ptr,
			    key.ptr);
		json(key.ptr, text.ptr, "2");
	}
	strbuf_finish(&key);
	strbuf_finish(&text);
}

/* -- logfmt --------------------------------------------------------------- */

Test(logfmt, values_end_at_a_blank_or_are_quoted)
{
	logfmt("a b c.d", "a=1 \t b=\"x y\"  c.d=z ", "1|x y|z");
	logfmt("a b", "a=x=\"y\" b=", "x=\"y\"|");
	logfmt("a b", "a= b=1", "|1");
	logfmt("a", "", "-");
}

Test(logfmt, a_key_alone_is_true)
{
	logfmt("debug a text", "debug a=1 some text", "true|1|true");
}

Test(logfmt, dots_lead_nowhere)
{
	logfmt("a.b a", "a.b=1", "1|-");
}

Test(logfmt, of_a_key_that_stands_twice_the_last_value_counts)
{
	logfmt("a", "a=1 a=\"2\"", "2");
}

Test(logfmt, escapes_of_go_and_json_are_decoded)
{
	logfmt("a", "a=\"quo\\\"ted \\n\\t\\\\ \\/ \\a\\v\"", "quo\"ted \n\t\\ / \a\v");
	logfmt("a", "a=\"\\x41\\xff\\u00e9\\U0001f600\\ud83d\\ude00\\ud83d\"",
	       "A\xFF\xC3\xA9\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xEF\xBF\xBD");
	logfmt("a", "a=\"C:\\dir \\x4 \\u12 \\U0001f60\"",
	       "C:\\dir \\x4 \\u12 \\U0001f60");
	logfmt("a", "a=x\\ny", "x\\ny");
}

Test(logfmt, what_cannot_be_told_apart_is_malformed)
{
	logfmt("a", "=1", "malformed");
	logfmt("a", "a=1 =", "malformed");
	logfmt("a", "x\"y=1", "malformed");
	logfmt("a", "\"x\"", "malformed");
	logfmt("a", "a=\"1", "malformed");
	logfmt("a", "a=\"1\\", "malformed");
	logfmt("a", "a=\"1\\\"", "malformed");
	logfmt("a", "a=\"1\"2", "malformed");
}

static size_t malformed_at(enum format format, const char *text)
{
	struct arena *arena = arena_create();
	struct wanted *wanted = wanted_create(arena, format_is_nested(format));
	struct format_fields *fields = format_fields_create();
	size_t at;

	wanted_finish(wanted);
	cr_assert(!format_read(fields, format, wanted, slice_of(text)));
	at = format_malformed_at(fields);
	format_fields_destroy(fields);
	arena_destroy(arena);
	return at;
}

Test(formats, a_malformed_record_says_from_where_on)
{
	cr_expect_eq(malformed_at(FORMAT_JSON, "2025 {}"), 0);
	cr_expect_eq(malformed_at(FORMAT_JSON, "{\"a\":x}"), 5);
	cr_expect_eq(malformed_at(FORMAT_JSON, "{\"a\":\"\\x\"}"), 7);
	cr_expect_eq(malformed_at(FORMAT_JSON, "{\"a\":1} x"), 8);
	cr_expect_eq(malformed_at(FORMAT_JSON, "{\"a\":1"), 6);
	cr_expect_eq(malformed_at(FORMAT_LOGFMT, "a=1 b=\"x"), 4);
}

/* -- both ----------------------------------------------------------------- */

Test(formats, the_same_name_has_the_same_number)
{
	struct arena *arena = arena_create();
	struct wanted *wanted = wanted_create(arena, true);
	size_t first = wanted_add(wanted, slice_of("a.b"));
	size_t either = wanted_add_either(wanted, slice_of("a.b"), slice_of("c"));

	cr_expect_eq(wanted_add(wanted, slice_of("a.b")), first);
	cr_expect_neq(either, first);
	cr_expect_eq(wanted_add_either(wanted, slice_of("a.b"), slice_of("c")), either);
	wanted_finish(wanted);
	cr_expect_eq(wanted_leaf_count(wanted), 3); /* a.b, b of a, c */
	arena_destroy(arena);
}

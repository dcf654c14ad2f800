#include <stdlib.h>

#include "common/clock.h"
#include "common/glob.h"
#include "common/xalloc.h"
#include "parsers/example_path.h"
#include "parsers/loader.h"

static const char *const test_keys[] = {"name",     "lines", "file", "fields",
					"envelope", "now",   "zone", "expect"};

#define KEYS(array) array, sizeof(array) / sizeof((array)[0])

static bool is_wanted(const struct loader *l, const char *path)
{
	for (size_t i = 0; i < l->file->file_glob_count; i++)
		if (glob_match_path(l->file->files[i], path))
			return true;
	return l->file->file_glob_count == 0;
}

static void load_file_name(struct loader *l, const struct yaml_node *node,
			   struct pattern_test *test)
{
	const struct yaml_node *file = yaml_get(node, "file");

	if (!file) {
		test->file = example_path(l->file, l->arena);
		if (!test->file)
			diag_error(l->diag, node->at,
				   "add file: and a path that `files` accepts",
				   "no path can be guessed for this test");
		return;
	}
	if (!yaml_expect(file, YAML_SCALAR, "file", l->diag))
		return;
	test->file = *file->text.ptr == '/'
			     ? file->text.ptr
			     : arena_printf(l->arena, "/logs/%s", file->text.ptr);
	if (!is_wanted(l, test->file))
		diag_error(l->diag, file->at, "name a path that it accepts",
			   "this file's `files` does not accept %s", file->text.ptr);
}

static void load_fields(struct loader *l, const struct yaml_node *node,
			struct pattern_test *test)
{
	const struct yaml_node *fields = yaml_get(node, "fields");

	if (!fields || !yaml_expect(fields, YAML_MAPPING, "fields", l->diag))
		return;
	test->field_names = arena_alloc(l->arena, fields->count * sizeof(char *));
	test->field_values = arena_alloc(l->arena, fields->count * sizeof(char *));
	for (size_t i = 0; i < fields->count; i++) {
		if (!yaml_expect(fields->items[i], YAML_SCALAR, "a field", l->diag))
			continue;
		test->field_names[test->field_count] = fields->keys[i]->text.ptr;
		test->field_values[test->field_count++] = fields->items[i]->text.ptr;
	}
}

static void load_now(struct loader *l, const struct yaml_node *node,
		     struct pattern_test *test)
{
	const struct yaml_node *now = yaml_get(node, "now");
	struct timestamp_layout *layout;
	struct zone *utc;
	struct error err;

	if (!now || !yaml_expect(now, YAML_SCALAR, "now", l->diag))
		return;
	utc = zone_load("UTC", &err);
	layout = timestamp_compile(NULL, utc, &err);
	if (!timestamp_parse(layout, now->text, clock_wall_ns(), &test->now_ns))
		diag_error(l->diag, now->at, "write it like 2026-11-20T12:00:00Z",
			   "now: %.*s is not a time", SLICE_SHOWN(now->text));
	timestamp_destroy(layout);
	zone_destroy(utc);
}

static void load_zone(struct loader *l, const struct yaml_node *node,
		      struct pattern_test *test)
{
	const struct yaml_node *zone = yaml_get(node, "zone");
	struct zone *loaded;
	struct error err;

	if (!zone || !yaml_expect(zone, YAML_SCALAR, "zone", l->diag))
		return;
	loaded = zone_load(zone->text.ptr, &err);
	if (!loaded)
		diag_error(l->diag, zone->at, NULL, "%s", err.text);
	zone_destroy(loaded);
	test->zone = zone->text.ptr;
}

static void load_envelope(struct loader *l, const struct yaml_node *node,
			  struct pattern_test *test)
{
	const struct yaml_node *envelope = yaml_get(node, "envelope");

	if (envelope && yaml_expect(envelope, YAML_SCALAR, "envelope", l->diag) &&
	    !envelope_by_name(envelope->text, &test->envelope))
		diag_error(l->diag, envelope->at, "write auto, none, docker or cri",
			   "envelope: \"%.*s\" is not known",
			   SLICE_ARG(envelope->text));
}

static void check_required(struct loader *l, const struct yaml_node *node)
{
	static const char *const required[] = {"name", "lines", "expect"};

	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
		if (!yaml_get(node, required[i]))
			diag_error(l->diag, node->at, "add the key", "a test lacks %s",
				   required[i]);
}

static void load_expect(struct loader *l, const struct yaml_node *node,
			const struct expected_names *names, struct pattern_test *test)
{
	const struct yaml_node *expect = yaml_get(node, "expect");

	if (!expect || !yaml_expect(expect, YAML_SCALAR, "expect", l->diag))
		return;
	test->expect = expect->text;
	load_check_expect(l, expect, names);
}

static void load_test(struct loader *l, const struct yaml_node *node,
		      const struct expected_names *names, struct pattern_test *test)
{
	const struct yaml_node *name = yaml_get(node, "name");
	const struct yaml_node *lines = yaml_get(node, "lines");

	yaml_check_keys(node, "a test", KEYS(test_keys), l->diag);
	test->at = node->at;
	test->name = "";
	check_required(l, node);
	if (name && yaml_expect(name, YAML_SCALAR, "name", l->diag))
		test->name = name->text.ptr;
	if (name && name->kind == YAML_SCALAR && name->text.len == 0)
		diag_error(l->diag, name->at, "say what the test claims",
			   "the name is empty");
	if (lines && yaml_expect(lines, YAML_SCALAR, "lines", l->diag))
		test->lines = lines->text;
	load_expect(l, node, names, test);
	load_file_name(l, node, test);
	load_fields(l, node, test);
	load_envelope(l, node, test);
	load_now(l, node, test);
	load_zone(l, node, test);
}

void load_tests(struct loader *l, const struct yaml_node *tests, bool sure)
{
	struct expected_names *names;

	if (!tests || !yaml_expect(tests, YAML_SEQUENCE, "tests", l->diag))
		return;
	names = sure ? load_expected_names(l) : NULL;
	l->file->tests = arena_alloc(l->arena, tests->count * sizeof(*l->file->tests));
	for (size_t i = 0; i < tests->count; i++)
		if (yaml_expect(tests->items[i], YAML_MAPPING, "a test", l->diag))
			load_test(l, tests->items[i], names,
				  &l->file->tests[l->file->test_count++]);
	expected_names_destroy(names);
}

static void add_path_field(struct loader *l, const char *name)
{
	for (size_t i = 0; i < l->path_field_count; i++)
		if (strcmp(l->path_fields[i], name) == 0)
			return;
	l->path_fields = xgrow(l->path_fields, l->path_field_count, sizeof(char *));
	l->path_fields[l->path_field_count++] = arena_strdup(l->arena, name);
}

void load_test_fields(struct loader *l, const struct yaml_node *tests)
{
	for (size_t i = 0; tests && tests->kind == YAML_SEQUENCE && i < tests->count;
	     i++) {
		const struct yaml_node *test = tests->items[i];
		const struct yaml_node *fields =
			test->kind == YAML_MAPPING ? yaml_get(test, "fields") : NULL;

		if (!fields || fields->kind != YAML_MAPPING)
			continue;
		for (size_t j = 0; j < fields->count; j++)
			add_path_field(l, fields->keys[j]->text.ptr);
	}
}

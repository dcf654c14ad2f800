#include <string.h>

#include "common/clock.h"
#include "common/suggest.h"
#include "parsers/loader.h"
#include "parsers/quantity.h"

static const char *const multiline_keys[] = {
	"start", "continue", "end", "preset", "max_lines", "max_bytes", "max_age"};

#define KEYS(array) array, sizeof(array) / sizeof((array)[0])

#define MAX_LINES 500
#define MAX_BYTES (256 * 1024)
#define MAX_AGE_SECONDS 5

#define MOST_LINES 100000
#define LEAST_BYTES 1024
#define MOST_BYTES (16 * 1024 * 1024)
#define LEAST_AGE_SECONDS 0.1
#define MOST_AGE_SECONDS 3600

/* -- steps ---------------------------------------------------------------- */

static struct multiline_step *add_steps(struct loader *l, struct multiline *m,
					size_t count)
{
	struct multiline_step *steps = arena_alloc(l->arena, count * sizeof(*steps));

	m->steps = steps;
	m->step_count = count;
	return steps;
}

/* What matches does `action`, all else `otherwise`. */
static void load_pattern(struct loader *l, const struct yaml_node *node,
			 const char *key, struct multiline *m,
			 enum multiline_action action, enum multiline_action otherwise)
{
	struct multiline_step *steps;
	struct regex *regex = load_regex(l, node, key);

	if (!regex)
		return;
	steps = add_steps(l, m, 2);
	steps[0] = (struct multiline_step){MULTILINE_ANY_STATE, regex, action, 0};
	steps[1] = (struct multiline_step){MULTILINE_ANY_STATE, NULL, otherwise, 0};
}

static const struct multiline_preset *preset_named(struct slice name)
{
	for (size_t i = 0; i < MULTILINE_PRESETS; i++)
		if (slice_is(name, multiline_presets[i].name))
			return &multiline_presets[i];
	return NULL;
}

static void report_preset(struct loader *l, const struct yaml_node *node)
{
	const char *names[MULTILINE_PRESETS], *closest;

	for (size_t i = 0; i < MULTILINE_PRESETS; i++)
		names[i] = multiline_presets[i].name;
	closest = suggest_closest(node->text.ptr, names, MULTILINE_PRESETS);
	diag_error(
		l->diag, node->at,
		closest ? arena_printf(l->arena, "did you mean %s?", closest)
			: "write python, java, go or javascript, or {start: 'regex'}",
		"multiline: there is no preset %.*s", SLICE_SHOWN(node->text));
}

static void load_preset(struct loader *l, const struct yaml_node *node,
			struct multiline *m)
{
	const struct multiline_preset *preset;
	struct multiline_step *steps;

	if (!yaml_expect(node, YAML_SCALAR, "preset", l->diag))
		return;
	preset = preset_named(node->text);
	if (!preset) {
		report_preset(l, node);
		return;
	}
	steps = add_steps(l, m, preset->step_count);
	for (size_t i = 0; i < preset->step_count; i++) {
		const struct multiline_preset_step *from = &preset->steps[i];
		struct yaml_node regex = *node;

		steps[i] = (struct multiline_step){.states = from->states,
						   .action = from->action,
						   .next = from->next};
		if (!from->regex)
			continue;
		regex.text = slice_of(from->regex);
		steps[i].regex = load_regex(l, &regex, "preset");
	}
}

/* -- limits --------------------------------------------------------------- */

static void load_lines(struct loader *l, const struct yaml_node *node,
		       struct multiline *m)
{
	if (node)
		load_count(l, node, "max_lines", MOST_LINES, &m->max_lines);
}

static void load_bytes(struct loader *l, const struct yaml_node *node,
		       struct multiline *m)
{
	double bytes;

	if (!node || !yaml_expect(node, YAML_SCALAR, "max_bytes", l->diag))
		return;
	if (bytes_parse(node->text, &bytes) && bytes >= LEAST_BYTES &&
	    bytes <= MOST_BYTES)
		m->max_bytes = (size_t)bytes;
	else
		diag_error(l->diag, node->at, "write a size such as 256KiB",
			   "max_bytes: %.*s is not between 1KiB and 16MiB",
			   SLICE_SHOWN(node->text));
}

static void load_age(struct loader *l, const struct yaml_node *node,
		     struct multiline *m)
{
	double seconds;

	if (!node || !yaml_expect(node, YAML_SCALAR, "max_age", l->diag))
		return;
	if (duration_parse(node->text, &seconds) && seconds >= LEAST_AGE_SECONDS &&
	    seconds <= MOST_AGE_SECONDS)
		m->max_age_ns = (int64_t)(seconds * 1e9);
	else
		diag_error(l->diag, node->at, "write a duration such as 5s",
			   "max_age: %.*s is not between 100ms and 1h",
			   SLICE_SHOWN(node->text));
}

/* -- the whole ------------------------------------------------------------ */

static void load_kind(struct loader *l, const struct yaml_node *node,
		      struct multiline *m)
{
	const struct yaml_node *start = yaml_get(node, "start");
	const struct yaml_node *goes_on = yaml_get(node, "continue");
	const struct yaml_node *end = yaml_get(node, "end");
	const struct yaml_node *preset = yaml_get(node, "preset");

	if (!!start + !!goes_on + !!end + !!preset != 1)
		diag_error(l->diag, node->at,
			   "keep exactly one of start, continue, end and preset",
			   "multiline %s",
			   start || goes_on || end || preset
				   ? "says in two ways what belongs together"
				   : "does not say what belongs together");
	if (start)
		load_pattern(l, start, "start", m, MULTILINE_BEGIN, MULTILINE_JOIN);
	if (goes_on)
		load_pattern(l, goes_on, "continue", m, MULTILINE_JOIN,
			     MULTILINE_BEGIN);
	if (end)
		load_pattern(l, end, "end", m, MULTILINE_LAST, MULTILINE_JOIN);
	if (preset)
		load_preset(l, preset, m);
}

void load_multiline(struct loader *l, const struct yaml_node *node)
{
	struct multiline *m;

	if (!node)
		return;
	m = arena_alloc(l->arena, sizeof(*m));
	*m = (struct multiline){.max_lines = MAX_LINES,
				.max_bytes = MAX_BYTES,
				.max_age_ns = MAX_AGE_SECONDS * NS_PER_SECOND};
	l->file->multiline = m;
	if (node->kind == YAML_SCALAR) {
		load_preset(l, node, m);
		return;
	}
	if (!yaml_expect(node, YAML_MAPPING, "multiline", l->diag))
		return;
	yaml_check_keys(node, "multiline", KEYS(multiline_keys), l->diag);
	load_kind(l, node, m);
	load_lines(l, yaml_get(node, "max_lines"), m);
	load_bytes(l, yaml_get(node, "max_bytes"), m);
	load_age(l, yaml_get(node, "max_age"), m);
}

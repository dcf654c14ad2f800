#include <stdlib.h>

#include "common/hashmap.h"
#include "common/xalloc.h"
#include "parsers/lint.h"
#include "parsers/loader.h"

static const char *const rule_keys[] = {"name",   "pattern", "in",     "where",
					"unless", "stop",    "metrics"};
static const char *const where_keys[] = {"matches"};

#define KEYS(array) array, sizeof(array) / sizeof((array)[0])

static struct regex **load_regexes(struct loader *l, const struct yaml_node *rule,
				   const char *key, size_t *count)
{
	struct yaml_node *node = yaml_get(rule, key);
	struct yaml_node *const *items;
	struct regex **regexes;
	size_t n;

	*count = 0;
	if (!node)
		return NULL;
	items = load_scalars(l, &node, key, &n);
	if (node->kind == YAML_SEQUENCE && node->count == 0)
		diag_error(l->diag, node->at, "leave the key out",
			   "%s is an empty list", key);
	regexes = arena_alloc(l->arena, n * sizeof(struct regex *));
	for (size_t i = 0; i < n; i++) {
		struct regex *regex = load_regex(l, items[i], key);

		if (regex)
			regexes[(*count)++] = regex;
	}
	return regexes;
}

static void load_where_texts(struct loader *l, struct yaml_node *node,
			     struct rule_where *where)
{
	struct yaml_node *const *texts =
		load_scalars(l, &node, "where", &where->text_count);

	where->texts = arena_alloc(l->arena, where->text_count * sizeof(*where->texts));
	for (size_t i = 0; i < where->text_count; i++)
		where->texts[i] = texts[i]->text;
}

static bool load_where_entry(struct loader *l, const struct yaml_node *name,
			     struct yaml_node *node, struct rule_where *where)
{
	const struct yaml_node *matches;

	where->field = load_field(l, &l->file_scope, name, "where");
	if (!where->field)
		return false;
	if (node->kind != YAML_MAPPING) {
		load_where_texts(l, node, where);
		return true;
	}
	yaml_check_keys(node, "where", KEYS(where_keys), l->diag);
	matches = yaml_get(node, "matches");
	if (!matches) {
		diag_error(l->diag, node->at, "write {matches: 'regex'}",
			   "where: the condition on %s is empty", where->field->name);
		return false;
	}
	where->matches = load_regex(l, matches, "where");
	return where->matches != NULL;
}

static void load_where(struct loader *l, const struct yaml_node *node,
		       struct rule *rule)
{
	const struct yaml_node *where = yaml_get(node, "where");

	if (!where || !yaml_expect(where, YAML_MAPPING, "where", l->diag))
		return;
	rule->where = arena_alloc(l->arena, where->count * sizeof(*rule->where));
	for (size_t i = 0; i < where->count; i++)
		if (load_where_entry(l, where->keys[i], where->items[i],
				     &rule->where[rule->where_count]))
			rule->where_count++;
}

static void load_in(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	const struct yaml_node *in = yaml_get(node, "in");

	if (in)
		rule->in = load_field(l, &l->file_scope, in, "in");
	else if (!l->file->wanted)
		rule->in = field_resolve(l->arena, &l->file_scope, slice_of("message"));
	else if (yaml_get(node, "pattern") || yaml_get(node, "unless"))
		rule->in = field_resolve_either(l->arena, &l->file_scope,
						slice_of("message"), slice_of("msg"));
	if (!rule->in)
		rule->in = field_resolve(l->arena, &l->file_scope, slice_of("_line"));
}

static void load_metrics(struct loader *l, const struct yaml_node *node,
			 const struct field_scope *scope, struct rule *rule)
{
	const struct yaml_node *metrics = yaml_get(node, "metrics");

	if (!metrics || !yaml_expect(metrics, YAML_SEQUENCE, "metrics", l->diag))
		return;
	rule->metrics = arena_alloc(l->arena, metrics->count * sizeof(*rule->metrics));
	for (size_t i = 0; i < metrics->count; i++) {
		if (!yaml_expect(metrics->items[i], YAML_MAPPING, "a metric", l->diag))
			continue;
		load_metric(l, metrics->items[i], scope,
			    &rule->metrics[rule->metric_count++]);
	}
}

static bool depends_on_pattern(const struct field *field)
{
	for (size_t i = 0; i < field->pattern_count; i++)
		if (field->in_pattern[i].count > 0)
			return true;
	return false;
}

/*
 * A rule that cannot supply the time does without: another one can.  Rules that do not
 * capture it share one field, so that the time is worked out once for all of them.
 */
static void load_time_field(struct loader *l, const struct field_scope *scope,
			    struct rule *rule)
{
	struct slice name;
	struct field *field;

	if (!l->time_from || l->time_from->kind != YAML_SCALAR)
		return;
	name = load_field_name(l->time_from);
	field = field_resolve(l->arena, scope, name);
	rule->time_is_of_line = !field || !depends_on_pattern(field);
	if (field && rule->time_is_of_line) {
		if (!l->line_time)
			l->line_time = field_resolve(l->arena, &l->file_scope, name);
		field = l->line_time;
	}
	rule->time_field = field;
}

/* `names`: of the rules before it, to them. */
static void load_name(struct loader *l, const struct yaml_node *node,
		      struct hashmap *names, struct rule *rule)
{
	const struct yaml_node *name = yaml_get(node, "name");
	const struct rule *other;

	rule->info.name = "";
	rule->info.at = node->at;
	if (!name) {
		diag_error(l->diag, node->at, "add name: and a word for what it finds",
			   "a rule has no name");
		return;
	}
	if (!yaml_expect(name, YAML_SCALAR, "name", l->diag))
		return;
	rule->info.name = name->text.ptr;
	if (name->text.len == 0) {
		diag_error(l->diag, name->at, "write a word for what it finds",
			   "the name is empty");
		return;
	}
	other = hashmap_put(names, slice_of(rule->info.name), rule);
	if (other)
		diag_error(l->diag, name->at, "give each rule a name of its own",
			   "line %d has a rule called %s already", other->info.at.line,
			   rule->info.name);
}

/* False if the rule has captures that cannot be known: a mistake hides the pattern. */
static bool pattern_is_sure(const struct yaml_node *node, const struct rule *rule)
{
	const struct yaml_node *pattern = yaml_get(node, "pattern");

	if (!pattern)
		return !yaml_has_unknown_key(node, KEYS(rule_keys));
	return rule->pattern_count ==
	       (pattern->kind == YAML_SEQUENCE ? pattern->count : 1);
}

static void load_rule(struct loader *l, const struct yaml_node *node,
		      struct hashmap *names, struct rule *rule)
{
	struct field_scope scope = l->file_scope;

	yaml_check_keys(node, "a rule", KEYS(rule_keys), l->diag);
	if (l->options->lint)
		scope.used = hashmap_create();
	load_name(l, node, names, rule);
	load_where(l, node, rule);
	load_in(l, node, rule);
	rule->patterns = load_regexes(l, node, "pattern", &rule->pattern_count);
	rule->unless = load_regexes(l, node, "unless", &rule->unless_count);
	rule->stop = load_flag(l, node, "stop");
	scope.patterns = rule->patterns;
	scope.pattern_count = rule->pattern_count;
	scope.in_rule = true;
	if (!pattern_is_sure(node, rule))
		scope.unsure = true;
	load_time_field(l, &scope, rule);
	load_metrics(l, node, &scope, rule);
	if (scope.used)
		lint_rule(l, rule, scope.used);
	hashmap_destroy(scope.used);
}

static void check_time_field(struct loader *l)
{
	if (!l->time_from || l->file->rule_count == 0)
		return;
	for (size_t i = 0; i < l->file->rule_count; i++)
		if (l->file->rules[i].time_field)
			return;
	load_field(l, &l->file_scope, l->time_from, "timestamp: from");
}

void load_rules(struct loader *l, const struct yaml_node *rules)
{
	struct hashmap *names;

	if (!rules || !yaml_expect(rules, YAML_SEQUENCE, "rules", l->diag))
		return;
	names = hashmap_create_borrowing();
	l->file->rules = arena_alloc(l->arena, rules->count * sizeof(struct rule));
	for (size_t i = 0; i < rules->count; i++)
		if (yaml_expect(rules->items[i], YAML_MAPPING, "a rule", l->diag))
			load_rule(l, rules->items[i], names,
				  &l->file->rules[l->file->rule_count++]);
	hashmap_destroy(names);
	check_time_field(l);
}

void rules_finish(struct rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < rules[i].metric_count; j++)
			for (size_t k = 0; k < rules[i].metrics[j].label_count; k++)
				hashmap_destroy(rules[i].metrics[j].labels[k].map);
}

#include "common/name.h"
#include "parsers/loader.h"

#define MAX_DECLARED 10000
#define KEYS(array) array, sizeof(array) / sizeof((array)[0])

static const char *const label_keys[] = {"from",  "replace", "map",
					 "lower", "default", "hash"};
static const char *const replace_keys[] = {"pattern", "with"};

static void check_label_name(struct loader *l, const struct yaml_node *node,
			     enum metric_kind kind)
{
	struct slice name = node->text;

	if (!name_is_label(name))
		diag_error(l->diag, node->at,
			   "use letters, digits and _, not a digit or __ first",
			   "%.*s is not a label name", SLICE_SHOWN(name));
	else if (name_is_reserved_label(name))
		diag_error(l->diag, node->at, "choose another name",
			   "the label %.*s belongs to Prometheus' own %s",
			   SLICE_ARG(name),
			   kind == METRIC_HISTOGRAM ? "histograms" : "metric kinds");
	else if (slice_is(name, "job") || slice_is(name, "instance"))
		diag_warning(l->diag, node->at, "choose another name",
			     "Prometheus sets the label %.*s itself", SLICE_ARG(name));
	for (size_t i = 0; i < l->options->global_label_count; i++)
		if (slice_is(name, l->options->global_labels[i]))
			diag_error(l->diag, node->at, "choose another name",
				   "the configuration's labels have %.*s already",
				   SLICE_ARG(name));
}

static void load_replace(struct loader *l, const struct yaml_node *node,
			 struct label_rule *label)
{
	const struct yaml_node *list = yaml_get(node, "replace");

	if (!list || !yaml_expect(list, YAML_SEQUENCE, "replace", l->diag))
		return;
	label->replace = arena_alloc(l->arena, list->count * sizeof(*label->replace));
	for (size_t i = 0; i < list->count; i++) {
		const struct yaml_node *item = list->items[i];
		struct label_replacement *r = &label->replace[label->replace_count];
		const struct yaml_node *pattern, *with;

		if (!yaml_expect(item, YAML_MAPPING, "a replacement", l->diag))
			continue;
		yaml_check_keys(item, "a replacement", KEYS(replace_keys), l->diag);
		pattern = yaml_get(item, "pattern");
		with = yaml_get(item, "with");
		if (!pattern || !with) {
			diag_error(l->diag, item->at,
				   "write {pattern: 'regex', with: 'text'}",
				   "a replacement lacks pattern or with");
			continue;
		}
		r->regex = load_regex(l, pattern, "replace");
		if (r->regex && yaml_expect(with, YAML_SCALAR, "with", l->diag)) {
			r->with = with->text;
			label->replace_count++;
		}
	}
}

static void load_map(struct loader *l, const struct yaml_node *node,
		     struct label_rule *label)
{
	const struct yaml_node *map = yaml_get(node, "map");

	if (!map || !yaml_expect(map, YAML_MAPPING, "map", l->diag))
		return;
	label->map = hashmap_create();
	for (size_t i = 0; i < map->count; i++)
		if (yaml_expect(map->items[i], YAML_SCALAR, "map", l->diag))
			hashmap_put(label->map, map->keys[i]->text,
				    &map->items[i]->text);
}

bool load_flag(struct loader *l, const struct yaml_node *node, const char *key)
{
	const struct yaml_node *flag = yaml_get(node, key);
	bool is_true;

	if (!flag || !yaml_expect(flag, YAML_SCALAR, key, l->diag))
		return false;
	is_true = slice_is(flag->text, "true");
	if (!is_true && !slice_is(flag->text, "false"))
		diag_error(l->diag, flag->at, "write true or false", "%s is %.*s", key,
			   SLICE_SHOWN(flag->text));
	return is_true;
}

static void load_label_mapping(struct loader *l, const struct yaml_node *node,
			       const struct field_scope *scope,
			       struct label_rule *label)
{
	const struct yaml_node *from = yaml_get(node, "from");
	const struct yaml_node *fallback = yaml_get(node, "default");
	struct field *field;

	yaml_check_keys(node, "a label", KEYS(label_keys), l->diag);
	if (!from)
		diag_error(l->diag, node->at, "add from: and a capture's name",
			   "the label %s does not say where it comes from",
			   label->name);
	field = from ? load_field(l, scope, from, "from") : NULL;
	if (field) {
		label->value.parts = arena_alloc(l->arena, sizeof(*label->value.parts));
		label->value.parts[0].field = field;
		label->value.count = 1;
	}
	load_replace(l, node, label);
	load_map(l, node, label);
	label->lower = load_flag(l, node, "lower");
	if (fallback && yaml_expect(fallback, YAML_SCALAR, "default", l->diag))
		label->fallback = fallback->text;
	label->hash = load_flag(l, node, "hash");
}

static const struct field *only_field(const struct label_rule *label)
{
	bool changed =
		label->replace_count > 0 || label->map || label->lower || label->hash;

	return label->value.count == 1 && !changed ? label->value.parts[0].field : NULL;
}

static void load_label(struct loader *l, const struct yaml_node *name,
		       struct yaml_node *node, const struct field_scope *scope,
		       struct label_rule *label)
{
	struct slice text;

	label->name = name->text.ptr;
	label->at = name->at;
	label->fallback = slice_of("");
	if (node->kind == YAML_MAPPING)
		load_label_mapping(l, node, scope, label);
	else if (yaml_expect(node, YAML_SCALAR, "a label", l->diag) &&
		 yaml_pattern_text(node, "a label", &text, l->diag))
		template_parse(&label->value, text, node->at, l->arena, scope, l->diag);
	label->only = only_field(label);
}

void load_labels(struct loader *l, const struct yaml_node *metric,
		 const struct field_scope *scope, enum metric_kind kind,
		 struct rule_metric *out)
{
	const struct yaml_node *labels = yaml_get(metric, "labels");

	if (!labels || !yaml_expect(labels, YAML_MAPPING, "labels", l->diag))
		return;
	if (labels->count > METRIC_MAX_LABELS) {
		diag_error(l->diag, labels->at, "use fewer", "more than %d labels",
			   METRIC_MAX_LABELS);
		return;
	}
	out->labels = arena_alloc(l->arena, labels->count * sizeof(*out->labels));
	for (size_t i = 0; i < labels->count; i++) {
		check_label_name(l, labels->keys[i], kind);
		load_label(l, labels->keys[i], labels->items[i], scope,
			   &out->labels[out->label_count++]);
	}
}

/* -- hashed labels -------------------------------------------------------- */

#define HOW_TO_GET_A_KEY                                                            \
	"make one with openssl rand -hex 32 > FILE, and name it by hash_key_file: " \
	"FILE in logtally.yml or --hash.key-file FILE"

static void need_key(struct loader *l, const char *metric,
		     const struct label_rule *label)
{
	if (l->options->hash_key.len == 0)
		diag_error(l->diag, label->at, HOW_TO_GET_A_KEY,
			   "the label %s of %s is hashed, and there is no key",
			   label->name, metric);
	else if (l->options->hash_key_is_test)
		diag_warning(l->diag, label->at, HOW_TO_GET_A_KEY,
			     "the label %s of %s is hashed: run and replay need a key",
			     label->name, metric);
}

/* Of the key, so that values under another one are not taken for the same. */
static const char *key_id(struct loader *l)
{
	struct pseudonyms *p;
	char id[PSEUDONYM_BYTES];

	if (l->options->hash_key.len == 0)
		return "";
	if (!l->hash_key_id) {
		p = pseudonyms_create(l->options->hash_key);
		pseudonyms_write(p, slice_of("logtally key"), id);
		pseudonyms_destroy(p);
		l->hash_key_id = arena_copy(l->arena, (struct slice){id, 8});
	}
	return l->hash_key_id;
}

void load_hashes(struct loader *l, struct metric_def *def,
		 const struct rule_metric *metric)
{
	for (size_t i = 0; i < metric->label_count; i++) {
		if (!metric->labels[i].hash)
			continue;
		need_key(l, def->name, &metric->labels[i]);
		def->hashed_labels |= UINT32_C(1) << i;
	}
	if (def->hashed_labels)
		def->hash_key_id = key_id(l);
}

/* -- declared label sets -------------------------------------------------- */

/* The values that one entry of `declare` gives a label; NULL after an error. */
static struct yaml_node *const *declared_values(struct loader *l,
						const struct yaml_node *entry,
						const char *label, size_t *count)
{
	struct yaml_node *const *value = NULL;

	for (size_t i = 0; i < entry->count; i++)
		if (slice_is(entry->keys[i]->text, label))
			value = &entry->items[i];
	if (!value) {
		diag_error(l->diag, entry->at, "give every label a value or a list",
			   "declare leaves out the label %s", label);
		*count = 0;
		return NULL;
	}
	return load_scalars(l, value, "declare", count);
}

static void add_product(struct loader *l, const struct yaml_node *entry,
			struct metric_def *def)
{
	struct yaml_node *const *values[METRIC_MAX_LABELS] = {NULL};
	size_t counts[METRIC_MAX_LABELS] = {0}, rows = 1;
	struct slice *all;

	for (size_t i = 0; i < def->label_count; i++) {
		values[i] = declared_values(l, entry, def->labels[i], &counts[i]);
		rows *= counts[i];
		if (rows == 0)
			return;
		if (rows > MAX_DECLARED) {
			diag_error(l->diag, entry->at, "declare fewer",
				   "more than %d declared label sets", MAX_DECLARED);
			return;
		}
	}
	all = arena_alloc(l->arena, (def->declared_count + rows) * def->label_count *
					    sizeof(*all));
	if (def->declared_count > 0)
		memcpy(all, def->declared,
		       def->declared_count * def->label_count * sizeof(*all));
	for (size_t row = 0; row < rows; row++) {
		size_t rest = row;

		for (size_t i = def->label_count; i-- > 0; rest /= counts[i])
			all[(def->declared_count + row) * def->label_count + i] =
				values[i][rest % counts[i]]->text;
	}
	def->declared = all;
	def->declared_count += rows;
}

void load_declare(struct loader *l, const struct yaml_node *metric,
		  struct metric_def *def)
{
	const struct yaml_node *list = yaml_get(metric, "declare");

	if (!list || !yaml_expect(list, YAML_SEQUENCE, "declare", l->diag))
		return;
	if (metric_is_gauge(def->kind)) {
		diag_error(l->diag, list->at, "leave the key out",
			   "a %s has no value before it is set",
			   metric_kind_name(def->kind));
		return;
	}
	if (def->hashed_labels) {
		diag_error(l->diag, list->at, "leave the key out",
			   "declare would name what %s hides: it has a label with "
			   "hash: true",
			   def->name);
		return;
	}
	for (size_t i = 0; i < list->count; i++) {
		if (!yaml_expect(list->items[i], YAML_MAPPING, "declare", l->diag))
			continue;
		yaml_check_keys(list->items[i], "declare", def->labels,
				def->label_count, l->diag);
		add_product(l, list->items[i], def);
	}
}

#include <stdlib.h>

#include "common/hashmap.h"
#include "common/xalloc.h"
#include "parsers/loader.h"

struct metric_slot *load_find_metric(const struct loader *l, const char *name)
{
	return hashmap_get(l->metric_names, slice_of(name));
}

void load_add_metric(struct loader *l, struct metric_slot *slot)
{
	slot->index = l->metric_count;
	l->metrics = xgrow(l->metrics, l->metric_count, sizeof(struct metric_slot *));
	l->metrics[l->metric_count++] = slot;
	if (!slot->def.is_base)
		hashmap_put(l->metric_names, slice_of(slot->def.name), slot);
}

size_t load_series_suffixes(const struct metric_def *def,
			    const char *suffixes[LOAD_MAX_SUFFIXES])
{
	size_t count = 0;

	suffixes[count++] = def->kind == METRIC_HISTOGRAM ? "_bucket" : "";
	if (def->kind == METRIC_HISTOGRAM || def->kind == METRIC_SUMMARY) {
		suffixes[count++] = "_count";
		suffixes[count++] = "_sum";
	}
	if (def->track_age)
		suffixes[count++] = METRIC_AGE_SUFFIX;
	return count;
}

static void check_taken(struct loader *l, const struct metric_slot *of,
			const char *suffix)
{
	char *taken = xasprintf("%s%s", of->def.name, suffix);
	const struct metric_slot *other = load_find_metric(l, taken);

	if (other && other != of)
		diag_error(l->diag, other->at, "rename one",
			   "%s is a series of the %s %s at %s:%d:%d", taken,
			   metric_kind_name(of->def.kind), of->def.name, of->at.file,
			   of->at.line, of->at.column);
	free(taken);
}

static void check_names(struct loader *l, const struct metric_slot *slot)
{
	const char *suffixes[LOAD_MAX_SUFFIXES];
	size_t count = load_series_suffixes(&slot->def, suffixes);

	for (size_t i = 0; i < count; i++)
		check_taken(l, slot, suffixes[i]);
	if (slot->base)
		check_taken(l, slot, LOAD_BASE_SUFFIX);
}

void load_check_metric_names(struct loader *l)
{
	for (size_t i = 0; i < l->metric_count; i++)
		if (!l->metrics[i]->def.is_base)
			check_names(l, l->metrics[i]);
}

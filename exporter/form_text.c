#include "exporter/form.h"
#include "exporter/text.h"

static const struct slice nothing = {"", 0};

static void begin_family(struct strbuf *out, const struct form_family *family,
			 bool is_first)
{
	(void)is_first;
	text_add_header(out, family->name.ptr, family->kind, family->help);
}

static void add_sum_and_count(struct strbuf *out, const struct form_family *family,
			      struct slice labels, double sum, double count)
{
	text_add_sample(out, family->name, slice_of("_sum"), labels, nothing, sum);
	text_add_sample(out, family->name, slice_of("_count"), labels, nothing, count);
}

static void add_histogram(struct strbuf *out, const struct form_family *family,
			  const struct form_series *series)
{
	size_t buckets = family_layout(family->family)->bound_count + 1;
	double count = 0;

	for (size_t i = 0; i < buckets; i++) {
		count += series->sums[i].number;
		text_add_sample(out, family->name, slice_of("_bucket"), series->labels,
				family_le(family->family, i), count);
	}
	add_sum_and_count(out, family, series->labels, series->sums[buckets].number,
			  count);
}

static void add_summary(struct strbuf *out, const struct form_family *family,
			const struct form_series *series)
{
	for (size_t i = 0; i < family->quantile_count; i++)
		text_add_sample(out, family->name, nothing, series->labels,
				slice_of(family->quantiles[i].label),
				series->at_quantiles[i]);
	add_sum_and_count(out, family, series->labels, series->sums[1].number,
			  series->sums[0].number);
}

static void add_states(struct strbuf *out, const struct form_family *family,
		       const struct form_series *series)
{
	for (size_t i = 0; i < family_states(family->family); i++)
		text_add_sample(out, family->name, nothing, series->labels,
				family_state(family->family, i),
				(double)i == series->number);
}

static void add_series(struct strbuf *out, const struct form_family *family,
		       const struct form_series *series, bool is_first)
{
	(void)is_first;
	switch (family->kind) {
	case METRIC_HISTOGRAM:
		add_histogram(out, family, series);
		break;
	case METRIC_SUMMARY:
		add_summary(out, family, series);
		break;
	case METRIC_STATE:
		add_states(out, family, series);
		break;
	default:
		text_add_sample(out, family->name, nothing, series->labels, nothing,
				series->number);
	}
}

static void add_nothing(struct strbuf *out)
{
	(void)out;
}

const struct form form_text = {
	.begin = add_nothing,
	.begin_family = begin_family,
	.add_series = add_series,
	.end_family = add_nothing,
	.end = add_nothing,
};

#include "exporter/form.h"
#include "exporter/text.h"

static const struct slice nothing = {"", 0};

static void begin_family(struct strbuf *out, const struct form_family *family,
			 bool is_first)
{
	(void)is_first;
	text_add_header(out, family->name.ptr, family_kind(family->family),
			family->help);
}

static void add_histogram(struct strbuf *out, const struct form_family *family,
			  struct slice labels, const union slot *slots)
{
	size_t buckets = family_layout(family->family)->bound_count + 1;
	double count = 0;

	for (size_t i = 0; i < buckets; i++) {
		count += slots[i].number;
		text_add_sample(out, family->name, slice_of("_bucket"), labels,
				family_le(family->family, i), count);
	}
	text_add_sample(out, family->name, slice_of("_sum"), labels, nothing,
			slots[buckets].number);
	text_add_sample(out, family->name, slice_of("_count"), labels, nothing, count);
}

static void add_series(struct strbuf *out, const struct form_family *family,
		       struct slice labels, const union slot *slots, bool is_first)
{
	(void)is_first;
	if (family_kind(family->family) == METRIC_HISTOGRAM)
		add_histogram(out, family, labels, slots);
	else
		text_add_sample(out, family->name, nothing, labels, nothing,
				slots[0].number);
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

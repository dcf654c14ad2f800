#include "parsers/label.h"

void label_scratch_finish(struct label_scratch *scratch)
{
	strbuf_finish(&scratch->now);
	strbuf_finish(&scratch->next);
}

static enum label_result replace_all(const struct label_rule *rule,
				     struct record *record,
				     struct label_scratch *scratch, struct slice *value)
{
	for (size_t i = 0; i < rule->replace_count; i++) {
		struct strbuf swap = scratch->now;

		strbuf_clear(&scratch->next);
		switch (regex_replace(rule->replace[i].regex, record->other_scratch,
				      *value, rule->replace[i].with, &scratch->next)) {
		case REGEX_LIMIT:
			return LABEL_LIMIT;
		case REGEX_NO_MATCH:
			break;
		case REGEX_MATCH:
			scratch->now = scratch->next;
			scratch->next = swap;
			*value = strbuf_slice(&scratch->now);
		}
	}
	return LABEL_OK;
}

static struct slice in_lower_case(struct label_scratch *scratch, struct slice value)
{
	struct strbuf *out = &scratch->next;

	strbuf_clear(out);
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		strbuf_putc(out, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
	}
	return strbuf_slice(out);
}

static enum label_result worked_out(const struct label_rule *rule,
				    struct record *record,
				    struct label_scratch *scratch, struct slice *value)
{
	const struct slice *mapped;

	if (rule->value.count != 1)
		strbuf_clear(&scratch->now);
	*value = template_text(&rule->value, record, &scratch->now);
	if (replace_all(rule, record, scratch, value) == LABEL_LIMIT)
		return LABEL_LIMIT;
	mapped = rule->map ? hashmap_get(rule->map, *value) : NULL;
	if (mapped)
		*value = *mapped;
	if (rule->lower)
		*value = in_lower_case(scratch, *value);
	return LABEL_OK;
}

enum label_result label_text(const struct label_rule *rule, struct record *record,
			     struct label_scratch *scratch, struct slice *value)
{
	enum label_result result = LABEL_OK;

	if (rule->only)
		*value = field_text(rule->only, record);
	else
		result = worked_out(rule, record, scratch, value);
	if (result == LABEL_OK && value->len == 0)
		*value = rule->fallback;
	if (result == LABEL_OK && rule->hash && value->len > 0) {
		pseudonyms_write(scratch->pseudonyms, *value, scratch->pseudonym);
		*value = (struct slice){scratch->pseudonym, PSEUDONYM_BYTES};
	}
	return result;
}

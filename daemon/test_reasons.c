#include "daemon/test_reasons.h"

#include "daemon/excerpt.h"
#include "parsers/explain.h"

#define MATCH_STEPS 1000000
#define MOST_TOLD 10
#define COLUMNS 90

static enum update_result on_update(void *ctx, const struct update *update)
{
	return store_update(ctx, update);
}

static void add_more(struct strbuf *out, size_t count)
{
	if (count > MOST_TOLD)
		strbuf_addf(out, "        and %zu more\n", count - MOST_TOLD);
}

static void add_unmatched(struct strbuf *out, const struct explain *explain)
{
	struct excerpt how = {.columns = COLUMNS};
	size_t count = 0;

	for (size_t i = 0; i < explain_count(explain); i++) {
		const struct explained_record *r = explain_record(explain, i);

		if (r->matched_count > 0 || count++ >= MOST_TOLD)
			continue;
		if (count == 1)
			strbuf_puts(out, "      no rule matched (logtally explain says "
					 "why):\n");
		strbuf_addf(out, "        line %zu: ", r->line);
		excerpt_add(out, &how, r->text, EXCERPT_NO_CARET);
	}
	add_more(out, count);
}

static void add_problem(struct strbuf *out, const struct explained_record *r,
			const struct explained_rule *rule,
			const struct explained_update *update)
{
	strbuf_addf(out, "        line %zu, %s: %s: ", r->line, rule->rule->info.name,
		    update->def->name);
	excerpt_add_plain(out, slice_of(update->problem));
	strbuf_putc(out, '\n');
}

static void add_problems(struct strbuf *out, const struct explain *explain)
{
	size_t count = 0;

	for (size_t i = 0; i < explain_count(explain); i++) {
		const struct explained_record *r = explain_record(explain, i);

		for (size_t j = 0; j < r->rule_count; j++) {
			const struct explained_rule *rule = &r->rules[j];

			for (size_t k = 0; k < rule->update_count; k++) {
				if (!rule->updates[k].problem || count++ >= MOST_TOLD)
					continue;
				if (count == 1)
					strbuf_puts(out, "      not updated:\n");
				add_problem(out, r, rule, &rule->updates[k]);
			}
		}
	}
	add_more(out, count);
}

void test_reasons(const struct patterns *patterns, struct source *source,
		  const struct block *block, struct store *store, struct strbuf *out)
{
	struct explain *explain =
		explain_create(patterns, MATCH_STEPS, on_update, store);

	explain_feed(explain, source, NULL, block);
	explain_end(explain, source, NULL);
	add_unmatched(out, explain);
	add_problems(out, explain);
	explain_destroy(explain);
}

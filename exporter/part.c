#include "exporter/part.h"

#include <stdlib.h>

#include "common/xalloc.h"

struct part *part_create(uint64_t sequence, struct schema *schema, size_t chunk_count)
{
	struct part *part = xcalloc(1, sizeof(*part) + schema_total(schema) *
							       sizeof(*part->shares));

	part->sequence = sequence;
	part->schema = schema_ref(schema);
	part->chunks = xcalloc(chunk_count, sizeof(struct chunk *));
	return part;
}

void part_add(struct part *part, size_t metric, uint64_t round,
	      struct chunk *const *chunks, size_t chunk_count)
{
	struct share *share = &part->shares[metric];

	*share = (struct share){
		.chunks = part->chunks + part->chunk_count,
		.chunk_count = chunk_count,
		.series = family_series(schema_family(part->schema, metric)),
		.round = round,
	};
	for (size_t i = 0; i < chunk_count; i++)
		share->chunks[i] = chunks[i] ? chunk_ref(chunks[i]) : NULL;
	part->chunk_count += chunk_count;
}

void part_unref(struct part *part)
{
	if (!part)
		return;
	for (size_t i = 0; i < part->chunk_count; i++)
		chunk_unref(part->chunks[i]);
	schema_unref(part->schema);
	free(part->chunks);
	free(part);
}

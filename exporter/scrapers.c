#include "exporter/scrapers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "common/xalloc.h"
#include "exporter/exposition.h"

struct record {
	XXH128_hash_t client;
	uint64_t sequence;
	uint64_t collected; /* what scrapers_collect() said last; 0: nothing */
	uint64_t saved;     /* as above */
	uint64_t heard;     /* the call that heard from it last; 0: free */
};

struct scrapers {
	pthread_mutex_t lock;
	uint64_t calls;
	struct record records[SCRAPERS_MAX];
};

struct scrapers *scrapers_create(void)
{
	struct scrapers *scrapers = xcalloc(1, sizeof(*scrapers));

	pthread_mutex_init(&scrapers->lock, NULL);
	return scrapers;
}

void scrapers_destroy(struct scrapers *scrapers)
{
	if (!scrapers)
		return;
	pthread_mutex_destroy(&scrapers->lock);
	free(scrapers);
}

/* A client may send a user agent of any length: its hash stands for it. */
static XXH128_hash_t client_of(const char *address, const char *user_agent)
{
	XXH128_hash_t hash = XXH3_128bits(address, strlen(address));

	if (!user_agent)
		return hash;
	return XXH3_128bits_withSeed(user_agent, strlen(user_agent),
				     hash.low64 ^ hash.high64);
}

static struct record *find(struct scrapers *scrapers, XXH128_hash_t client)
{
	for (size_t i = 0; i < SCRAPERS_MAX; i++) {
		struct record *record = &scrapers->records[i];

		if (record->heard != 0 && XXH128_isEqual(record->client, client))
			return record;
	}
	return NULL;
}

/* Takes the place of a free one, or of the longest silent. */
static struct record *find_or_add(struct scrapers *scrapers, XXH128_hash_t client)
{
	struct record *record = find(scrapers, client);

	if (record)
		return record;
	record = scrapers->records;
	for (size_t i = 1; i < SCRAPERS_MAX; i++)
		if (scrapers->records[i].heard < record->heard)
			record = &scrapers->records[i];
	*record = (struct record){.client = client};
	return record;
}

uint64_t scrapers_seen(struct scrapers *scrapers, const char *address,
		       const char *user_agent, bool saved_only)
{
	XXH128_hash_t client = client_of(address, user_agent);
	uint64_t seen = EXPOSITION_ALL_SEEN;
	struct record *record;

	pthread_mutex_lock(&scrapers->lock);
	record = find(scrapers, client);
	if (record) {
		record->heard = ++scrapers->calls;
		/* After a crash one that was never saved is shown all values. */
		seen = saved_only && record->saved > 0 ? record->saved
						       : record->sequence;
	}
	pthread_mutex_unlock(&scrapers->lock);
	return seen;
}

/* A slower response with an older cut does not undo what a newer one showed. */
void scrapers_shown(struct scrapers *scrapers, const char *address,
		    const char *user_agent, uint64_t sequence)
{
	XXH128_hash_t client = client_of(address, user_agent);
	struct record *record;

	pthread_mutex_lock(&scrapers->lock);
	record = find_or_add(scrapers, client);
	record->heard = ++scrapers->calls;
	if (sequence > record->sequence)
		record->sequence = sequence;
	pthread_mutex_unlock(&scrapers->lock);
}

void scrapers_restore(struct scrapers *scrapers, const struct scraper_record *saved)
{
	XXH128_canonical_t client;
	struct record *record;

	memcpy(client.digest, saved->client, sizeof(client.digest));
	pthread_mutex_lock(&scrapers->lock);
	record = find_or_add(scrapers, XXH128_hashFromCanonical(&client));
	record->sequence = record->collected = record->saved = saved->sequence;
	record->heard = saved->heard > 0 ? saved->heard : 1;
	if (record->heard > scrapers->calls)
		scrapers->calls = record->heard;
	pthread_mutex_unlock(&scrapers->lock);
}

size_t scrapers_collect(struct scrapers *scrapers, struct scraper_record *records,
			bool *changed)
{
	size_t count = 0;

	*changed = false;
	pthread_mutex_lock(&scrapers->lock);
	for (size_t i = 0; i < SCRAPERS_MAX; i++) {
		struct record *record = &scrapers->records[i];
		XXH128_canonical_t client;

		if (record->heard == 0)
			continue;
		XXH128_canonicalFromHash(&client, record->client);
		memcpy(records[count].client, client.digest, sizeof(client.digest));
		records[count].sequence = record->collected = record->sequence;
		records[count++].heard = record->heard;
		*changed = *changed || record->sequence != record->saved;
	}
	pthread_mutex_unlock(&scrapers->lock);
	return count;
}

void scrapers_saved(struct scrapers *scrapers)
{
	pthread_mutex_lock(&scrapers->lock);
	for (size_t i = 0; i < SCRAPERS_MAX; i++)
		scrapers->records[i].saved = scrapers->records[i].collected;
	pthread_mutex_unlock(&scrapers->lock);
}

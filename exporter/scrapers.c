#include "exporter/scrapers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "common/xalloc.h"
#include "exporter/exposition.h"

#define RECORDS 64

struct record {
	XXH128_hash_t client;
	uint64_t sequence;
	uint64_t heard; /* the call that heard from it last; 0: free */
};

struct scrapers {
	pthread_mutex_t lock;
	uint64_t calls;
	struct record records[RECORDS];
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
	for (size_t i = 0; i < RECORDS; i++) {
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
	for (size_t i = 1; i < RECORDS; i++)
		if (scrapers->records[i].heard < record->heard)
			record = &scrapers->records[i];
	*record = (struct record){.client = client};
	return record;
}

uint64_t scrapers_seen(struct scrapers *scrapers, const char *address,
		       const char *user_agent)
{
	XXH128_hash_t client = client_of(address, user_agent);
	uint64_t seen = EXPOSITION_ALL_SEEN;
	struct record *record;

	pthread_mutex_lock(&scrapers->lock);
	record = find(scrapers, client);
	if (record) {
		record->heard = ++scrapers->calls;
		seen = record->sequence;
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

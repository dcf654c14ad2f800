/*
 * scrapers.h - what each scraper was shown last.
 *
 * Prometheus' increase() misses a series that is born at 1.  So a scraper is
 * shown a counter, histogram or summary born since its last scrape at 0 once, then at
 * its value.  A scraper is a client that sends the header
 * X-Prometheus-Scrape-Timeout-Seconds, told apart by address and user agent;
 * a person with curl sees the values as they are, and so does a scraper
 * without history.
 */
#ifndef EXPORTER_SCRAPERS_H
#define EXPORTER_SCRAPERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRAPERS_MAX 64

struct scrapers;

struct scrapers *scrapers_create(void);
void scrapers_destroy(struct scrapers *scrapers); /* NULL is accepted */

/*
 * The newest cut that this scraper was shown, for exposition_create();
 * EXPOSITION_ALL_SEEN if it has no history.  `saved_only`: as far as that is
 * saved, which may be older but is what is known after a crash: a series that
 * was shown at its value is never shown at 0 again.  Any thread.  `user_agent`
 * may be NULL here and below.
 */
uint64_t scrapers_seen(struct scrapers *scrapers, const char *address,
		       const char *user_agent, bool saved_only);

/*
 * Once a whole response has been sent: it has been shown `sequence`.  At most
 * SCRAPERS_MAX are remembered; the longest silent is forgotten first.  Any thread.
 */
void scrapers_shown(struct scrapers *scrapers, const char *address,
		    const char *user_agent, uint64_t sequence);

/* -- for the one who saves -------------------------------------------------- */

struct scraper_record {
	unsigned char client[16]; /* who it is; the same in every process */
	uint64_t sequence;        /* of the newest cut that it was shown */
	uint64_t heard;           /* orders them: the larger, the later heard */
};

/* Before the first is seen or shown. */
void scrapers_restore(struct scrapers *scrapers, const struct scraper_record *record);

/*
 * Fills `records`, of SCRAPERS_MAX, and returns how many there are.  *changed:
 * somebody was shown more than is saved.  scrapers_saved(), by the same thread,
 * says that what was collected last is saved now.
 */
size_t scrapers_collect(struct scrapers *scrapers, struct scraper_record *records,
			bool *changed);
void scrapers_saved(struct scrapers *scrapers);

#endif

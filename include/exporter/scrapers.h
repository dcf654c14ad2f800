/*
 * scrapers.h - what each scraper was shown last.
 *
 * Prometheus' increase() misses a series that is born at 1.  So a scraper is
 * shown a counter or histogram born since its last scrape at 0 once, then at
 * its value.  A scraper is a client that sends the header
 * X-Prometheus-Scrape-Timeout-Seconds, told apart by address and user agent;
 * a person with curl sees the values as they are, and so does a scraper
 * without history.
 */
#ifndef EXPORTER_SCRAPERS_H
#define EXPORTER_SCRAPERS_H

#include <stdint.h>

struct scrapers;

struct scrapers *scrapers_create(void);
void scrapers_destroy(struct scrapers *scrapers); /* NULL is accepted */

/*
 * The newest cut that this scraper was shown, for exposition_create();
 * EXPOSITION_ALL_SEEN if it has no history.  Any thread.  `user_agent` may be
 * NULL here and below.
 */
uint64_t scrapers_seen(struct scrapers *scrapers, const char *address,
		       const char *user_agent);

/*
 * Once a whole response has been sent: it has been shown `sequence`.  At most
 * 64 are remembered; the longest silent is forgotten first.  Any thread.
 */
void scrapers_shown(struct scrapers *scrapers, const char *address,
		    const char *user_agent, uint64_t sequence);

#endif

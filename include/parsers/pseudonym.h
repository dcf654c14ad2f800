/*
 * pseudonym.h - texts that stand for others, by a secret key.
 *
 * The first 16 hexadecimal digits, in lower case, of HMAC-SHA256 (RFC 2104, FIPS 198-1)
 * of the text: the same key gives the same text the same pseudonym, on every machine;
 * without the key neither can be found from the other.  Nothing is allocated for a
 * text.
 */
#ifndef PARSERS_PSEUDONYM_H
#define PARSERS_PSEUDONYM_H

#include "common/slice.h"

#define PSEUDONYM_BYTES 16
#define PSEUDONYM_KEY_LEAST_BYTES 16

/* No secret: what patterns files' tests expect was made with it. */
#define PSEUDONYM_TEST_KEY "logtally-test-key"

/* Of one thread. */
struct pseudonyms;

/* The key is copied. */
struct pseudonyms *pseudonyms_create(struct slice key);
void pseudonyms_destroy(struct pseudonyms *pseudonyms); /* NULL is accepted */

/* Without a zero at the end. */
void pseudonyms_write(struct pseudonyms *pseudonyms, struct slice text,
		      char out[PSEUDONYM_BYTES]);

#endif

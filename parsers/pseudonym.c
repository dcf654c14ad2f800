#include "parsers/pseudonym.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/xalloc.h"

#define DIGEST_BYTES 32

struct pseudonyms {
	gnutls_hmac_hd_t hmac;
};

/* No memory, or a library that was built without SHA-256. */
static void need(int result)
{
	if (result >= 0)
		return;
	fprintf(stderr, "logtally: HMAC-SHA256: %s\n", gnutls_strerror(result));
	abort();
}

struct pseudonyms *pseudonyms_create(struct slice key)
{
	struct pseudonyms *p = xcalloc(1, sizeof(*p));

	need(gnutls_hmac_init(&p->hmac, GNUTLS_MAC_SHA256, key.ptr, key.len));
	return p;
}

void pseudonyms_destroy(struct pseudonyms *p)
{
	if (!p)
		return;
	gnutls_hmac_deinit(p->hmac, NULL);
	free(p);
}

void pseudonyms_write(struct pseudonyms *p, struct slice text,
		      char out[PSEUDONYM_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[DIGEST_BYTES];

	need(gnutls_hmac(p->hmac, text.ptr, text.len));
	gnutls_hmac_output(p->hmac, digest); /* and begins anew */
	for (size_t i = 0; i < PSEUDONYM_BYTES; i++)
		out[i] = digits[i % 2 ? digest[i / 2] & 15 : digest[i / 2] >> 4];
}

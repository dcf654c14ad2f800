/* landing.h - the page at /: what this is and where to go. */
#ifndef EXPORTER_LANDING_H
#define EXPORTER_LANDING_H

#include "common/slice.h"
#include "common/strbuf.h"

/* What the page's HTML needs: nothing from anywhere. */
#define LANDING_SECURITY_POLICY                                                     \
	"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors " \
	"'none'"

/* Appends the page.  `version` may be NULL. */
void landing_add_page(struct strbuf *out, const char *telemetry_path,
		      const char *version);

#endif

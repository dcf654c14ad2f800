/*
 * panes.h - what was seen of one series in its window, the last stretch of log time.
 *
 * Log time is divided into panes of a sixth of the window, counted from 1970, the
 * same for everybody.  The window is the pane of the newest time and the PANES
 * before it: it covers between one window and one window and a sixth.  What is
 * older is let go.  So what it holds depends on the times and values alone, not on
 * their order, nor on which worker saw which, nor on restarts.
 *
 * Shared by reference until written to, as chunks are (chunk.h), pane by pane: a
 * writer whose values lie in a cut copies the pane it writes to, not the others.
 */
#ifndef EXPORTER_PANES_H
#define EXPORTER_PANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "common/strbuf.h"

#define PANES 6

/* What is kept of the values of a pane. */
enum panes_kind {
	PANES_NONE,
	PANES_LEAST,
	PANES_GREATEST,
	PANES_SKETCH,  /* sketch.h */
	PANES_DISTINCT /* distinct.h */
};

struct panes_shape {
	enum panes_kind kind;
	int64_t pane_ns;
};

struct panes_shape panes_shape(enum panes_kind kind, int64_t window_ns);

struct panes;

/* Any thread that holds a reference; NULL is accepted. */
struct panes *panes_ref(struct panes *panes);
void panes_unref(struct panes *panes);

/* What is seen: finite; of PANES_DISTINCT the hash of a text. */
union seen {
	double value;
	uint64_t hash;
};

/*
 * Returns the panes with it; the reference moves, `panes` may be NULL.  What is
 * older than the window changes nothing.
 */
struct panes *panes_add(const struct panes_shape *shape, struct panes *panes,
			union seen seen, int64_t time_ns);

/* The window of both: it ends at the newest time of either.  The caller's reference. */
struct panes *panes_merge(const struct panes_shape *shape, const struct panes *a,
			  const struct panes *b);

/* All panes of the window as one, the caller's; NULL if there are none. */
struct pane *panes_whole(const struct panes_shape *shape, const struct panes *panes);

/*
 * The least or greatest value, or the count of different texts; NaN where there is
 * none, the count then 0.
 */
double panes_number(const struct panes_shape *shape, const struct panes *panes);

/* Bytes that panes_decode() makes the same of, on any machine; NULL if it cannot. */
void panes_encode(const struct panes_shape *shape, const struct panes *panes,
		  struct strbuf *out);
struct panes *panes_decode(const struct panes_shape *shape, struct slice bytes);

#endif

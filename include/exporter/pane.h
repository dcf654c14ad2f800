/*
 * pane.h - what was seen of one series in one pane of log time: a run of cells.
 *
 * What a cell means is the affair of sketch.h and distinct.h; of a least or a
 * greatest value there is one, the bits of the double.  A pane is shared by
 * reference until it is written to, as a chunk is (chunk.h).
 */
#ifndef EXPORTER_PANE_H
#define EXPORTER_PANE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pane {
	atomic_uint refs;
	uint32_t count, room;
	bool is_dense; /* distinct.h */
	int64_t index; /* its place in log time */
	uint64_t cells[];
};

struct pane *pane_create(int64_t index, uint32_t room);

/* Only who holds a reference.  Any thread. */
struct pane *pane_ref(struct pane *pane);
void pane_unref(struct pane *pane);

/* The pane to write to: a copy if others hold it.  The reference moves. */
struct pane *pane_own(struct pane *pane);

/* Makes room for a cell at `at`, and moves those behind it; for the only holder. */
struct pane *pane_insert(struct pane *pane, uint32_t at, uint64_t cell);

/* How many cells are less than `cell`: they ascend. */
uint32_t pane_find(const struct pane *pane, uint64_t cell);

#endif

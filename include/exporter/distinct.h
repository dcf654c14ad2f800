/*
 * distinct.h - a pane's texts, so that different ones can be counted.
 *
 * By their hashes (xxHash, 64 bits).  Up to DISTINCT_EXACT of them are kept, and
 * counted exactly: one a cell, ascending.  More are 4096 registers of HyperLogLog
 * (Flajolet, Fusy, Gandouet, Meunier: "HyperLogLog: the analysis of a near-optimal
 * cardinality estimation algorithm", AofA 2007; 64 bits and the sparse beginning as
 * in Heule, Nunkesser, Hall: "HyperLogLog in practice", EDBT 2013), which take the
 * same room.  They are read as in Ertl: "New cardinality estimation algorithms for
 * HyperLogLog sketches" (2017), which has no bias at any size.  The standard error is
 * 1.04 / sqrt(4096), 1.6%.
 *
 * Merging takes the union, so order and distribution make no difference.
 */
#ifndef EXPORTER_DISTINCT_H
#define EXPORTER_DISTINCT_H

#include <stdbool.h>

#include "common/slice.h"
#include "exporter/pane.h"

#define DISTINCT_EXACT 512
#define DISTINCT_REGISTERS 4096

uint64_t distinct_hash(struct slice text);

/* For the only holder, who goes on with what is returned. */
struct pane *distinct_add(struct pane *pane, uint64_t hash);
struct pane *distinct_merge(struct pane *into, const struct pane *from);

/* A whole number. */
double distinct_count(const struct pane *pane);

/* Whether the cells are such as distinct_add() and distinct_merge() make. */
bool distinct_is_valid(const struct pane *pane);

#endif

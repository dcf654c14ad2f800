/*
 * panes_list.h - the inside of struct panes, for panes.c and panes_code.c.
 */
#ifndef EXPORTER_PANES_LIST_H
#define EXPORTER_PANES_LIST_H

#include <stdatomic.h>
#include <stddef.h>

#include "exporter/pane.h"
#include "exporter/panes.h"

struct panes {
	atomic_uint refs;
	unsigned count;
	struct pane *list[PANES + 1]; /* by index, ascending; none is empty */
};

/* Empty: a pane must follow. */
struct panes *panes_create(void);

#endif

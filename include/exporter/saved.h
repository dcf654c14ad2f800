/*
 * saved.h - what outlives the process: out of cuts, and back into families.
 *
 * Whoever saves asks for what changed between the last cut that is saved and a
 * new one, and notes in the family what it has saved of it.  At the next start
 * registry_bind() asks for families by their signature, and the saved series
 * come back with their numbers, births and values.  Knows nothing of where and
 * how they are stored.
 */
#ifndef EXPORTER_SAVED_H
#define EXPORTER_SAVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "exporter/cut.h"
#include "exporter/registry.h"
#include "exporter/slots.h"

/* The definition as text, the same in every process (registry_set_restore()). */
struct slice family_signature(const struct family *family);

/* What the numbers of a state mean: a list of texts, as JSON; NULL of other kinds. */
const char *family_state_list(const struct family *family);

/* The notes of the one who saves; nobody else touches them. */
struct family_saved {
	uint64_t id;
	uint32_t series; /* so many are saved: those with the numbers below */
	bool is_there;   /* the family itself is saved */
	/* Of label texts that cut_each_change() visited last. */
	struct saved_text {
		uint32_t number;
		unsigned char version;
	} * texts;
	size_t text_count;
};
struct family_saved *family_saved(struct family *family);

/* All that cut_each_change() visited of the family last is saved. */
void family_note_saved(struct family *family, const struct cut *cut, size_t metric);
/* None of it is any longer. */
void family_note_unsaved(struct family *family);

struct saved_series {
	struct slice labels; /* rendered: a="x",b="y" */
	uint64_t born; /* sequence of the first cut that held it; 0: always there */
	struct slots_value value;
	bool is_free; /* no series has the number: neither labels nor value */
};

/*
 * The next series of the family: numbers ascend from 0.  Only within
 * registry_set_restore()'s call.  False, and nothing is done, if the labels are there
 * already or the value does not go with the definition.
 */
bool family_restore(struct family *family, const struct saved_series *series);

/*
 * What a series that is restored was when it was hidden (without panes), before it came
 * back with the cut `sequence`; 0: it is hidden still.  As above; false, too, if there
 * is no such series.
 */
bool family_restore_past(struct family *family, uint32_t number, uint64_t sequence,
			 const struct slots_value *value);

/* Everything that is visited is borrowed until the visit returns. */
struct cut_visitor {
	/*
	 * One that was not saved, in the order of numbers; or one whose number was
	 * saved for another, or is free now.  It has no past.
	 */
	void (*series)(void *ctx, struct family *family, uint32_t number,
		       const struct saved_series *series);
	/* A new value of one that was. */
	void (*value)(void *ctx, struct family *family, uint32_t number,
		      const struct slots_value *value);
	/*
	 * It was hidden (sequence 0), or came back: what it was before.  After those
	 * above of the series.
	 */
	void (*past)(void *ctx, struct family *family, uint32_t number,
		     uint64_t sequence, const struct slots_value *value);
};

/*
 * Visits what `cut` holds beyond what is saved: `since` is the last cut that
 * is, with as many workers.  Series are new from family_saved()->series on.  Of
 * a family that `since` does not hold, every value is visited.  Costs a
 * comparison of pointers for each 64 series that nobody wrote to.
 */
void cut_each_change(const struct cut *cut, const struct cut *since,
		     const struct cut_visitor *visitor, void *ctx);

#endif

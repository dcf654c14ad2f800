/*
 * flood.h - is a directory written to so often that it must not be told?
 *
 * A writer makes an event of each of its writes, hundreds of thousands a
 * second, and waits for it.  Where too many come they are turned off and the
 * files are looked at every few milliseconds instead, until they hardly grow.
 *
 * Pure: knows neither inotify nor files, and takes the time from its caller.
 */
#ifndef TAILER_FLOOD_H
#define TAILER_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

/* One directory.  All zero: calm. */
struct flood {
	int64_t counted_since_ns;
	unsigned count;    /* of writes since then */
	int64_t due_ns;    /* of the next look; 0: calm */
	int64_t rest_ns;   /* how long events are off at least */
	int64_t judged_ns; /* whether it is over is decided then */
	uint64_t grown_bytes;
	int64_t ended_ns; /* of the last flood; 0: there was none */
};

/* A write was told.  True, once, if that is too many. */
bool flood_write(struct flood *flood, int64_t now_ns);

/* Events are off from now on.  False if it is the last flood that goes on. */
bool flood_begin(struct flood *flood, int64_t now_ns);

/*
 * The files were looked at; that took so much CPU time and found this much
 * more.  Plans the next look.  True if it may be over: turn the events on
 * again, call flood_end(), and look once more at what came in between.
 */
bool flood_looked(struct flood *flood, int64_t now_ns, int64_t took_ns,
		  uint64_t grown_bytes);
void flood_end(struct flood *flood, int64_t now_ns);

#endif

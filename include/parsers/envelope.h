/*
 * envelope.h - what container runtimes put around each line of a log.
 *
 * docker: the lines of Docker's json-file driver, a JSON object with the keys
 * `log` (the text with its newline; without one it goes on in the next), `stream` and
 * `time`; other keys (`attrs`) are passed over.
 *   https://docs.docker.com/engine/logging/drivers/json-file/
 * cri: time, stream, tags and text, separated by one space each; the first of
 * the tags, which colons separate, is P (it goes on in the next line) or F.
 *   https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
 *
 * Knows one line.  What belongs together is assembly.h's affair.
 */
#ifndef PARSERS_ENVELOPE_H
#define PARSERS_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"
#include "common/strbuf.h"

enum envelope {
	ENVELOPE_AUTO, /* what the first line is in */
	ENVELOPE_NONE,
	ENVELOPE_DOCKER,
	ENVELOPE_CRI,
	ENVELOPES
};

/* As `envelope` names them in a configuration, in the order of the enum. */
extern const char *const envelope_names[ENVELOPES];

/* False: there is none of that name. */
bool envelope_by_name(struct slice name, enum envelope *envelope);

enum envelope_stream { STREAM_NONE, STREAM_STDOUT, STREAM_STDERR, STREAMS };

/* "stdout", "stderr"; ptr is NULL for STREAM_NONE.  Static. */
struct slice envelope_stream_name(enum envelope_stream stream);

#define ENVELOPE_NO_TIME INT64_MIN

struct envelope_line {
	enum envelope_stream stream; /* STREAM_NONE: another, or not said */
	int64_t time_ns;             /* ENVELOPE_NO_TIME: it does not say */
	bool goes_on; /* its text is joined with the next of the stream */
};

/*
 * Takes a line, without its newline, out of ENVELOPE_DOCKER or ENVELOPE_CRI, and
 * appends its text, without newline or CRLF.  False: it is not in such an
 * envelope; nothing is appended.  Half of a surrogate pair becomes U+FFFD.
 */
bool envelope_open(enum envelope envelope, struct slice line, struct envelope_line *out,
		   struct strbuf *text);

/*
 * Which one the line is in, if any: ENVELOPE_DOCKER, ENVELOPE_CRI or ENVELOPE_NONE.
 * For ENVELOPE_CRI what stands before the text is enough.
 */
enum envelope envelope_of(struct slice line);

/* May a line that begins so be in ENVELOPE_DOCKER?  The driver writes `log` first. */
bool envelope_may_be_docker(struct slice beginning);

#endif

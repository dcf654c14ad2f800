/*
 * The tracebacks of four languages.  A traceback joins the line before it where the
 * usual loggers print it behind their message (Python's logging.exception,
 * log4j and logback, net/http's "panic serving", console.error of Node); what a
 * runtime prints by itself begins a record.  docs/records.md says so to users.
 */
#include "parsers/multiline.h"

#define IN(state) (1U << (state))
#define STEPS(array) array, sizeof(array) / sizeof((array)[0])

/* -- Python: traceback.print_exception(), with chains and groups ---------- */

enum { PY_OUTSIDE, PY_FRAMES, PY_RAISED, PY_GAP, PY_CHAINED };

#define PY_HEAD                                       \
	"^(?:Traceback \\(most recent call last\\):|" \
	"\\s+\\+ Exception Group Traceback |"         \
	"\\s+File \")"
#define PY_BECAUSE                                                                \
	"^(?:During handling of the above exception, another exception occurred|" \
	"The above exception was the direct cause of the following exception):"

static const struct multiline_preset_step python[] = {
	{IN(PY_OUTSIDE), PY_HEAD, MULTILINE_JOIN, PY_FRAMES},
	{IN(PY_FRAMES), "^\\s+\\S", MULTILINE_JOIN, PY_FRAMES},
	{IN(PY_RAISED), "^\\s+\\S", MULTILINE_JOIN, PY_RAISED},
	/* The exception with its class: nothing else stands at the margin. */
	{IN(PY_FRAMES), "^[^\\W\\d][\\w.<>]*(?::\\s|:?$)", MULTILINE_JOIN, PY_RAISED},
	{IN(PY_FRAMES) | IN(PY_RAISED) | IN(PY_GAP), "^\\s*$", MULTILINE_JOIN, PY_GAP},
	{IN(PY_GAP), PY_BECAUSE, MULTILINE_JOIN, PY_CHAINED},
	{IN(PY_CHAINED), "^\\s*$", MULTILINE_JOIN, PY_CHAINED},
	{IN(PY_CHAINED), PY_HEAD, MULTILINE_JOIN, PY_FRAMES},
	/* Another one, which no log line comes before. */
	{IN(PY_FRAMES) | IN(PY_RAISED) | IN(PY_GAP), PY_HEAD, MULTILINE_BEGIN,
	 PY_FRAMES},
};

/* -- Java: Throwable.printStackTrace(), and what log4j and logback make of it */

static const struct multiline_preset_step java[] = {
	{MULTILINE_ANY_STATE,
	 "^(?:\\s+(?:at |\\.\\.\\. \\d+ |\\[CIRCULAR REFERENCE)|"
	 "\\s*(?:Caused by|Suppressed|Wrapped by): |"
	 /* A class with its package, as only exceptions have a line of their own. */
	 "(?:[\\p{L}_$][\\w$]*\\.)+[A-Z][\\w$]*(?::\\s|:?$))",
	 MULTILINE_JOIN, 0},
};

/* -- Go: panics and fatal errors with their goroutines -------------------- */

enum { GO_OUTSIDE, GO_PANIC, GO_STACK };

#define GO_HEAD \
	"^(?:panic: |fatal error: |runtime: |unexpected fault address |SIG[A-Z]+: )"

static const struct multiline_preset_step go[] = {
	{IN(GO_OUTSIDE) | IN(GO_STACK), GO_HEAD, MULTILINE_BEGIN, GO_PANIC},
	{MULTILINE_ANY_STATE, "^goroutine \\d+ .*\\[.*\\]:$", MULTILINE_JOIN, GO_STACK},
	/* A stack overflow says so with "runtime:" lines before its "fatal error:". */
	{IN(GO_PANIC), "^(?:\\s*$|\\s|\\[signal |panic: |fatal error: |runtime: |PC=)",
	 MULTILINE_JOIN, GO_PANIC},
	{IN(GO_STACK),
	 "^(?:\\s|$|\\S+\\(.*\\)$|created by |exit status \\d+$|\\.\\.\\.|"
	 "[a-z0-9]{2,7}\\s+0x[0-9a-f]+$)",
	 MULTILINE_JOIN, GO_STACK},
};

/* -- JavaScript: V8's Error.stack, and what Node prints when it dies of one -- */

enum { JS_OUTSIDE, JS_PLACE, JS_SOURCE, JS_CARET, JS_STACK, JS_GAP };

static const struct multiline_preset_step javascript[] = {
	{MULTILINE_ANY_STATE & ~(IN(JS_PLACE) | IN(JS_SOURCE)), "^\\s+at ",
	 MULTILINE_JOIN, JS_STACK},
	/* Where it was thrown, that line of the source, a caret, the error. */
	{IN(JS_PLACE), NULL, MULTILINE_JOIN, JS_SOURCE},
	{IN(JS_SOURCE), "^\\s*\\^+\\s*$", MULTILINE_JOIN, JS_CARET},
	{IN(JS_CARET), "^\\s*$", MULTILINE_JOIN, JS_CARET},
	{IN(JS_CARET), NULL, MULTILINE_JOIN, JS_STACK},
	{IN(JS_STACK), "^(?:\\s+\\S|\\}|From previous event:|Caused by: )",
	 MULTILINE_JOIN, JS_STACK},
	{IN(JS_STACK) | IN(JS_GAP), "^\\s*$", MULTILINE_JOIN, JS_GAP},
	{IN(JS_STACK) | IN(JS_GAP), "^(?:Node\\.js v\\d|\\(Use `node )", MULTILINE_JOIN,
	 JS_GAP},
	{MULTILINE_ANY_STATE & ~IN(JS_PLACE),
	 "^(?:/|[A-Za-z]:\\\\|file://|node:|internal/|evalmachine).*:\\d+$",
	 MULTILINE_BEGIN, JS_PLACE},
};

const struct multiline_preset multiline_presets[MULTILINE_PRESETS] = {
	{"python", STEPS(python)},
	{"java", STEPS(java)},
	{"go", STEPS(go)},
	{"javascript", STEPS(javascript)},
};

/* The presets of multiline on what Python, Java, Go and Node really print. */
#include "records_fixture.h"

TestSuite(traces, .init = setup, .fini = teardown);

#define PY_FIRST                                     \
	"Traceback (most recent call last):\n"       \
	"  File \"/app/etl.py\", line 4, in fetch\n" \
	"    return cache[key]\n"                    \
	"           ~~~~~^^^^^\n"                    \
	"KeyError: 'p017'\n"
#define PY_FIRST_SAID                               \
	"Traceback (most recent call last):~"       \
	"  File \"/app/etl.py\", line 4, in fetch~" \
	"    return cache[key]~"                    \
	"           ~~~~~^^^^^~"                    \
	"KeyError: 'p017'"

Test(traces, python_tracebacks_join_the_line_before_them)
{
	expect_records("multiline: python\n",
		       "2026-11-20 ERROR failed\n" PY_FIRST "2026-11-20 INFO next\n"
		       "2026-11-20 INFO more\n",
		       "2026-11-20 ERROR failed~" PY_FIRST_SAID
		       "\n2026-11-20 INFO next\n"
		       "2026-11-20 INFO more\n");
	expect_records("multiline: python\n", PY_FIRST PY_FIRST,
		       PY_FIRST_SAID "\n" PY_FIRST_SAID "\n");
}

Test(traces, python_chains_are_one_record)
{
	expect_records("multiline: python\n",
		       "E\n" PY_FIRST
		       "\nDuring handling of the above exception, another exception "
		       "occurred:\n\n" PY_FIRST
		       "\nThe above exception was the direct cause of the following "
		       "exception:\n\n"
		       "Traceback (most recent call last):\n"
		       "  File \"x.py\", line 2, in <module>\n"
		       "    run()\n"
		       "  [Previous line repeated 996 more times]\n"
		       "etl.errors.<locals>.IngestError: gone\n"
		       "INFO next: one\n",
		       "E~" PY_FIRST_SAID
		       "~~During handling of the above exception, another exception "
		       "occurred:~~" PY_FIRST_SAID
		       "~~The above exception was the direct cause of the following "
		       "exception:~~"
		       "Traceback (most recent call last):~"
		       "  File \"x.py\", line 2, in <module>~"
		       "    run()~"
		       "  [Previous line repeated 996 more times]~"
		       "etl.errors.<locals>.IngestError: gone\n"
		       "INFO next: one\n");
}

Test(traces, python_exception_groups_are_one_record)
{
	expect_records("multiline: python\n",
		       "E\n"
		       "  + Exception Group Traceback (most recent call last):\n"
		       "  |   File \"x.py\", line 1, in <module>\n"
		       "  | ExceptionGroup: two (2 sub-exceptions)\n"
		       "  +-+---------------- 1 ----------------\n"
		       "    | ValueError: 1\n"
		       "    +---------------- 2 ----------------\n"
		       "    | TypeError: 2\n"
		       "    +------------------------------------\n"
		       "2026 next\n",
		       "E~"
		       "  + Exception Group Traceback (most recent call last):~"
		       "  |   File \"x.py\", line 1, in <module>~"
		       "  | ExceptionGroup: two (2 sub-exceptions)~"
		       "  +-+---------------- 1 ----------------~"
		       "    | ValueError: 1~"
		       "    +---------------- 2 ----------------~"
		       "    | TypeError: 2~"
		       "    +------------------------------------\n"
		       "2026 next\n");
}

Test(traces, a_python_line_that_is_no_exception_does_not_join_the_frames)
{
	expect_records("multiline: python\n",
		       "Traceback (most recent call last):\n"
		       "  File \"x.py\", line 1, in f\n"
		       "2026-11-20 from another process\n",
		       "Traceback (most recent call last):~"
		       "  File \"x.py\", line 1, in f\n"
		       "2026-11-20 from another process\n");
}

Test(traces, java_traces_join_the_line_before_them)
{
	expect_records("multiline: java\n",
		       "2026-11-20 ERROR failed\n"
		       "java.lang.IllegalStateException: no upstream\n"
		       "\tat com.example.Etl.run(Etl.java:12)\n"
		       "\tat java.base/java.lang.Thread.run(Thread.java:840)\n"
		       "\tSuppressed: java.io.IOException: close\n"
		       "\t\tat com.example.Etl.close(Etl.java:30)\n"
		       "\t\t... 1 more\n"
		       "Caused by: java.net.ConnectException: refused\n"
		       "\tat com.example.Net.open(Net.java:7)\n"
		       "\t... 12 more\n"
		       "\t... 3 common frames omitted\n"
		       "2026-11-20 INFO next\n"
		       "Exception in thread \"main\" a.b.C: x\n"
		       "\tat a.b.D.e(D.java)\n"
		       "com.example: no exception\n",
		       "2026-11-20 ERROR failed~"
		       "java.lang.IllegalStateException: no upstream~"
		       "\tat com.example.Etl.run(Etl.java:12)~"
		       "\tat java.base/java.lang.Thread.run(Thread.java:840)~"
		       "\tSuppressed: java.io.IOException: close~"
		       "\t\tat com.example.Etl.close(Etl.java:30)~"
		       "\t\t... 1 more~"
		       "Caused by: java.net.ConnectException: refused~"
		       "\tat com.example.Net.open(Net.java:7)~"
		       "\t... 12 more~"
		       "\t... 3 common frames omitted\n"
		       "2026-11-20 INFO next\n"
		       "Exception in thread \"main\" a.b.C: x~"
		       "\tat a.b.D.e(D.java)\n"
		       "com.example: no exception\n");
}

Test(traces, go_panics_are_records_of_their_own)
{
	expect_records(
		"multiline: go\n",
		"2026/11/20 12:00:00 before\n"
		"panic: first [recovered]\n"
		"\tpanic: runtime error: index out of range [5] with length 3\n"
		"[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4]\n"
		"\n"
		"goroutine 1 [running]:\n"
		"main.(*T).run(0xc000012345, {0x1, 0x2})\n"
		"\t/tmp/x.go:8 +0x1d\n"
		"created by main.main in goroutine 7\n"
		"\t/tmp/x.go:3 +0x2\n"
		"\n"
		"goroutine 18 [chan receive, 5 minutes]:\n"
		"main.wait[...](...)\n"
		"\t/tmp/x.go:9\n"
		"exit status 2\n"
		"2026/11/20 12:00:01 after\n"
		"fatal error: all goroutines are asleep - deadlock!\n"
		"\n"
		"goroutine 1 [select (no cases)]:\n"
		"main.main()\n"
		"\t/tmp/y.go:1 +0x1\n",
		"2026/11/20 12:00:00 before\n"
		"panic: first [recovered]~"
		"\tpanic: runtime error: index out of range [5] with length 3~"
		"[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4]~"
		"~"
		"goroutine 1 [running]:~"
		"main.(*T).run(0xc000012345, {0x1, 0x2})~"
		"\t/tmp/x.go:8 +0x1d~"
		"created by main.main in goroutine 7~"
		"\t/tmp/x.go:3 +0x2~"
		"~"
		"goroutine 18 [chan receive, 5 minutes]:~"
		"main.wait[...](...)~"
		"\t/tmp/x.go:9~"
		"exit status 2\n"
		"2026/11/20 12:00:01 after\n"
		"fatal error: all goroutines are asleep - deadlock!~"
		"~"
		"goroutine 1 [select (no cases)]:~"
		"main.main()~"
		"\t/tmp/y.go:1 +0x1\n");
}

Test(traces, go_stacks_join_the_line_that_says_why)
{
	expect_records("multiline: go\n",
		       "2026/11/20 http: panic serving 127.0.0.1:1: boom\n"
		       "goroutine 35 [running]:\n"
		       "net/http.(*conn).serve.func1()\n"
		       "\t/usr/lib/go/src/net/http/server.go:1868 +0xb9\n"
		       "2026/11/20 next\n"
		       "panic: only a word\n"
		       "2026/11/20 next (all well)\n",
		       "2026/11/20 http: panic serving 127.0.0.1:1: boom~"
		       "goroutine 35 [running]:~"
		       "net/http.(*conn).serve.func1()~"
		       "\t/usr/lib/go/src/net/http/server.go:1868 +0xb9\n"
		       "2026/11/20 next\n"
		       "panic: only a word\n"
		       "2026/11/20 next (all well)\n");
}

Test(traces, node_stacks_join_the_error)
{
	expect_records("multiline: javascript\n",
		       "2026 ERROR failed: Error: boom\n"
		       "    at run (/app/x.js:3:9)\n"
		       "    at node:internal/main/run_main_module:23:47 {\n"
		       "  code: 'E_X',\n"
		       "  [cause]: TypeError: inner\n"
		       "      at f (/app/y.js:1:1) {\n"
		       "    status: 429\n"
		       "  }\n"
		       "}\n"
		       "2026 INFO listening on http://0.0.0.0:3000\n"
		       "2026 INFO next\n",
		       "2026 ERROR failed: Error: boom~"
		       "    at run (/app/x.js:3:9)~"
		       "    at node:internal/main/run_main_module:23:47 {~"
		       "  code: 'E_X',~"
		       "  [cause]: TypeError: inner~"
		       "      at f (/app/y.js:1:1) {~"
		       "    status: 429~"
		       "  }~"
		       "}\n"
		       "2026 INFO listening on http://0.0.0.0:3000\n"
		       "2026 INFO next\n");
}

Test(traces, what_node_prints_when_it_dies_is_one_record)
{
	expect_records("multiline: javascript\n",
		       "2026 INFO before\n"
		       "/app/x.js:3\n"
		       "    throw new Error('boom');\n"
		       "    ^\n"
		       "\n"
		       "Error: boom\n"
		       "    at Object.<anonymous> (/app/x.js:3:9)\n"
		       "    at node:internal/main/run_main_module:23:47\n"
		       "\n"
		       "Node.js v18.19.0\n"
		       "2026 INFO after\n",
		       "2026 INFO before\n"
		       "/app/x.js:3~"
		       "    throw new Error('boom');~"
		       "    ^~"
		       "~"
		       "Error: boom~"
		       "    at Object.<anonymous> (/app/x.js:3:9)~"
		       "    at node:internal/main/run_main_module:23:47~"
		       "~"
		       "Node.js v18.19.0\n"
		       "2026 INFO after\n");
}

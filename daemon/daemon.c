#include "daemon/daemon.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "daemon/crew.h"
#include "daemon/footprint.h"
#include "daemon/live_metrics.h"
#include "daemon/notify.h"
#include "daemon/own_metrics.h"
#include "daemon/pattern_watch.h"
#include "daemon/resume.h"
#include "daemon/setup.h"
#include "daemon/storage.h"
#include "daemon/version.h"
#include "exporter/web.h"

#define TICK_MS 250
#define STOP_MS 800 /* for the last commit and the workers */
#define MAX_SKIPPED_LINES 20

struct daemon {
	const struct options *options;
	struct resumed resumed;
	struct crew *crew;
	bool was_caught_up; /* an earlier run was */
	struct web *web;
	int lock_fd, signal_fd;
	int wake_fd; /* readable when the main loop should look around */
	bool said_skipped;
	bool said_caught_up;
	struct pattern_watch pattern_watch;

	pthread_mutex_t lock; /* what follows; held for a whole reload */
	struct setup *setup;

	pthread_mutex_t facts_lock; /* what follows */
	struct live_facts facts;
};

/* -- starting ------------------------------------------------------------- */

static void print_error(const char *text)
{
	fprintf(stderr, "logtally: %s\n", text);
}

static bool has_something_to_do(const struct setup *setup)
{
	if (setup->config->root_count == 0)
		print_error("nothing to follow: give --logs PATH, or `logs` in "
			    "--config.file (see logtally --help)");
	else if (setup->config->pattern_count == 0)
		print_error("no rules: give --patterns PATH, or `patterns` in "
			    "--config.file (see logtally --help)");
	return setup->config->root_count > 0 && setup->config->pattern_count > 0;
}

/* Each followed file takes a descriptor. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Threads inherit the mask: only the main loop sees signals. */
static int take_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a failed write, like any other */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* What is born from now on is new to scrapers: the main loop sees to it. */
static void on_backlog_read(void *ctx)
{
	eventfd_write(((struct daemon *)ctx)->wake_fd, 1);
}

static void on_fallback(void *ctx, const char *reason)
{
	struct daemon *d = ctx;
	struct live_facts *facts = &d->facts;
	size_t i = 0;

	pthread_mutex_lock(&d->facts_lock);
	while (i < facts->fallback_count &&
	       strcmp(facts->fallbacks[i].reason, reason) != 0)
		i++;
	if (i < FALLBACK_REASONS) {
		facts->fallbacks[i].reason = reason;
		facts->fallbacks[i].count++;
		if (i == facts->fallback_count)
			facts->fallback_count++;
	}
	pthread_mutex_unlock(&d->facts_lock);
}

/* -- what the web server asks --------------------------------------------- */

static struct cut *on_scrape(void *ctx, struct strbuf *tail, bool *saved)
{
	struct daemon *d = ctx;
	struct cut *cut = saver_scrape(crew_saver(d->crew), saved);
	struct live_facts facts;

	pthread_mutex_lock(&d->facts_lock);
	facts = d->facts;
	facts.schema = schema_ref(d->facts.schema);
	pthread_mutex_unlock(&d->facts_lock);
	/* As the cut has it: a slow commit leaves one from before. */
	facts.catching_up = cut_hides_patterns(cut) || !crew_has_caught_up(d->crew);
	facts.saver = saver_facts(crew_saver(d->crew));
	live_metrics_render(&facts, crew_cutter(d->crew), tail);
	schema_unref(facts.schema);
	return cut;
}

static bool on_ready(void *ctx, struct strbuf *why)
{
	struct daemon *d = ctx;

	if (crew_has_caught_up(d->crew))
		return true;
	strbuf_puts(why, "catching up: reading what was there at the start\n");
	return false;
}

/* -- reload --------------------------------------------------------------- */

static void set_schema_fact(struct daemon *d, struct schema *schema)
{
	struct schema *old;

	pthread_mutex_lock(&d->facts_lock);
	old = d->facts.schema;
	d->facts.schema = schema_ref(schema);
	d->facts.reload_successful = true;
	d->facts.reload_success_ns = clock_wall_ns();
	pthread_mutex_unlock(&d->facts_lock);
	schema_unref(old);
}

static void use(struct daemon *d, struct setup *next)
{
	struct setup *old = d->setup;

	crew_use(d->crew, next);
	d->setup = next;
	set_schema_fact(d, next->schema);
	setup_destroy(old);
}

static void reload_failed(struct daemon *d, const struct strbuf *why)
{
	pthread_mutex_lock(&d->facts_lock);
	d->facts.reload_successful = false;
	pthread_mutex_unlock(&d->facts_lock);
	log_error("the new configuration is bad: the old one stays",
		  LOG_TEXT("errors", why->ptr));
}

/* Any thread; one at a time. */
static bool on_reload(void *ctx, struct strbuf *why)
{
	struct daemon *d = ctx;
	struct diag *diag = diag_create();
	struct setup *next;

	pthread_mutex_lock(&d->lock);
	notify_reloading();
	next = setup_load(d->options, diag);
	if (next &&
	    (next->config->root_count == 0 || next->config->pattern_count == 0)) {
		diag_error(diag, (struct position){.file = d->options->config_file},
			   NULL, "names no logs or no patterns");
		setup_destroy(next);
		next = NULL;
	}
	diag_render(diag, why);
	if (next) {
		if (diag_warnings(diag) > 0)
			log_warn("the new configuration has warnings",
				 LOG_TEXT("warnings", why->ptr));
		use(d, next);
		log_info("configuration loaded: new patterns apply to new lines; for "
			 "past ones run logtally replay",
			 LOG_INT("patterns_files", patterns_file_count(next->patterns)),
			 LOG_INT("rules", patterns_rule_count(next->patterns)));
	} else {
		reload_failed(d, why);
	}
	notify_status(next ? "configuration loaded again"
			   : "the new configuration is bad: the old one stays");
	notify_ready();
	pthread_mutex_unlock(&d->lock);
	diag_destroy(diag);
	footprint_shrink();
	return next != NULL;
}

static void reload(struct daemon *d)
{
	struct strbuf why = STRBUF_INIT;

	on_reload(d, &why);
	strbuf_finish(&why);
}

/* -- the main loop -------------------------------------------------------- */

static void say_skipped(struct daemon *d)
{
	struct strbuf text = STRBUF_INIT;

	if (d->said_skipped || !discovery_first_look_done(crew_discovery(d->crew)))
		return;
	d->said_skipped = true;
	if (discovery_file_count(crew_discovery(d->crew)) > 0)
		return;
	discovery_explain_skipped(crew_discovery(d->crew), MAX_SKIPPED_LINES, &text);
	if (text.len > 0 && text.ptr[text.len - 1] == '\n')
		text.ptr[--text.len] = '\0';
	log_warn("no file to follow yet: they are picked up as they appear",
		 LOG_TEXT("skipped", text.ptr));
	strbuf_finish(&text);
}

static void say_caught_up(struct daemon *d)
{
	if (d->said_caught_up || !crew_has_caught_up(d->crew))
		return;
	d->said_caught_up = true;
	log_info(d->was_caught_up
			 ? "caught up: what was written meanwhile has been read"
			 : "caught up: the patterns' metrics are shown from now on",
		 LOG_INT("files", discovery_file_count(crew_discovery(d->crew))));
	notify_status("caught up");
	/* Series born from here on are new to scrapers. */
	saver_caught_up(crew_saver(d->crew));
	footprint_shrink();
}

/* True to go on. */
static bool handle_signals(struct daemon *d)
{
	struct signalfd_siginfo info;

	while (read(d->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGHUP) {
			log_info("stopping",
				 LOG_TEXT("signal", strsignal((int)info.ssi_signo)));
			return false;
		}
		reload(d);
	}
	return true;
}

static bool patterns_changed(struct daemon *d)
{
	bool changed;

	pthread_mutex_lock(&d->lock);
	changed = pattern_watch_changed(&d->pattern_watch, d->setup->config->patterns,
					d->setup->config->pattern_count,
					clock_monotonic_ns());
	pthread_mutex_unlock(&d->lock);
	return changed;
}

static void loop(struct daemon *d)
{
	struct pollfd fds[] = {{.fd = d->signal_fd, .events = POLLIN},
			       {.fd = d->wake_fd, .events = POLLIN}};
	eventfd_t wakes;

	do {
		say_skipped(d);
		say_caught_up(d);
		if (patterns_changed(d))
			reload(d);
		if (poll(fds, 2, TICK_MS) > 0 && (fds[1].revents & POLLIN))
			eventfd_read(d->wake_fd, &wakes);
	} while (handle_signals(d));
}

/* -- the whole ------------------------------------------------------------ */

static bool start(struct daemon *d, struct error *err)
{
	const struct config *config = d->setup->config;
	struct web_options web = {.listen_address = config->listen_address,
				  .telemetry_path = config->telemetry_path,
				  .enable_lifecycle = config->enable_lifecycle,
				  .version = LOGTALLY_VERSION};
	static const struct web_ops web_ops = {
		.scrape = on_scrape, .ready = on_ready, .reload = on_reload};
	const struct crew_ops ops = {
		.backlog_read = on_backlog_read, .fallback = on_fallback, .ctx = d};

	if (*config->storage_path) {
		d->lock_fd = storage_lock(config->storage_path, err);
		if (d->lock_fd == -1)
			return false;
	}
	d->pattern_watch.loaded = d->pattern_watch.present =
		pattern_watch_look(config->patterns, config->pattern_count);
	if (!resume(&d->resumed, d->setup, err))
		return false;
	d->was_caught_up = d->resumed.past.caught_up;
	web.scrapers = d->resumed.scrapers;
	set_schema_fact(d, d->setup->schema);
	d->crew = crew_create(d->setup, &d->resumed, &ops, 0, err);
	if (!d->crew || !crew_start(d->crew, err))
		return false;
	d->web = web_start(&web, &web_ops, d, err);
	return d->web && crew_follow(d->crew, err);
}

/* False if somebody is still busy: then nothing may be freed. */
static bool stop(struct daemon *d)
{
	web_stop(d->web);
	return !d->crew || crew_stop(d->crew, STOP_MS);
}

static void release(struct daemon *d)
{
	crew_destroy(d->crew);
	schema_unref(d->facts.schema);
	setup_destroy(d->setup);
	resumed_finish(&d->resumed);
	if (d->lock_fd != -1)
		close(d->lock_fd);
	close(d->signal_fd);
	close(d->wake_fd);
	pthread_mutex_destroy(&d->lock);
	pthread_mutex_destroy(&d->facts_lock);
}

static void say_started(const struct daemon *d)
{
	const struct config *config = d->setup->config;

	log_info("logtally started", LOG_TEXT("version", LOGTALLY_VERSION),
		 LOG_TEXT("listen_address", config->listen_address),
		 LOG_INT("port", web_port(d->web)),
		 LOG_TEXT("telemetry_path", config->telemetry_path),
		 LOG_INT("workers", config->workers),
		 LOG_INT("patterns_files", patterns_file_count(d->setup->patterns)),
		 LOG_INT("rules", patterns_rule_count(d->setup->patterns)));
	if (*config->storage_path == '\0')
		log_warn("keeps nothing: values and positions start anew with each "
			 "start (--storage.path is empty)");
}

int daemon_run(const struct options *options)
{
	struct daemon d = {.options = options, .lock_fd = -1};
	struct error err;
	int status = 1;

	d.setup = setup_load_or_print(options);
	if (!d.setup)
		return 1;
	if (!has_something_to_do(d.setup)) {
		setup_destroy(d.setup);
		return 2;
	}
	log_configure(d.setup->config->log_level, d.setup->config->log_format);
	pthread_mutex_init(&d.lock, NULL);
	pthread_mutex_init(&d.facts_lock, NULL);
	live_facts_begin(&d.facts);
	raise_file_limit();
	d.signal_fd = take_signals();
	d.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (start(&d, &err)) {
		say_started(&d);
		notify_status("reading what was there at the start");
		notify_ready();
		loop(&d);
		notify_stopping();
		status = 0;
	} else {
		print_error(err.text);
	}
	if (!stop(&d))
		_exit(status); /* a worker is in a long line; the system cleans up */
	release(&d);
	return status;
}

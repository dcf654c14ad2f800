#include "daemon/config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static char path[] = "/tmp/logtally-config-XXXXXX.yml";
static struct diag *diag;
static struct config *config;

static void load(const char *text, const char *sync_flag)
{
	struct options options = {.config_file = path, .storage_sync = sync_flag};
	int fd = mkstemps(path, 4);

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	diag = diag_create();
	config = config_load(&options, diag);
	unlink(path);
}

static void finish(void)
{
	config_destroy(config);
	diag_destroy(diag);
}

TestSuite(config, .fini = finish);

static void expect_error(const char *what)
{
	struct strbuf out = STRBUF_INIT;

	diag_render(diag, &out);
	cr_expect_eq(diag_errors(diag), 1);
	cr_expect(strstr(out.ptr, what), "%s", out.ptr);
	strbuf_finish(&out);
}

Test(config, directories_of_rotated_to_stay_as_they_are_written)
{
	load("logs:\n"
	     "  - path: /srv/logs\n"
	     "    rotated_to: [old, ../archive, /srv/old]\n"
	     "  - /srv/other\n",
	     NULL);
	cr_assert_eq(diag_errors(diag), 0);
	cr_assert_eq(config->roots[0].rotated_to_count, 3);
	cr_expect_str_eq(config->roots[0].rotated_to[0], "old");
	cr_expect_str_eq(config->roots[0].rotated_to[1], "../archive");
	cr_expect_str_eq(config->roots[0].rotated_to[2], "/srv/old");
	cr_expect_eq(config->roots[1].rotated_to_count, 0);
}

Test(config, rotated_to_is_a_list_of_directories)
{
	load("logs:\n"
	     "  - path: /srv/logs\n"
	     "    rotated_to: ['']\n",
	     NULL);
	expect_error(":3:");
}

Test(config, commits_do_not_wait_for_the_disk_unless_told)
{
	load("storage: {path: x}\n", NULL);
	cr_expect_not(config->storage_sync_full);
}

Test(config, storage_sync_is_normal_or_full)
{
	load("storage: {sync: full}\n", NULL);
	cr_expect(config->storage_sync_full);
}

Test(config, the_flag_of_storage_sync_wins)
{
	load("storage: {sync: full}\n", "normal");
	cr_assert_eq(diag_errors(diag), 0);
	cr_expect_not(config->storage_sync_full);
}

Test(config, a_storage_sync_that_is_unknown_is_named)
{
	load("storage: {sync: fulll}\n", NULL);
	expect_error("write normal or full");
}

Test(config, an_entry_of_logs_says_in_what_its_lines_are)
{
	load("logs:\n"
	     "  - {path: /a, envelope: cri}\n"
	     "  - {path: /b, envelope: none}\n"
	     "  - /c\n",
	     NULL);
	cr_assert_eq(diag_errors(diag), 0);
	cr_expect_eq(config->envelopes[0], ENVELOPE_CRI);
	cr_expect_eq(config->envelopes[1], ENVELOPE_NONE);
	cr_expect_eq(config->envelopes[2], ENVELOPE_AUTO);
}

Test(config, an_envelope_that_does_not_exist_is_an_error)
{
	load("logs: [{path: /a, envelope: containerd}]\n", NULL);
	expect_error("write auto, none, docker or cri");
}

Test(config, an_address_that_is_none_is_told_with_its_place)
{
	load("web:\n  listen-address: nowhere\n", NULL);
	expect_error(".yml:2:19: \"nowhere\" is no address: write HOST:PORT, ");
}

Test(config, a_flag_is_named_once)
{
	load("storage: {path: x}\n", "ful");
	expect_error("--storage.sync: \"ful\" is not known: write normal or full");
}

Test(config, what_is_empty_is_seen_in_the_message)
{
	load("workers: ''\n", NULL);
	expect_error(".yml:1:10: \"\" is no number of workers: write a whole number ");
}

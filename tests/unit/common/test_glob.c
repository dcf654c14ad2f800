#include <criterion/criterion.h>

#include "common/glob.h"

Test(glob, without_a_slash_the_base_name_counts)
{
	cr_expect(glob_match_path("ingest*.log", "/var/log/etl/ingest-1.log"));
	cr_expect_not(glob_match_path("ingest*.log", "/var/ingest.log/other"));
	cr_expect(glob_match_path("?.log", "/a.log"));
	cr_expect(glob_match_path("[ab].log", "/x/b.log"));
	cr_expect_not(glob_match_path("[!ab].log", "/x/b.log"));
}

Test(glob, with_a_slash_a_whole_suffix_counts)
{
	cr_expect(glob_match_path("pipeline/**", "/var/log/pipeline/a/b.log"));
	cr_expect(glob_match_path("pipeline/*.log", "/var/log/pipeline/a.log"));
	cr_expect_not(glob_match_path("pipeline/*.log", "/var/log/pipeline/x/a.log"));
	cr_expect_not(glob_match_path("line/*.log", "/var/log/pipeline/a.log"));
}

Test(glob, with_a_leading_slash_the_whole_path_counts)
{
	cr_expect(glob_match_path("/var/**/x.log", "/var/a/b/x.log"));
	cr_expect(glob_match_path("/var/**/x.log", "/var/x.log"));
	cr_expect_not(glob_match_path("/log/x.log", "/var/log/x.log"));
	cr_expect(glob_match_path("/a/**/b/**/c", "/a/b/x/b/y/z/c"));
	cr_expect_not(glob_match_path("/a/**/b/**/c", "/a/x/y/c"));
}

Test(glob, a_leading_dot_is_matched_only_by_a_dot)
{
	cr_expect_not(glob_match_path("*", "/x/.hidden"));
	cr_expect(glob_match_path(".h*", "/x/.hidden"));
	cr_expect_not(glob_match_path("x/**", "/x/.git/config"));
}

Test(glob, a_long_path_of_stars_ends_soon)
{
	char path[2001];

	for (int i = 0; i < 2000; i += 2)
		memcpy(path + i, "/a", 2);
	path[2000] = '\0';
	cr_expect_not(glob_match_path("/**/a/**/a/**/a/**/a/**/a/**/b", path));
}

#include <criterion/criterion.h>
#include <string.h>

#include "parsers/pseudonym.h"

static void expect(struct slice key, struct slice text, const char *want)
{
	struct pseudonyms *p = pseudonyms_create(key);
	char got[PSEUDONYM_BYTES + 1] = {0};

	for (int i = 0; i < 3; i++) {
		pseudonyms_write(p, slice_of("another in between"), got);
		pseudonyms_write(p, text, got);
		cr_expect_str_eq(got, want);
	}
	pseudonyms_destroy(p);
}

/* RFC 4231, test cases 1, 2 and 6. */
Test(pseudonym, is_the_start_of_hmac_sha256)
{
	char key[131];

	memset(key, 0x0b, 20);
	expect((struct slice){key, 20}, slice_of("Hi There"), "b0344c61d8db3853");
	expect(slice_of("Jefe"), slice_of("what do ya want for nothing?"),
	       "5bdcc146bf60754e");
	memset(key, 0xaa, 131);
	expect((struct slice){key, 131},
	       slice_of("Test Using Larger Than Block-Size Key - Hash Key First"),
	       "60e431591ee0b67f");
}

/* printf p017 | openssl dgst -sha256 -hmac logtally-test-key */
Test(pseudonym, of_tests_can_be_made_by_openssl)
{
	expect(slice_of(PSEUDONYM_TEST_KEY), slice_of("p017"), "7428109d7915fcc0");
}

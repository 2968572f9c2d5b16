/* tests/unit/test_welcome.c - what somebody who logs in is greeted with. */
#include "helper/session/welcome.h"
#include "tests/unit/suites.h"

#define MIB UINT64_C(1048576)
#define GIB (1024 * MIB)

static void is_welcome(const char *policy, struct storage_usage disk, const char *expected)
{
	char out[512];

	welcome_text(policy, &disk, out, sizeof(out));
	ck_assert_str_eq(out, expected);
}

START_TEST(nothing_to_say)
{
	struct storage_usage unknown;

	storage_usage_clear(&unknown);
	is_welcome(NULL, unknown, "");
	is_welcome("Hello.", unknown, "Hello.");
	is_welcome(NULL, (struct storage_usage){0, 0, 0, 0}, "");
	is_welcome("Hello.", (struct storage_usage){80, 100, 80, 100}, "Hello.");
}
END_TEST

START_TEST(a_disk_that_is_nearly_full)
{
	is_welcome(NULL, (struct storage_usage){1868 * MIB, 2 * GIB, 1, 100},
		   "Your disk is 91 % full: 180 MB of 2.0 GB left.");
	is_welcome("Hello.", (struct storage_usage){81 * MIB, 100 * MIB, 1, 100},
		   "Hello.\nYour disk is 81 % full: 19 MB of 100 MB left.");
	is_welcome("Hello.\n", (struct storage_usage){100 * MIB, 100 * MIB, 1, 100},
		   "Hello.\nYour disk is 100 % full: 0 KB of 100 MB left.");
}
END_TEST

START_TEST(inodes_that_are_nearly_used_up)
{
	is_welcome(NULL, (struct storage_usage){1, 100 * MIB, 3900, 4000},
		   "Your disk has 97 % of the files it can hold: 100 of 4000 left.");
	is_welcome(NULL, (struct storage_usage){99 * MIB, 100 * MIB, 3900, 4000},
		   "Your disk is 99 % full: 1 MB of 100 MB left.\n"
		   "Your disk has 97 % of the files it can hold: 100 of 4000 left.");
}
END_TEST

START_TEST(what_does_not_fit_is_cut_off)
{
	const struct storage_usage full = {1, 1, 1, 1};
	char out[8];

	welcome_text("Hello, you.", &full, out, sizeof(out));
	ck_assert_str_eq(out, "Hello, ");
}
END_TEST

Suite *welcome_suite(void)
{
	Suite *suite = suite_create("welcome");
	TCase *tests = tcase_create("welcome");

	tcase_add_test(tests, nothing_to_say);
	tcase_add_test(tests, a_disk_that_is_nearly_full);
	tcase_add_test(tests, inodes_that_are_nearly_used_up);
	tcase_add_test(tests, what_does_not_fit_is_cut_off);
	suite_add_tcase(suite, tests);
	return suite;
}

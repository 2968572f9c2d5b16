/* tests/unit/test_failure.c - a failure says what, why and of which kind, and never overflows. */
#include <errno.h>
#include <string.h>

#include "base/failure.h"
#include "tests/unit/suites.h"

START_TEST(tells_what_failed_and_the_cause)
{
	struct failure why;

	ck_assert(!fail(&why, FAILURE_SYSTEM, ENOENT, "cannot open %s", "/etc/carrel"));
	ck_assert_int_eq(why.kind, FAILURE_SYSTEM);
	ck_assert_int_eq(why.error, ENOENT);
	ck_assert_str_eq(why.text, "cannot open /etc/carrel: No such file or directory");
}
END_TEST

START_TEST(without_errno_has_no_cause)
{
	struct failure why;

	ck_assert_int_eq(fail_fd(&why, FAILURE_POLICY, 0, "line %d is wrong", 7), -1);
	ck_assert_int_eq(why.kind, FAILURE_POLICY);
	ck_assert_int_eq(why.error, 0);
	ck_assert_str_eq(why.text, "line 7 is wrong");
}
END_TEST

START_TEST(prefix_keeps_kind_and_cause)
{
	struct failure why;

	(void)fail(&why, FAILURE_DATA, EIO, "cannot read %s", "stored");
	failure_prefix(&why, "container '%s'", "alice");
	ck_assert_int_eq(why.kind, FAILURE_DATA);
	ck_assert_int_eq(why.error, EIO);
	ck_assert_str_eq(why.text, "container 'alice': cannot read stored: Input/output error");
}
END_TEST

/* Texts come from file names and user names: any length must end up cut, and terminated. */
START_TEST(long_texts_are_cut)
{
	struct {
		struct failure why;
		char guard[16];
	} room;
	char longer[2 * sizeof(room.why.text)];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (size_t length = sizeof(room.why.text) - 40; length < sizeof(longer); length++) {
		memset(&room, 0x5a, sizeof(room));
		(void)fail(&room.why, FAILURE_SYSTEM, EACCES, "%.*s", (int)length, longer);
		ck_assert_uint_lt(strnlen(room.why.text, sizeof(room.why.text)),
				  sizeof(room.why.text));
		failure_prefix(&room.why, "%.*s", (int)length / 2, longer);
		ck_assert_uint_lt(strnlen(room.why.text, sizeof(room.why.text)),
				  sizeof(room.why.text));
		for (size_t i = 0; i < sizeof(room.guard); i++)
			ck_assert_int_eq(room.guard[i], 0x5a);
	}
}
END_TEST

START_TEST(every_kind_has_its_own_name)
{
	for (int kind = 0; kind < FAILURE_KIND_COUNT; kind++) {
		const char *name = failure_kind_name((enum failure_kind)kind);

		ck_assert_ptr_nonnull(name);
		ck_assert_str_ne(name, "unknown");
		for (int other = 0; other < kind; other++)
			ck_assert_str_ne(name, failure_kind_name((enum failure_kind)other));
	}
	ck_assert_str_eq(failure_kind_name(FAILURE_KIND_COUNT), "unknown");
	ck_assert_str_eq(failure_kind_name((enum failure_kind)0x7fffffff), "unknown");
}
END_TEST

Suite *failure_suite(void)
{
	Suite *suite = suite_create("failure");
	TCase *texts = tcase_create("texts");

	tcase_add_test(texts, tells_what_failed_and_the_cause);
	tcase_add_test(texts, without_errno_has_no_cause);
	tcase_add_test(texts, prefix_keeps_kind_and_cause);
	tcase_add_test(texts, long_texts_are_cut);
	tcase_add_test(texts, every_kind_has_its_own_name);
	suite_add_tcase(suite, texts);
	return suite;
}

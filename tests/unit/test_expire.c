/* tests/unit/test_expire.c - data expire late rather than early, and never by a wrong clock. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>

#include "helper/admin/expire.h"
#include "tests/unit/suites.h"

#define DAY    UINT64_C(86400)
#define NOW    UINT64_C(1800000000)
#define EXPIRE (30 * DAY)

static void check(uint64_t last_used_at, uint64_t marked_for, uint64_t marked_at,
		  enum expire_verdict verdict, uint64_t when)
{
	const struct expire_mark mark = {.last_used_at = marked_for, .marked_at = marked_at};
	uint64_t found;

	ck_assert_int_eq(expire_judge(NOW, last_used_at, EXPIRE, &mark, &found), verdict);
	ck_assert_uint_eq(found, when);
}

START_TEST(what_is_used_stays)
{
	check(NOW, 0, 0, EXPIRE_KEEP, 0);
	check(NOW - EXPIRE + 1, 0, 0, EXPIRE_KEEP, 0);
	check(NOW - EXPIRE + 1, NOW - EXPIRE + 1, NOW - 20 * DAY, EXPIRE_KEEP, 0);
	check(0, 0, 0, EXPIRE_KEEP, 0); /* nothing is known */
}
END_TEST

START_TEST(first_a_mark_then_the_removal)
{
	uint64_t used = NOW - EXPIRE, grace = 7 * DAY;

	check(used, 0, 0, EXPIRE_MARK, NOW + grace);
	check(used, used, NOW, EXPIRE_WAIT, NOW + grace);
	check(used, used, NOW - grace + 1, EXPIRE_WAIT, NOW + 1);
	check(used, used, NOW - grace, EXPIRE_REMOVE, NOW);
}
END_TEST

START_TEST(a_mark_from_before_the_last_use_does_not_count)
{
	check(NOW - EXPIRE, NOW - 2 * EXPIRE, NOW - 20 * DAY, EXPIRE_MARK, NOW + 7 * DAY);
}
END_TEST

START_TEST(clocks_that_were_wrong)
{
	check(NOW + 3600, 0, 0, EXPIRE_KEEP, 0);
	check(NOW + 400 * DAY, 0, 0, EXPIRE_MEND, 0);
	/* A mark that the future made. */
	check(NOW - EXPIRE, NOW - EXPIRE, NOW + 400 * DAY, EXPIRE_MARK, NOW + 7 * DAY);
}
END_TEST

START_TEST(the_grace_is_a_quarter_and_a_week_at_most)
{
	ck_assert_uint_eq(expire_grace(60), 15);
	ck_assert_uint_eq(expire_grace(4 * DAY), DAY);
	ck_assert_uint_eq(expire_grace(3650 * DAY), 7 * DAY);
}
END_TEST

START_TEST(jumps_of_the_clock)
{
	const struct clock_reading first = {.real = NOW, .boot = 1000, .boot_id = "a"};
	static const struct {
		struct clock_reading now;
		bool jumped;
		uint64_t by;
	} runs[] = {
	    {{NOW + 365 * DAY, 1000 + 365 * DAY, "a"}, false, 0}, /* it was only long ago */
	    {{NOW + 2 * DAY, 2000, "a"}, true, 2 * DAY - 1000},
	    {{NOW + DAY, 1000 + 3600, "a"}, false, 0},
	    {{NOW - 400 * DAY, 2000, "a"}, false, 0}, /* behind: nothing expires too early */
	    {{NOW + 60 * DAY, 50, "b"}, false, 0},
	    {{NOW + 61 * DAY, 50, "b"}, true, 61 * DAY},
	};
	const struct clock_reading never = {0};
	uint64_t by;

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		ck_assert_msg(clock_has_jumped(&first, &runs[i].now, &by) == runs[i].jumped,
			      "run %zu", i);
		if (runs[i].jumped)
			ck_assert_uint_eq(by, runs[i].by);
	}
	ck_assert(!clock_has_jumped(&never, &first, &by));
}
END_TEST

Suite *expire_suite(void)
{
	Suite *suite = suite_create("expire");
	TCase *tests = tcase_create("expire");

	tcase_add_test(tests, what_is_used_stays);
	tcase_add_test(tests, first_a_mark_then_the_removal);
	tcase_add_test(tests, a_mark_from_before_the_last_use_does_not_count);
	tcase_add_test(tests, clocks_that_were_wrong);
	tcase_add_test(tests, the_grace_is_a_quarter_and_a_week_at_most);
	tcase_add_test(tests, jumps_of_the_clock);
	suite_add_tcase(suite, tests);
	return suite;
}

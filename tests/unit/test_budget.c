/* tests/unit/test_budget.c - a day's processor time is added up right, whatever happens between. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helper/init/budget.h"
#include "tests/unit/suites.h"

#define MONDAY  20261123u
#define TUESDAY 20261124u

START_TEST(readings_add_up)
{
	struct budget_record record = {.day = MONDAY};

	budget_account(&record, MONDAY, 500);
	budget_account(&record, MONDAY, 500);
	budget_account(&record, MONDAY, 800);
	ck_assert_uint_eq(record.used_microseconds, 800);
	ck_assert_uint_eq(record.counter_microseconds, 800);
}
END_TEST

START_TEST(a_new_cgroup_counts_from_nothing)
{
	struct budget_record record = {
	    .day = MONDAY, .used_microseconds = 5000, .counter_microseconds = 5000};

	budget_account(&record, MONDAY, 30);
	budget_account(&record, MONDAY, 100);
	ck_assert_uint_eq(record.used_microseconds, 5100);
}
END_TEST

/* PID 1 was killed before it wrote the last of it down. */
START_TEST(the_old_cgroup_still_knows)
{
	struct budget_record record = {
	    .day = MONDAY, .used_microseconds = 5000, .counter_microseconds = 4000};

	budget_account(&record, MONDAY, 9000);
	ck_assert_uint_eq(record.used_microseconds, 10000);
}
END_TEST

START_TEST(a_new_day_begins_with_nothing)
{
	struct budget_record record = {
	    .day = MONDAY, .used_microseconds = 5000, .counter_microseconds = 5000};

	budget_account(&record, TUESDAY, 5600);
	ck_assert_uint_eq(record.day, TUESDAY);
	ck_assert_uint_eq(record.used_microseconds, 0);
	budget_account(&record, TUESDAY, 5700);
	ck_assert_uint_eq(record.used_microseconds, 100);
}
END_TEST

START_TEST(records_are_read_as_written)
{
	const struct budget_record record = {TUESDAY, 123456789, 42};
	struct budget_record again;
	char text[BUDGET_RECORD_SIZE + 1];

	budget_format(&record, text);
	ck_assert_uint_eq(strlen(text), BUDGET_RECORD_SIZE);
	ck_assert(budget_parse(text, &again));
	ck_assert_uint_eq(again.day, TUESDAY);
	ck_assert_uint_eq(again.used_microseconds, 123456789);
	ck_assert_uint_eq(again.counter_microseconds, 42);
}
END_TEST

START_TEST(damaged_records_count_nothing)
{
	static const char *const texts[] = {"", "nonsense", "day=20261124 used=1 counter=2\n"};
	const struct budget_record good = {TUESDAY, 5, 6};
	int file = memfd_create("record", MFD_CLOEXEC);

	ck_assert_int_ge(file, 0);
	ck_assert(budget_write(file, &good));
	ck_assert(budget_write(file, &good));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct budget_record record;

		budget_read(file, &record);
		ck_assert_uint_eq(record.used_microseconds, i == 0 ? 5 : 0);
		ck_assert_int_eq(ftruncate(file, 0), 0);
		ck_assert_int_eq(pwrite(file, texts[i], strlen(texts[i]), 0),
				 (ssize_t)strlen(texts[i]));
		budget_read(file, &record);
		ck_assert_uint_eq(record.day, 0);
		ck_assert_uint_eq(record.used_microseconds, 0);
	}
	(void)close(file);
}
END_TEST

/* 2026-03-29 has 23 hours there, 2026-10-25 has 25. */
START_TEST(days_end_at_local_midnight)
{
	static const struct {
		const char *from;
		long seconds;
	} days[] = {{"2026-11-24 18:00", 6 * 3600},
		    {"2026-03-29 00:00", 23 * 3600},
		    {"2026-10-25 00:00", 25 * 3600},
		    {"2026-12-31 23:59", 60}};

	ck_assert_int_eq(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
	tzset();
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		struct tm parts = {.tm_isdst = -1};
		time_t from;

		ck_assert_ptr_nonnull(strptime(days[i].from, "%Y-%m-%d %H:%M", &parts));
		from = mktime(&parts);
		ck_assert_int_eq(budget_renewal(from) - from, days[i].seconds);
		ck_assert_uint_eq(budget_day(budget_renewal(from) - 1), budget_day(from));
	}
}
END_TEST

Suite *budget_suite(void)
{
	Suite *suite = suite_create("budget");
	TCase *tests = tcase_create("budget");

	tcase_add_test(tests, readings_add_up);
	tcase_add_test(tests, a_new_cgroup_counts_from_nothing);
	tcase_add_test(tests, the_old_cgroup_still_knows);
	tcase_add_test(tests, a_new_day_begins_with_nothing);
	tcase_add_test(tests, records_are_read_as_written);
	tcase_add_test(tests, damaged_records_count_nothing);
	tcase_add_test(tests, days_end_at_local_midnight);
	suite_add_tcase(suite, tests);
	return suite;
}

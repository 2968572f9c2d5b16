/* tests/unit/test_hours.c - allowed hours are read strictly and hold over changes of the clock. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/hours.h"
#include "tests/unit/suites.h"

/* Summer time from the last Sunday of March to that of October, without a file of zones. */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

static void use_zone(const char *zone)
{
	ck_assert_int_eq(setenv("TZ", zone, 1), 0);
	tzset();
}

/* "2026-03-29 01:30" on the wall; of an hour that comes twice the first. */
static time_t at(const char *text)
{
	struct tm parts = {.tm_isdst = -1};

	ck_assert_ptr_nonnull(strptime(text, "%Y-%m-%d %H:%M", &parts));
	return mktime(&parts);
}

static struct hours parsed(const char *text)
{
	struct hours hours;
	struct failure why = {0};

	ck_assert_msg(hours_parse(text, &hours, &why), "%s: %s", text, why.text);
	return hours;
}

static void check_open(const char *text, const char *when, bool open)
{
	struct hours hours = parsed(text);

	ck_assert_msg(hours_open(&hours, at(when)) == open, "%s at %s", text, when);
}

static void check_change(const char *text, const char *from, const char *to)
{
	struct hours hours = parsed(text);
	time_t found = hours_next_change(&hours, at(from));
	struct tm parts;
	char wall[32];

	ck_assert_ptr_nonnull(localtime_r(&found, &parts));
	ck_assert_uint_gt(strftime(wall, sizeof(wall), "%Y-%m-%d %H:%M", &parts), 0);
	ck_assert_msg(strcmp(wall, to) == 0, "%s from %s: %s and not %s", text, from, wall, to);
	ck_assert(hours_open(&hours, found) != hours_open(&hours, found - 1));
}

START_TEST(days_and_times)
{
	use_zone("UTC0"); /* 2026-11-23 is a Monday */
	check_open("Mo-Fr 08:00-20:00", "2026-11-23 08:00", true);
	check_open("Mo-Fr 08:00-20:00", "2026-11-23 07:59", false);
	check_open("Mo-Fr 08:00-20:00", "2026-11-23 19:59", true);
	check_open("Mo-Fr 08:00-20:00", "2026-11-23 20:00", false);
	check_open("Mo-Fr 08:00-20:00", "2026-11-28 12:00", false);
	check_open("Sa-Mo 08:00-20:00", "2026-11-29 12:00", true);
	check_open("Sa-Mo 08:00-20:00", "2026-11-24 12:00", false);
	check_open("Mo 08:00-12:00,13:00-14:00", "2026-11-26 13:30", true);
	check_open("Mo 08:00-12:00 , Sa 13:00-24:00", "2026-11-28 23:59", true);
	check_open("00:00-24:00", "2026-11-28 00:00", true);
}
END_TEST

START_TEST(over_midnight)
{
	use_zone("UTC0");
	check_open("22:00-06:00", "2026-11-23 23:00", true);
	check_open("22:00-06:00", "2026-11-23 05:59", true);
	check_open("22:00-06:00", "2026-11-23 06:00", false);
	/* It belongs to the day on which it begins; the week is a circle. */
	check_open("Su 22:00-06:00", "2026-11-23 05:00", true);
	check_open("Su 22:00-06:00", "2026-11-23 23:00", false);
	check_open("Su 22:00-06:00", "2026-11-22 05:00", false);
}
END_TEST

START_TEST(next_changes)
{
	struct hours always = parsed("00:00-24:00"), none = {0};

	use_zone("UTC0");
	check_change("Mo-Fr 08:00-20:00", "2026-11-23 08:00", "2026-11-23 20:00");
	check_change("Mo-Fr 08:00-20:00", "2026-11-27 20:00", "2026-11-30 08:00");
	check_change("Mo 08:00-08:01", "2026-11-23 08:01", "2026-11-30 08:00");
	check_change("08:00-12:00, 12:00-16:00", "2026-11-23 09:00", "2026-11-23 16:00");
	check_change("22:00-06:00", "2026-11-23 23:00", "2026-11-24 06:00");
	ck_assert_int_eq(hours_next_change(&always, at("2026-11-23 08:00")), 0);
	ck_assert_int_eq(hours_next_change(&none, at("2026-11-23 08:00")), 0);
	ck_assert(hours_open(&none, at("2026-11-23 08:00")));
}
END_TEST

/* 2026-03-29: 01:59 is followed by 03:00. */
START_TEST(an_hour_that_is_left_out)
{
	time_t open, shut;
	struct hours hours = parsed("00:00-02:30");

	use_zone(BERLIN);
	check_change("00:00-02:30", "2026-03-29 01:00", "2026-03-29 03:00");
	check_change("02:30-05:00", "2026-03-29 01:00", "2026-03-29 03:00");
	check_change("Mo-Fr 08:00-20:00", "2026-03-27 21:00", "2026-03-30 08:00");
	open = at("2026-03-29 00:30");
	shut = hours_next_change(&hours, open);
	ck_assert_int_eq(shut - open, 90 * 60);
}
END_TEST

/* 2026-10-25: 02:00 to 02:59 comes twice. */
START_TEST(an_hour_that_comes_twice)
{
	struct hours all_night = parsed("22:00-06:00");
	time_t begin;

	use_zone(BERLIN);
	begin = at("2026-10-24 22:00");
	ck_assert_int_eq(hours_next_change(&all_night, begin) - begin, 9 * 3600);
	check_change("Mo-Fr 08:00-20:00", "2026-10-23 21:00", "2026-10-26 08:00");
	/* Judged by the wall both times: closed at 02:30, open again when 02:00 comes again. */
	check_change("00:00-02:30", "2026-10-25 00:00", "2026-10-25 02:30");
}
END_TEST

START_TEST(mistakes)
{
	static const struct {
		const char *text, *part;
	} wrong[] = {
	    {"", "names its days"},
	    {"Mon 08:00-20:00", "names its days"},
	    {"mo 08:00-20:00", "names its days"},
	    {"Mo-Xx 08:00-20:00", "names its days"},
	    {"Mo,Tu 08:00-20:00", "names its days"},
	    {"Mo08:00-20:00", "names its days"},
	    {"8:00-20:00", "where a span begins"},
	    {"24:00-06:00", "where a span begins"},
	    {"08:60-20:00", "where a span begins"},
	    {"08:00", "no \"-\""},
	    {"08:00-", "where a span ends"},
	    {"08:00-24:01", "where a span ends"},
	    {"08:00-08:00", "ends when it begins"},
	    {"08:00-20:00 Mo", "goes on behind"},
	    {"08:00-20:00,", "names its days"},
	    {"08:00-20:00;09:00-10:00", "goes on behind"},
	    {"00:00-01:00,01:00-02:00,02:00-03:00,03:00-04:00,04:00-05:00,05:00-06:00,06:00-07:00,"
	     "07:00-08:00,08:00-09:00,09:00-10:00,10:00-11:00,11:00-12:00,12:00-13:00,13:00-14:00,"
	     "14:00-15:00,15:00-16:00,16:00-17:00",
	     "more than 16"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct failure why = {0};
		struct hours hours;

		ck_assert_msg(!hours_parse(wrong[i].text, &hours, &why), "\"%s\"", wrong[i].text);
		ck_assert_int_eq(why.kind, FAILURE_POLICY);
		ck_assert_msg(strstr(why.text, wrong[i].part) != NULL, "\"%s\": %s", wrong[i].text,
			      why.text);
	}
}
END_TEST

START_TEST(shortest_spans)
{
	struct hours hours = parsed("08:00-20:00,22:00-22:15"), none = {0};

	ck_assert_uint_eq(hours_shortest(&hours), 900);
	ck_assert(hours_shortest(&none) == UINT64_MAX);
}
END_TEST

Suite *hours_suite(void)
{
	Suite *suite = suite_create("hours");
	TCase *tests = tcase_create("hours");

	tcase_add_test(tests, days_and_times);
	tcase_add_test(tests, over_midnight);
	tcase_add_test(tests, next_changes);
	tcase_add_test(tests, an_hour_that_is_left_out);
	tcase_add_test(tests, an_hour_that_comes_twice);
	tcase_add_test(tests, mistakes);
	tcase_add_test(tests, shortest_spans);
	suite_add_tcase(suite, tests);
	return suite;
}

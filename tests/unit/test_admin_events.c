/* tests/unit/test_admin_events.c - read lines of events.jsonl, also hostile ones. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "helper/admin/event_line.h"
#include "helper/events/events.h"
#include "tests/unit/suites.h"

static bool parse(const char *text, struct event_line *line)
{
	return event_line_parse(text, strlen(text), line);
}

static void check_value(const char *text, const char *key, const char *expected)
{
	struct event_line line;

	ck_assert_msg(parse(text, &line), "%s", text);
	ck_assert_str_eq(event_line_get(&line, key), expected);
}

START_TEST(reads_values)
{
	struct event_line line;

	check_value("{\"a\":\"b\"}", "a", "b");
	check_value(" { \"a\" : 12.5e-3 , \"b\" : null } ", "a", "12.5e-3");
	check_value("{\"a\":\"b\",\"c\":true}", "c", "true");
	check_value("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "a", "\"\\/\b\f\n\r\t");
	check_value("{\"a\":\"\\u00fc\\u672c\\uD83c\\udf93\"}", "a", "ü本🎓");
	check_value("{\"a\":\"\\u0000\\ud800\\udc00x\\ud800\"}", "a", "\xef\xbf\xbd𐀀x\xef\xbf\xbd");
	/* What follows half a pair is a character of its own. */
	check_value("{\"a\":\"\\ud83d\\u0041\\ud83dx\"}", "a",
		    "\xef\xbf\xbd"
		    "A\xef\xbf\xbdx");
	ck_assert(parse("{}", &line));
	ck_assert_ptr_null(event_line_get(&line, "a"));
}
END_TEST

START_TEST(refuses_the_rest)
{
	static const char *const texts[] = {"",
					    "{",
					    "}",
					    "[]",
					    "{\"a\"}",
					    "{\"a\":}",
					    "{\"a\":\"b}",
					    "{\"a\":1,}",
					    "{\"a\":1} x",
					    "{\"a\":{}}",
					    "{\"a\":[1]}",
					    "{\"a\":\"\\x\"}",
					    "{a:1}",
					    "{\"a\":\"\\u12\"}",
					    "{\"a\":\"\n\"}"};
	static struct event_line line;
	char many[2000] = "{\"a\":1", huge[2 * EVENT_LINE_MAX];

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		ck_assert_msg(!parse(texts[i], &line), "%s", texts[i]);
	ck_assert(!event_line_parse("{\"a\":1\0}", 8, &line));
	for (int i = 0; i < EVENT_LINE_FIELDS; i++)
		memcpy(many + strlen(many), ",\"a\":1", 7);
	memcpy(many + strlen(many), "}", 2);
	ck_assert(!parse(many, &line));
	memset(huge, 'x', sizeof(huge));
	memcpy(huge, "{\"a\":\"", 6);
	memcpy(huge + sizeof(huge) - 3, "\"}", 3);
	ck_assert(!parse(huge, &line));
}
END_TEST

START_TEST(reads_what_is_written)
{
	struct event event = EVENT_INIT;
	const struct timespec now = {.tv_sec = 1764003961, .tv_nsec = 123456789};
	char text[4096], described[1024];
	struct event_line line;
	size_t length;

	event.event = "session_end";
	event.user = "a\"\\\n\033é";
	event.container = "alice";
	event.duration_seconds = 3725;
	event.memory_peak_bytes = 12 << 20;
	length = event_format_json(&event, &now, text, sizeof(text));
	ck_assert_uint_gt(length, 0);
	ck_assert(event_line_parse(text, length, &line));
	ck_assert_str_eq(event_line_get(&line, "user"), event.user);
	ck_assert_uint_eq(event_line_time(&line), 1764003961);
	event_line_describe(&line, described, sizeof(described));
	ck_assert_ptr_nonnull(strstr(described, "a\"\\\\x0a\\x1bé"));
	ck_assert_ptr_nonnull(strstr(described, "lasted 1:02:05, memory peak 12M"));
	ck_assert_ptr_null(strpbrk(described, "\n\033"));
}
END_TEST

START_TEST(describes_within_bounds)
{
	struct event_line line;
	char text[4096] = "{\"event\":\"x\",\"reason\":\"", described[40];

	for (size_t i = strlen(text); i < 3000; i++)
		text[i] = 'y';
	memcpy(text + 3000, "\"}", 3);
	ck_assert(parse(text, &line));
	event_line_describe(&line, described, sizeof(described));
	ck_assert_uint_eq(strlen(described), sizeof(described) - 1);
}
END_TEST

START_TEST(reads_since)
{
	uint64_t since;

	(void)setenv("TZ", "UTC", 1);
	tzset();
	ck_assert(event_since_parse("1h30m", 1764003961, &since));
	ck_assert_uint_eq(since, 1764003961 - 5400);
	ck_assert(event_since_parse("2025-11-24", 1764003961, &since));
	ck_assert_uint_eq(since, 1763942400);
	ck_assert(event_since_parse("2025-11-24 17:06", 1764003961, &since));
	ck_assert_uint_eq(since, 1764003960);
	ck_assert(event_since_parse("2025-11-24 17:06:01", 1764003961, &since));
	ck_assert_uint_eq(since, 1764003961);
	ck_assert(event_since_parse("9999d", 60, &since));
	ck_assert_uint_eq(since, 0);
	ck_assert(!event_since_parse("yesterday", 1764003961, &since));
	ck_assert(!event_since_parse("2025-11-24 17:06x", 1764003961, &since));
	ck_assert(!event_since_parse("", 1764003961, &since));
}
END_TEST

Suite *admin_events_suite(void)
{
	Suite *suite = suite_create("admin_events");
	TCase *tests = tcase_create("admin_events");

	tcase_add_test(tests, reads_values);
	tcase_add_test(tests, refuses_the_rest);
	tcase_add_test(tests, reads_what_is_written);
	tcase_add_test(tests, describes_within_bounds);
	tcase_add_test(tests, reads_since);
	suite_add_tcase(suite, tests);
	return suite;
}

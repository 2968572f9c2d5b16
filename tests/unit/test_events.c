/* tests/unit/test_events.c - lines stay lines, JSON stays JSON, whatever bytes users bring. */
#include <stdlib.h>
#include <string.h>

#include "helper/events/events.h"
#include "helper/events/text.h"
#include "tests/unit/suites.h"

static const struct timespec moment = {.tv_sec = 1795542411, .tv_nsec = 42000000};

START_TEST(json_has_the_fields_that_are_set)
{
	struct event event = EVENT_INIT;
	char out[512];

	event.event = "login";
	event.user = "alice";
	event.service = "sshd";
	event.duration_seconds = 0;
	ck_assert_uint_gt(event_format_json(&event, &moment, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "{\"time\":\"2026-11-24T17:46:51.042Z\",\"event\":\"login\","
			      "\"user\":\"alice\",\"service\":\"sshd\",\"duration_seconds\":0}\n");
}
END_TEST

START_TEST(json_escapes_what_would_break_it)
{
	struct event event = EVENT_INIT;
	char out[512];

	event.event = "denied";
	event.user = "a\"b\\c\nd\x1b\xff\xc3\xa4\xed\xa0\x80\xc0\xaf";
	ck_assert_uint_gt(event_format_json(&event, &moment, out, sizeof(out)), 0);
	ck_assert_ptr_nonnull(strstr(out, "\"a\\\"b\\\\c\\u000ad\\u001b\\ufffd\xc3\xa4"
					  "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\""));
	ck_assert_ptr_eq(strchr(out, '\n'), out + strlen(out) - 1);
}
END_TEST

START_TEST(what_does_not_fit_is_left_out_whole)
{
	struct event event = EVENT_INIT;
	char out[512];
	size_t whole;

	event.event = "login";
	event.user = "alice";
	whole = event_format_json(&event, &moment, out, sizeof(out));
	for (size_t size = 1; size <= whole; size++)
		ck_assert_uint_eq(event_format_json(&event, &moment, out, size), 0);
	ck_assert_uint_eq(event_format_json(&event, &moment, out, whole + 1), whole);
}
END_TEST

START_TEST(text_is_one_line_of_words)
{
	struct event event = EVENT_INIT;
	char out[512];

	event.event = "denied";
	event.user = "eve event=login\n";
	event.reason = "policy \"x\" says no";
	ck_assert_uint_gt(event_format_text(&event, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "denied user=eve\\x20event=login\\x0a "
			      "reason=\"policy \\x22x\\x22 says no\"");
}
END_TEST

START_TEST(utf8_is_judged_strictly)
{
	static const struct {
		const char *bytes;
		size_t length;
	} cases[] = {
	    {"a", 1},
	    {"\xc3\xa4", 2},
	    {"\xe2\x82\xac", 3},
	    {"\xf0\x9f\x98\x80", 4},
	    {"\x80", 0},
	    {"\xc1\xbf", 0},
	    {"\xe0\x80\x80", 0},
	    {"\xed\xbf\xbf", 0},
	    {"\xf0\x80\x80", 0},
	    {"\xf4\x90\x80\x80", 0},
	    {"\xf5", 0},
	    {"\xc3", 0},
	    {"\xe2\x82", 0},
	    {"\xff", 0},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		ck_assert_msg(utf8_length(cases[i].bytes) == cases[i].length, "case %zu", i);
}
END_TEST

START_TEST(json_writer_nests_and_separates)
{
	struct json json = {0};
	char longer[2000];

	memset(longer, '\n', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	json_array_begin(&json, NULL);
	json_object_begin(&json, NULL);
	json_string(&json, "name", "a\"b");
	json_number(&json, "count", UINT64_MAX);
	json_bool(&json, "on", true);
	json_string(&json, "none", NULL);
	json_array_begin(&json, "list");
	json_number(&json, NULL, 1);
	json_number(&json, NULL, 2);
	json_array_end(&json);
	json_object_end(&json);
	json_object_begin(&json, NULL);
	json_object_end(&json);
	json_array_end(&json);
	ck_assert(!json.failed);
	ck_assert_str_eq(json.text,
			 "[{\"name\":\"a\\\"b\",\"count\":18446744073709551615,\"on\":true,"
			 "\"none\":null,\"list\":[1,2]},{}]");
	json_free(&json);
	json_string(&json, NULL, longer);
	ck_assert_uint_eq(json.length, 6 * (sizeof(longer) - 1) + 2);
	json_free(&json);
}
END_TEST

Suite *events_suite(void)
{
	Suite *suite = suite_create("events");
	TCase *tests = tcase_create("events");

	tcase_add_test(tests, json_has_the_fields_that_are_set);
	tcase_add_test(tests, json_escapes_what_would_break_it);
	tcase_add_test(tests, what_does_not_fit_is_left_out_whole);
	tcase_add_test(tests, text_is_one_line_of_words);
	tcase_add_test(tests, utf8_is_judged_strictly);
	tcase_add_test(tests, json_writer_nests_and_separates);
	suite_add_tcase(suite, tests);
	return suite;
}

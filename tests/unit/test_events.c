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

START_TEST(json_has_every_field_in_its_place)
{
	const struct event event = {
	    .event = "session_end",
	    .user = "u",
	    .service = "s",
	    .tty = "t",
	    .rhost = "h",
	    .container = "c",
	    .policy = "p",
	    .reason = "r",
	    .admin = "a",
	    .duration_seconds = 1,
	    .cpu_microseconds = 2,
	    .memory_peak_bytes = UINT64_MAX - 1,
	    .read_bytes = 3,
	    .written_bytes = 4,
	    .count = 5,
	};
	char out[512];

	ck_assert_uint_gt(event_format_json(&event, &moment, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "{\"time\":\"2026-11-24T17:46:51.042Z\",\"event\":\"session_end\","
			      "\"user\":\"u\",\"service\":\"s\",\"tty\":\"t\",\"rhost\":\"h\","
			      "\"container\":\"c\",\"policy\":\"p\",\"admin\":\"a\","
			      "\"reason\":\"r\",\"duration_seconds\":1,\"cpu_microseconds\":2,"
			      "\"memory_peak_bytes\":18446744073709551614,\"read_bytes\":3,"
			      "\"written_bytes\":4,\"count\":5}\n");
}
END_TEST

/* Terminals obey U+0080 to U+009F as they do U+0000 to U+001F: U+009B is ESC [. */
START_TEST(controls_above_ascii_are_escaped)
{
	struct event event = EVENT_INIT;
	char out[512];

	event.event = "login";
	event.user = "a\xc2\x9b"
		     "2J\xc2\x80\xc2\x9f\xc2\xa0";
	ck_assert_uint_gt(event_format_json(&event, &moment, out, sizeof(out)), 0);
	ck_assert_ptr_nonnull(strstr(out, "\"a\\u009b2J\\u0080\\u009f\xc2\xa0\""));
	ck_assert_uint_gt(event_format_text(&event, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "login user=a\\xc2\\x9b2J\\xc2\\x80\\xc2\\x9f\xc2\xa0");
}
END_TEST

/* A reader of the strings that we write: the end of one, or NULL when it is not JSON. */
static const char *skip_json_string(const char *at)
{
	if (*at++ != '"')
		return NULL;
	while (*at != '"') {
		size_t length = utf8_length(at);

		if (length == 0 || (unsigned char)*at < 0x20)
			return NULL;
		if (*at == '\\') {
			if (at[1] == 'u' && strspn(at + 2, "0123456789abcdef") >= 4)
				length = 6;
			else if (at[1] == '"' || at[1] == '\\')
				length = 2;
			else
				return NULL;
		}
		at += length;
	}
	return at + 1;
}

/* One object of strings, its line's end at its end. */
static bool is_json_line(const char *at)
{
	char next = '{';

	while (*at == next) {
		at = skip_json_string(at + 1);
		if (!at || *at++ != ':')
			return false;
		at = skip_json_string(at);
		if (!at)
			return false;
		next = ',';
	}
	return strcmp(at, "}\n") == 0;
}

static void random_string(char *out, size_t size)
{
	/* Rather the bytes where rules begin and end than just any. */
	static const char edges[] = "\x01\x1f \"\\\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0"
				    "\xec\xed\xee\xef\xf0\xf1\xf3\xf4\xf5\xff\n\ta";
	size_t length = (size_t)random() % size;

	for (size_t i = 0; i < length; i++)
		out[i] = random() % 4 ? edges[(size_t)random() % (sizeof(edges) - 1)]
				      : (char)(1 + random() % 255);
	out[length] = '\0';
}

START_TEST(any_bytes_make_one_valid_line)
{
	bool valid = true;

	srandom(1);
	for (int round = 0; round < 50000 && valid; round++) {
		struct event event = EVENT_INIT;
		char user[40], reason[40], rhost[40], out[1024];
		size_t length;

		random_string(user, sizeof(user));
		random_string(reason, sizeof(reason));
		random_string(rhost, sizeof(rhost));
		event.event = "login";
		event.user = user;
		event.rhost = rhost;
		event.reason = reason;
		length = event_format_json(&event, &moment, out, sizeof(out));
		valid = length > 0 && length == strlen(out) && is_json_line(out);
		length = event_format_text(&event, out, sizeof(out));
		valid = valid && length > 0 && length == strlen(out);
		for (const char *at = out; valid && *at; at += utf8_length(at))
			valid = utf8_length(at) > 0 && (unsigned char)*at >= 0x20 && *at != 0x7f;
	}
	ck_assert(valid);
}
END_TEST

/* Names have 256 bytes at most, a reason 2048, and each byte may take six. */
START_TEST(the_largest_event_has_room)
{
	struct event event = {
	    .duration_seconds = UINT64_MAX - 1,
	    .cpu_microseconds = UINT64_MAX - 1,
	    .memory_peak_bytes = UINT64_MAX - 1,
	    .read_bytes = 3,
	    .written_bytes = 4,
	    .count = 5,
	};
	static char name[257], reason[2049], out[EVENT_LINE_MAX];

	memset(name, '\n', sizeof(name) - 1);
	memset(reason, '\n', sizeof(reason) - 1);
	event.event = event.user = event.service = event.tty = event.rhost = name;
	event.container = event.policy = event.admin = name;
	event.reason = reason;
	ck_assert_uint_gt(event_format_json(&event, &moment, out, sizeof(out)),
			  6 * (8 * 256 + 2048));
	ck_assert_uint_gt(event_format_text(&event, out, sizeof(out)), 4 * (8 * 256 + 2048));
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

START_TEST(text_that_does_not_fit_is_left_out_whole)
{
	struct event event = EVENT_INIT;
	char out[128];
	size_t whole;

	event.event = "denied";
	event.user = "alice";
	event.reason = "no";
	event.memory_peak_bytes = 7;
	whole = event_format_text(&event, out, sizeof(out));
	ck_assert_str_eq(out, "denied user=alice reason=\"no\" memory_peak_bytes=7");
	for (size_t size = 1; size <= whole; size++)
		ck_assert_uint_eq(event_format_text(&event, out, size), 0);
	ck_assert_uint_eq(event_format_text(&event, out, whole + 1), whole);
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

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, json_has_the_fields_that_are_set);
	tcase_add_test(tests, json_escapes_what_would_break_it);
	tcase_add_test(tests, json_has_every_field_in_its_place);
	tcase_add_test(tests, controls_above_ascii_are_escaped);
	tcase_add_test(tests, any_bytes_make_one_valid_line);
	tcase_add_test(tests, the_largest_event_has_room);
	tcase_add_test(tests, what_does_not_fit_is_left_out_whole);
	tcase_add_test(tests, text_is_one_line_of_words);
	tcase_add_test(tests, text_that_does_not_fit_is_left_out_whole);
	tcase_add_test(tests, utf8_is_judged_strictly);
	tcase_add_test(tests, json_writer_nests_and_separates);
	suite_add_tcase(suite, tests);
	return suite;
}

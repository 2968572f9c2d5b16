/* tests/unit/test_status.c - what a container is told about itself, as text and back. */
#include <stdio.h>
#include <string.h>

#include "helper/init/status.h"
#include "tests/unit/suites.h"

static void fill(struct container_status *status)
{
	status_clear(status);
	(void)snprintf(status->name, sizeof(status->name), "alice");
	(void)snprintf(status->policy, sizeof(status->policy), "students");
	(void)snprintf(status->image, sizeof(status->image), "host");
	(void)snprintf(status->state, sizeof(status->state), "running");
	status->started_at = 1700000000;
	status->in.memory_bytes = 4096;
	status->held.value[LIMIT_MEMORY] = 1 << 20;
	status->held.value[LIMIT_PIDS] = LIMIT_UNLIMITED;
	status->disk.disk_bytes = 0;
	status->session_count = 1;
	status->session_room = 1;
	status->sessions[0] = (struct status_session){.since = 1700000001, .left_seconds = 42};
	(void)snprintf(status->sessions[0].user, sizeof(status->sessions[0].user), "alice");
	(void)snprintf(status->sessions[0].service, sizeof(status->sessions[0].service), "sshd");
	(void)snprintf(status->sessions[0].tty, sizeof(status->sessions[0].tty), "a,b");
}

START_TEST(what_is_written_is_read)
{
	struct container_status in, out;
	struct record text;

	fill(&in);
	ck_assert(status_format(&in, &text));
	ck_assert(status_parse(&text, &out));
	ck_assert_str_eq(out.name, "alice");
	ck_assert_str_eq(out.policy, "students");
	ck_assert_str_eq(out.image, "host");
	ck_assert_str_eq(out.state, "running");
	ck_assert_uint_eq(out.started_at, 1700000000);
	ck_assert_uint_eq(out.in.memory_bytes, 4096);
	ck_assert_uint_eq(out.held.value[LIMIT_MEMORY], 1 << 20);
	ck_assert_uint_eq(out.disk.disk_bytes, 0);
	ck_assert_uint_eq(out.session_count, 1);
	ck_assert_uint_eq(out.session_room, 1);
	ck_assert_uint_eq(out.sessions[0].since, 1700000001);
	ck_assert_uint_eq(out.sessions[0].left_seconds, 42);
	ck_assert_str_eq(out.sessions[0].user, "alice");
	ck_assert_str_eq(out.sessions[0].tty, "a_b"); /* what separates fields is in none */
	ck_assert_str_eq(out.sessions[0].rhost, "-");
}
END_TEST

/* Bytes that are escaped in the text come back, and a line break ends no field of another. */
START_TEST(sessions_are_unescaped)
{
	struct container_status in, out;
	struct record text;

	fill(&in);
	(void)snprintf(in.sessions[0].rhost, sizeof(in.sessions[0].rhost), "a b%%\n");
	ck_assert(status_format(&in, &text));
	ck_assert(status_parse(&text, &out));
	ck_assert_uint_eq(out.session_room, 1);
	ck_assert_str_eq(out.sessions[0].rhost, "a b%\n");

	memset(&text, 0, sizeof(text));
	(void)snprintf(text.text, sizeof(text.text),
		       "format=1\nname=a\npolicy=p\nimage=i\nstate=running\n"
		       "session=1,a,b\nsession=2,c,d,e,f,g\n");
	ck_assert(status_parse(&text, &out));
	ck_assert_uint_eq(out.session_room, 1);
	ck_assert_uint_eq(out.sessions[0].since, 2);
	ck_assert_str_eq(out.sessions[0].user, "c");
}
END_TEST

START_TEST(what_is_not_known_stays_so)
{
	struct container_status in, out;
	struct record text;

	fill(&in);
	ck_assert(status_format(&in, &text));
	ck_assert_ptr_null(strstr(text.text, "process_limit"));
	ck_assert(status_parse(&text, &out));
	ck_assert_uint_eq(out.held.value[LIMIT_PIDS], UINT64_MAX);
	ck_assert_uint_eq(out.in.pids, UINT64_MAX);
	ck_assert_uint_eq(out.disk.disk_limit_bytes, UINT64_MAX);
	ck_assert_uint_eq(out.idle_seconds, UINT64_MAX);
}
END_TEST

/* Eight sessions with names as long as can be, every byte of them escaped, are more than fits. */
START_TEST(sessions_that_do_not_fit_are_left_out)
{
	struct container_status in, out;
	struct record text;

	fill(&in);
	in.session_count = in.session_room = STATUS_SESSIONS_MAX;
	for (size_t i = 0; i < STATUS_SESSIONS_MAX; i++) {
		memset(in.sessions[i].user, '\xff', sizeof(in.sessions[i].user) - 1);
		memset(in.sessions[i].rhost, '\xff', sizeof(in.sessions[i].rhost) - 1);
		memset(in.sessions[i].tty, '\xff', sizeof(in.sessions[i].tty) - 1);
		memset(in.sessions[i].service, '\xff', sizeof(in.sessions[i].service) - 1);
	}
	ck_assert(status_format(&in, &text));
	ck_assert(!text.failed);
	ck_assert(status_parse(&text, &out));
	ck_assert_uint_eq(out.session_count, STATUS_SESSIONS_MAX);
	ck_assert_uint_lt(out.session_room, STATUS_SESSIONS_MAX);
}
END_TEST

START_TEST(other_texts_are_refused)
{
	static const char *const texts[] = {"", "nonsense", "format=2\nname=a\n", "format=1\n",
					    "format=1\nname=a\npolicy=p\nimage=i\n"};
	struct container_status out;

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
		struct record text = {0};

		(void)snprintf(text.text, sizeof(text.text), "%s", texts[i]);
		text.length = strlen(texts[i]);
		ck_assert_msg(!status_parse(&text, &out), "%s", texts[i]);
	}
}
END_TEST

START_TEST(numbers_that_make_no_sense_are_missing)
{
	static const char head[] = "format=1\nname=a\npolicy=p\nimage=i\nstate=running\n";
	struct container_status out;
	struct record text = {0};

	(void)snprintf(text.text, sizeof(text.text), "%s%s", head,
		       "memory_bytes=many\nprocesses=-3\nnew_key=1\nsessions=2\nsession=x,y\n");
	text.length = strlen(text.text);
	ck_assert(status_parse(&text, &out));
	ck_assert_uint_eq(out.in.memory_bytes, UINT64_MAX);
	ck_assert_uint_eq(out.in.pids, UINT64_MAX);
	ck_assert_uint_eq(out.session_count, 2);
	ck_assert_uint_eq(out.session_room, 0);
}
END_TEST

Suite *status_suite(void)
{
	Suite *suite = suite_create("status");
	TCase *tests = tcase_create("status");

	tcase_add_test(tests, what_is_written_is_read);
	tcase_add_test(tests, sessions_are_unescaped);
	tcase_add_test(tests, what_is_not_known_stays_so);
	tcase_add_test(tests, sessions_that_do_not_fit_are_left_out);
	tcase_add_test(tests, other_texts_are_refused);
	tcase_add_test(tests, numbers_that_make_no_sense_are_missing);
	suite_add_tcase(suite, tests);
	return suite;
}

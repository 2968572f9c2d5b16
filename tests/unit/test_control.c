/* tests/unit/test_control.c - which requests PID 1 of a container acts on. */
#include <string.h>

#include "helper/init/control.h"
#include "tests/unit/suites.h"

static struct control_request sample(uint32_t verb)
{
	return (struct control_request){.version = CONTROL_VERSION, .verb = verb, .user = "alice"};
}

static bool is_sound(const struct control_request *request, size_t fd_count)
{
	return control_request_is_sound(request, sizeof(*request), fd_count);
}

START_TEST(every_verb_is_known)
{
	for (uint32_t verb = 0; verb < 10; verb++) {
		struct control_request request = sample(verb);
		bool known = verb >= CONTROL_SESSION && verb <= CONTROL_PREPARE;
		size_t fds = verb == CONTROL_SESSION ? 4 : verb == CONTROL_PREPARE ? 1 : 0;

		ck_assert_int_eq(is_sound(&request, fds), known);
	}
}
END_TEST

START_TEST(descriptors_are_those_announced)
{
	struct control_request request = sample(CONTROL_SESSION);

	ck_assert(!is_sound(&request, 3));
	ck_assert(!is_sound(&request, 5));
	request.has_tty = request.has_budget = request.plan_fds = 2;
	ck_assert(is_sound(&request, 4 + 1 + 2 + 2));
	/* The sum must not come round to what is there. */
	request = sample(CONTROL_SESSION);
	request.has_tty = 1;
	request.plan_fds = UINT32_MAX;
	ck_assert(!is_sound(&request, 4));
	request = sample(CONTROL_PREPARE);
	request.plan_fds = 2;
	ck_assert(is_sound(&request, 1 + 2));
	ck_assert(!is_sound(&request, 0));
	request.plan_fds = UINT32_MAX;
	ck_assert(!is_sound(&request, 0));
	request = sample(CONTROL_STOP);
	ck_assert(!is_sound(&request, 1));
}
END_TEST

START_TEST(texts_end_and_sizes_fit)
{
	struct control_request request = sample(CONTROL_MESSAGE);

	ck_assert(!control_request_is_sound(&request, sizeof(request) - 1, 0));
	request.version++;
	ck_assert(!is_sound(&request, 0));
	request = sample(CONTROL_MESSAGE);
	memset(request.text, 'x', sizeof(request.text));
	ck_assert(!is_sound(&request, 0));
	request.text[sizeof(request.text) - 1] = '\0';
	ck_assert(is_sound(&request, 0));
	memset(request.tty_path, 'x', sizeof(request.tty_path));
	ck_assert(!is_sound(&request, 0));
}
END_TEST

START_TEST(hours_are_hours)
{
	struct control_request request = sample(CONTROL_SETTINGS);
	struct hours *hours = &request.rules.hours;

	hours->count = 1;
	hours->spans[0] = (struct hours_span){.days = 1, .begin = 1439, .end = 1440};
	ck_assert(is_sound(&request, 0));
	hours->spans[0].end = 1441;
	ck_assert(!is_sound(&request, 0));
	hours->spans[0] = (struct hours_span){.days = 1, .begin = 1440, .end = 5};
	ck_assert(!is_sound(&request, 0));
	hours->spans[0] = (struct hours_span){.days = 128, .begin = 4, .end = 5};
	ck_assert(!is_sound(&request, 0));
	hours->spans[0] = (struct hours_span){.days = 1, .begin = 5, .end = 5};
	ck_assert(!is_sound(&request, 0));
	hours->count = HOURS_SPANS_MAX + 1;
	ck_assert(!is_sound(&request, 0));
}
END_TEST

Suite *control_suite(void)
{
	Suite *suite = suite_create("control");
	TCase *tests = tcase_create("requests");

	tcase_add_test(tests, every_verb_is_known);
	tcase_add_test(tests, descriptors_are_those_announced);
	tcase_add_test(tests, texts_end_and_sizes_fit);
	tcase_add_test(tests, hours_are_hours);
	suite_add_tcase(suite, tests);
	return suite;
}

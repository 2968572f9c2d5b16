/* tests/unit/test_admin_quota.c - the bars of carrel quota. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/admin/quota_apply.h"
#include "helper/admin/quota_view.h"
#include "tests/unit/suites.h"

START_TEST(percents)
{
	ck_assert_uint_eq(quota_percent(0, 100), 0);
	ck_assert_uint_eq(quota_percent(999, 1000), 99);
	ck_assert_uint_eq(quota_percent(1000, 1000), 100);
	ck_assert_uint_eq(quota_percent(5000, 1000), 100);
	ck_assert_uint_eq(quota_percent(0, 0), 100);
	ck_assert_uint_eq(quota_percent(UINT64_MAX / 2, UINT64_MAX - 2), 50);
}
END_TEST

START_TEST(bars)
{
	static const struct {
		unsigned percent, width;
		const char *bar;
	} cases[] = {
	    {0, 10, ".........."},  {1, 10, "#........."},   {50, 10, "#####....."},
	    {99, 10, "#########."}, {100, 10, "##########"}, {100, 0, ""},
	};
	char bar[64];

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		quota_bar(cases[i].percent, cases[i].width, false, bar);
		ck_assert_str_eq(bar, cases[i].bar);
	}
	quota_bar(50, 2, true, bar);
	ck_assert_str_eq(bar, "█░");
}
END_TEST

/* The lines of a container that uses half of everything, on a terminal of that width. */
static char *lines(unsigned columns, bool colour, uint64_t memory)
{
	const struct quota_style style = {.columns = columns, .colour = colour};
	struct container_status status;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	status_clear(&status);
	(void)snprintf(status.name, sizeof(status.name), "alice");
	(void)snprintf(status.policy, sizeof(status.policy), "p");
	(void)snprintf(status.state, sizeof(status.state), "running");
	status.in.memory_bytes = memory;
	status.held.value[LIMIT_MEMORY] = 1000;
	status.in.pids = 7;
	quota_print(&status, &style, out);
	(void)fclose(out);
	return text;
}

START_TEST(lines_fit_the_terminal)
{
	static const unsigned widths[] = {10, 40, 46, 47, 48, 60, 80, 132, 400};

	for (size_t i = 0; i < ARRAY_LENGTH(widths); i++) {
		char *text = lines(widths[i], false, 500);

		for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
			ck_assert_uint_le(strcspn(line, "\n"), widths[i] < 40 ? 40 : widths[i]);
		ck_assert_ptr_nonnull(strstr(text, " 50 %  500 of 1000\n"));
		ck_assert_ptr_nonnull(strstr(text, "processes  7, no limit\n"));
		ck_assert_ptr_null(strstr(text, "disk"));
		free(text);
	}
}
END_TEST

START_TEST(colour_warns)
{
	static const struct {
		uint64_t memory;
		bool colour;
		const char *has, *lacks;
	} cases[] = {
	    {790, true, "79 %", "\033["},
	    {800, true, "\033[33m", "\033[31m"},
	    {950, true, "\033[31m", "\033[33m"},
	    {1000, false, "100 %", "\033["},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		char *text = lines(80, cases[i].colour, cases[i].memory);

		ck_assert_ptr_nonnull(strstr(text, cases[i].has));
		ck_assert_ptr_null(strstr(text, cases[i].lacks));
		free(text);
	}
}
END_TEST

START_TEST(changes_are_told)
{
	struct limits from, to;
	char text[256], small[8];

	memset(&from, 0xff, sizeof(from));
	memset(&to, 0xff, sizeof(to));
	quota_changes(&from, &to, text, sizeof(text));
	ck_assert_str_eq(text, "");
	from.value[LIMIT_MEMORY] = to.value[LIMIT_MEMORY] = 1 << 20;
	from.value[LIMIT_CPU] = LIMIT_UNLIMITED;
	to.value[LIMIT_CPU] = 5000;
	from.value[LIMIT_PIDS] = 10;
	to.value[LIMIT_PIDS] = 20;
	from.value[LIMIT_SWAP] = 0; /* and not known afterwards */
	quota_changes(&from, &to, text, sizeof(text));
	ck_assert_str_eq(text, "cpu unlimited -> 50%, pids 10 -> 20");
	quota_changes(&from, &to, small, sizeof(small));
	ck_assert_str_eq(small, "cpu unl");
}
END_TEST

Suite *admin_quota_suite(void)
{
	Suite *suite = suite_create("admin_quota");
	TCase *tests = tcase_create("admin_quota");

	tcase_add_test(tests, percents);
	tcase_add_test(tests, bars);
	tcase_add_test(tests, lines_fit_the_terminal);
	tcase_add_test(tests, colour_warns);
	tcase_add_test(tests, changes_are_told);
	suite_add_tcase(suite, tests);
	return suite;
}

/* tests/unit/test_admin_explain.c - the words for a match are those of config_select. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <string.h>

#include "helper/admin/explain.h"
#include "tests/unit/suites.h"

static char alice[] = "alice", students[] = "students", staff[] = "staff", ssh[] = "sshd",
	    cron[] = "cron";
static const char *const groups[] = {"alice", "students"};
static const struct subject subject = {
    .user = "alice", .service = "sshd", .groups = groups, .group_count = 2};

static struct string_list list_of(char **items, size_t count)
{
	return (struct string_list){.count = count, .items = items};
}

/* Every combination of restrictions: explain_match says yes exactly when config_select does. */
START_TEST(agrees_with_select)
{
	char *users[] = {alice}, *others[] = {staff}, *mine[] = {students}, *theirs[] = {staff},
	     *here[] = {ssh}, *there[] = {cron};
	const struct string_list none = {0};
	const struct string_list user_lists[] = {none, list_of(users, 1), list_of(others, 1)};
	const struct string_list group_lists[] = {none, list_of(mine, 1), list_of(theirs, 1)};
	const struct string_list service_lists[] = {none, list_of(here, 1), list_of(there, 1)};

	for (int i = 0; i < 27; i++) {
		struct policy policy = {.name = alice,
					.users = user_lists[i % 3],
					.groups = group_lists[i / 3 % 3],
					.services = service_lists[i / 9]};
		struct config config = {.policies = &policy, .policy_count = 1};
		struct selection selection;
		char reason[300] = "";

		config_select(&config, &subject, &selection);
		ck_assert_int_eq(explain_match(&policy, &subject, reason, sizeof(reason)),
				 selection.policy != NULL);
		ck_assert_str_ne(reason, "");
	}
}
END_TEST

START_TEST(says_why)
{
	char *names[] = {students, staff}, *services[] = {cron};
	struct policy policy = {.name = alice, .groups = list_of(names, 2)};
	char reason[300];

	ck_assert(explain_match(&policy, &subject, reason, sizeof(reason)));
	ck_assert_str_eq(reason, "names group \"students\"");
	policy.services = list_of(services, 1);
	ck_assert(!explain_match(&policy, &subject, reason, sizeof(reason)));
	ck_assert_str_eq(reason, "is for \"cron\", not for \"sshd\"");
	policy.groups = list_of(names + 1, 1);
	ck_assert(!explain_match(&policy, &subject, reason, sizeof(reason)));
	ck_assert_str_eq(reason, "alice is not in \"staff\"");
}
END_TEST

START_TEST(a_long_list_is_cut)
{
	char *many[100], name[] = "a-group-with-a-long-name";
	struct policy policy = {.name = alice};
	char reason[80];

	for (size_t i = 0; i < ARRAY_LENGTH(many); i++)
		many[i] = name;
	policy.groups = list_of(many, ARRAY_LENGTH(many));
	ck_assert(!explain_match(&policy, &subject, reason, sizeof(reason)));
	ck_assert_uint_lt(strlen(reason), sizeof(reason));
}
END_TEST

START_TEST(exemptions)
{
	char *users[] = {alice}, *names[] = {students};
	struct config config = {.exempt_groups = list_of(names, 1)};
	const struct subject root = {.user = "root", .service = "sshd"};
	char reason[300];

	ck_assert(explain_exempt(&config, &subject, reason, sizeof(reason)));
	ck_assert_str_eq(reason, "group \"students\" is exempt in carrel.conf");
	config.exempt_users = list_of(users, 1);
	ck_assert(explain_exempt(&config, &subject, reason, sizeof(reason)));
	ck_assert_str_eq(reason, "user \"alice\" is exempt in carrel.conf");
	config = (struct config){0};
	ck_assert(!explain_exempt(&config, &subject, reason, sizeof(reason)));
	ck_assert(explain_exempt(&config, &root, reason, sizeof(reason)));
	ck_assert_str_eq(reason, "root is always exempt");
}
END_TEST

Suite *admin_explain_suite(void)
{
	Suite *suite = suite_create("admin_explain");
	TCase *tests = tcase_create("admin_explain");

	tcase_add_test(tests, agrees_with_select);
	tcase_add_test(tests, says_why);
	tcase_add_test(tests, a_long_list_is_cut);
	tcase_add_test(tests, exemptions);
	suite_add_tcase(suite, tests);
	return suite;
}

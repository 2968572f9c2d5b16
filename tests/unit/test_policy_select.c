/* tests/unit/test_policy_select.c - who gets which policy and which pool. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <string.h>

#include "policy/policy.h"
#include "tests/unit/suites.h"

#define LIST(...)                                                                                  \
	{                                                                                          \
		.count = sizeof((char *[]){__VA_ARGS__}) / sizeof(char *), .items = (char *[])     \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

static struct selection choose(const struct config *config, const char *user, const char *service,
			       const char *const *groups, size_t group_count)
{
	const struct subject subject = {user, service, groups, group_count};
	struct selection selection;

	config_select(config, &subject, &selection);
	return selection;
}

static const char *chosen(const struct config *config, const char *user, const char *service,
			  const char *group)
{
	struct selection selection = choose(config, user, service, &group, group ? 1 : 0);

	return selection.policy ? selection.policy->name : "none";
}

static bool is_exempt(const struct config *config, const char *user, const char *group)
{
	const struct subject subject = {user, "sshd", &group, group ? 1 : 0};

	return config_is_exempt(config, &subject);
}

START_TEST(the_first_that_matches_wins)
{
	struct policy policies[] = {
	    {.name = "named", .users = LIST("alice", "bob")},
	    {.name = "students", .groups = LIST("students")},
	    {.name = "again", .groups = LIST("students", "staff")},
	    {.name = "rest"},
	    {.name = "never"},
	};
	const struct config config = {.policies = policies, .policy_count = 5};

	ck_assert_str_eq(chosen(&config, "alice", "sshd", "students"), "named");
	ck_assert_str_eq(chosen(&config, "carol", "sshd", "students"), "students");
	ck_assert_str_eq(chosen(&config, "carol", "sshd", "staff"), "again");
	ck_assert_str_eq(chosen(&config, "carol", "sshd", "other"), "rest");
	ck_assert_str_eq(chosen(&config, "carol", "sshd", NULL), "rest");
	ck_assert_str_eq(chosen(&config, "alic", "sshd", NULL), "rest");
	ck_assert_str_eq(chosen(&config, "Alice", "sshd", NULL), "rest");
}
END_TEST

START_TEST(nothing_matches_without_policies)
{
	const struct config config = {0};
	struct selection selection = choose(&config, "alice", "sshd", NULL, 0);

	ck_assert_ptr_null(selection.policy);
	ck_assert_ptr_null(selection.pool);
	ck_assert_str_eq(selection.matched_group, "");
}
END_TEST

START_TEST(services_narrow)
{
	struct policy policies[] = {
	    {.name = "cron", .groups = LIST("students"), .services = LIST("cron", "at")},
	    {.name = "ssh", .services = LIST("sshd")},
	};
	const struct config config = {.policies = policies, .policy_count = 2};

	ck_assert_str_eq(chosen(&config, "alice", "cron", "students"), "cron");
	ck_assert_str_eq(chosen(&config, "alice", "at", "students"), "cron");
	ck_assert_str_eq(chosen(&config, "alice", "sshd", "students"), "ssh");
	ck_assert_str_eq(chosen(&config, "alice", "login", "students"), "none");
	ck_assert_str_eq(chosen(&config, "alice", "cron", "staff"), "none");
}
END_TEST

START_TEST(users_and_groups_are_either_or)
{
	struct policy policies[] = {
	    {.name = "both", .users = LIST("teacher"), .groups = LIST("students")}};
	const struct config config = {.policies = policies, .policy_count = 1};

	ck_assert_str_eq(chosen(&config, "teacher", "sshd", "staff"), "both");
	ck_assert_str_eq(chosen(&config, "alice", "sshd", "students"), "both");
	ck_assert_str_eq(chosen(&config, "alice", "sshd", "staff"), "none");
}
END_TEST

START_TEST(the_matched_group_is_the_policy_s_first)
{
	static const char *const groups[] = {"users", "cs102", "cs101"};
	struct policy policies[] = {
	    {.name = "services", .groups = LIST("users"), .services = LIST("cron")},
	    {.name = "classes", .users = LIST("teacher"), .groups = LIST("cs101", "cs102")},
	};
	const struct config config = {.policies = policies, .policy_count = 2};
	struct selection selection;

	selection = choose(&config, "alice", "sshd", groups, 3);
	ck_assert_str_eq(selection.matched_group, "cs101");
	selection = choose(&config, "teacher", "sshd", groups, 2);
	ck_assert_str_eq(selection.matched_group, "cs102");
	selection = choose(&config, "teacher", "sshd", groups, 1);
	ck_assert_ptr_eq(selection.policy, &policies[1]);
	ck_assert_str_eq(selection.matched_group, "");
	selection = choose(&config, "alice", "sshd", groups, 1);
	ck_assert_ptr_null(selection.policy);
	ck_assert_str_eq(selection.matched_group, "");
}
END_TEST

static const char *pool_for(const struct config *config, const char *user, const char *group)
{
	struct selection selection = choose(config, user, "sshd", &group, 1);

	return selection.pool ? selection.pool->name : "none";
}

START_TEST(a_named_pool_goes_before_a_listing_one)
{
	struct policy policies[] = {
	    {.name = "host", .users = LIST("dora"), .action = POLICY_HOST},
	    {.name = "own", .users = LIST("alice"), .pool = "third"},
	    {.name = "listed", .users = LIST("bob")},
	    {.name = "free", .groups = LIST("cs101", "staff")},
	};
	struct pool pools[] = {
	    {.name = "first", .groups = LIST("cs101")},
	    {.name = "second", .policies = LIST("own", "listed", "host")},
	    {.name = "third"},
	};
	const struct config config = {
	    .policies = policies, .policy_count = 4, .pools = pools, .pool_count = 3};

	ck_assert_str_eq(pool_for(&config, "alice", "cs101"), "third");
	ck_assert_str_eq(pool_for(&config, "bob", "cs101"), "second");
	ck_assert_str_eq(pool_for(&config, "carol", "cs101"), "first");
	ck_assert_str_eq(pool_for(&config, "carol", "staff"), "none");
	ck_assert_str_eq(pool_for(&config, "dora", "cs101"), "none");
	ck_assert_str_eq(pool_for(&config, "eve", "other"), "none");
}
END_TEST

START_TEST(the_first_pool_of_a_group_wins)
{
	struct policy policies[] = {{.name = "all"}};
	struct pool pools[] = {
	    {.name = "one", .groups = LIST("cs101", "cs102")},
	    {.name = "two", .groups = LIST("cs102", "cs103")},
	};
	const struct config config = {
	    .policies = policies, .policy_count = 1, .pools = pools, .pool_count = 2};

	ck_assert_str_eq(pool_for(&config, "alice", "cs102"), "one");
	ck_assert_str_eq(pool_for(&config, "alice", "cs103"), "two");
}
END_TEST

START_TEST(root_is_always_exempt)
{
	const struct config config = {.exempt_users = LIST("admin"),
				      .exempt_groups = LIST("sudo", "wheel")};
	const struct config empty = {0};

	ck_assert(is_exempt(&config, "root", NULL));
	ck_assert(is_exempt(&empty, "root", NULL));
	ck_assert(is_exempt(NULL, "root", NULL));
	ck_assert(is_exempt(&config, "admin", NULL));
	ck_assert(is_exempt(&config, "alice", "wheel"));
	ck_assert(!is_exempt(&config, "alice", "students"));
	ck_assert(!is_exempt(&config, "sudo", "admin"));
	ck_assert(!is_exempt(&empty, "admin", "wheel"));
	ck_assert(!is_exempt(NULL, "admin", "wheel"));
}
END_TEST

Suite *policy_select_suite(void)
{
	Suite *suite = suite_create("policy selection");
	TCase *test = tcase_create("selection");

	tcase_add_test(test, the_first_that_matches_wins);
	tcase_add_test(test, nothing_matches_without_policies);
	tcase_add_test(test, services_narrow);
	tcase_add_test(test, users_and_groups_are_either_or);
	tcase_add_test(test, the_matched_group_is_the_policy_s_first);
	tcase_add_test(test, a_named_pool_goes_before_a_listing_one);
	tcase_add_test(test, the_first_pool_of_a_group_wins);
	tcase_add_test(test, root_is_always_exempt);
	suite_add_tcase(suite, test);
	return suite;
}

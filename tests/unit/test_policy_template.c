/* tests/unit/test_policy_template.c - names made from templates are legal, and never shared. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "policy/template.h"
#include "tests/unit/suites.h"

static const char *expand(const char *template, const char *user, bool is_hostname)
{
	static char out[65];
	struct failure why = {0};

	ck_assert_msg(template_expand(template, user, "cs101", "students", is_hostname, out, &why),
		      "%s: %s", template, why.text);
	return out;
}

static void refuse(const char *template, const char *group, const char *message)
{
	struct failure why = {0};
	char out[65];

	ck_assert(!template_expand(template, "alice", group, "students", false, out, &why));
	ck_assert_str_eq(why.text, message);
	ck_assert_int_eq(why.kind, FAILURE_POLICY);
}

START_TEST(variables_stand_for_names)
{
	ck_assert_str_eq(expand("%u", "alice", false), "alice");
	ck_assert_str_eq(expand("%p.%u", "alice", false), "students.alice");
	ck_assert_str_eq(expand("%g", "alice", false), "cs101");
	ck_assert_str_eq(expand("x%u-%g_%p", "bob", false), "xbob-cs101_students");
	ck_assert_str_eq(expand("shared", "alice", false), "shared");
	ck_assert_str_eq(expand("%u%u", "ab", false), "abab");
	ck_assert_str_eq(expand("%u", "a.b-c_d9", false), "a.b-c_d9");
	ck_assert_str_eq(expand("%u", "_svc", false), "_svc");
}
END_TEST

START_TEST(other_bytes_are_mapped_and_marked)
{
	/* FNV-1a of the original: 2cdd8587 is that of "Alice", 34b9b4d3 that of "%a". */
	ck_assert_str_eq(expand("%u", "Alice", false), "_lice-2cdd8587");
	ck_assert_str_eq(expand("%%%u", "a", false), "_a-34b9b4d3");
}
END_TEST

START_TEST(mapped_names_differ_from_each_other)
{
	static const char *const users[] = {
	    "Alice", "\xc3\x84lice", "ALICE",        "1lice", "-lice", ".lice",
	    "lice.", "li ce",        "li/ce",        "..",    ".",     "@",
	    "$",     "DOM\\alice",   "lice@dom.org",
	};
	char seen[ARRAY_LENGTH(users)][65];

	for (size_t i = 0; i < ARRAY_LENGTH(users); i++) {
		size_t length;

		(void)snprintf(seen[i], sizeof(seen[i]), "%s", expand("%u", users[i], false));
		length = strlen(seen[i]);
		ck_assert_msg(name_is_valid(seen[i]), "%s", seen[i]);
		ck_assert_msg(length > 9 && seen[i][length - 9] == '-', "%s", seen[i]);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(seen[i], seen[j]);
	}
}
END_TEST

START_TEST(long_names_are_cut_and_marked)
{
	char user[200], one[65], two[65];

	memset(user, 'a', sizeof(user));
	user[64] = '\0';
	ck_assert_str_eq(expand("%u", user, false), user);
	user[64] = 'a';
	user[65] = '\0';
	(void)snprintf(one, sizeof(one), "%s", expand("%u", user, false));
	ck_assert_uint_eq(strlen(one), 64);
	ck_assert_int_eq(strncmp(one, user, 55), 0);
	ck_assert(name_is_valid(one));
	user[64] = 'b';
	(void)snprintf(two, sizeof(two), "%s", expand("%u", user, false));
	ck_assert_str_ne(one, two);
	user[65] = 'c';
	user[199] = '\0';
	ck_assert_uint_eq(strlen(expand("%p-%u", user, false)), 64);
}
END_TEST

START_TEST(host_names_are_labels)
{
	char user[70];

	ck_assert_str_eq(expand("%p", "alice", true), "students");
	ck_assert_str_eq(expand("%u-%p", "Alice", true), "Alice-students");
	ck_assert_str_eq(expand("%u", "9lives", true), "9lives");
	ck_assert_int_eq(strncmp(expand("%u", "a_b", true), "a-b-", 4), 0);
	ck_assert_uint_eq(strlen(expand("%u", "a_b", true)), 3 + 9);
	ck_assert_int_eq(strncmp(expand("%u", "_apt", true), "xapt-", 5), 0);
	ck_assert_int_eq(strncmp(expand("%u", "ends-", true), "ends--", 6), 0);
	ck_assert_str_ne(expand("%u", "a.b", true), "a.b");
	memset(user, 'h', sizeof(user));
	user[63] = '\0';
	ck_assert_str_eq(expand("%u", user, true), user);
	user[63] = 'h';
	user[64] = '\0';
	ck_assert_uint_eq(strlen(expand("%u", user, true)), 63);
}
END_TEST

START_TEST(what_cannot_be_expanded_says_why)
{
	refuse("%x", "g", "\"%x\" has a % that is not %u, %g, %p or %%");
	refuse("a%", "g", "\"a%\" has a % that is not %u, %g, %p or %%");
	refuse("%g", "", "\"%g\" has %g, but there is no matched group to put in its place");
	refuse("%g", NULL, "\"%g\" has %g, but there is no matched group to put in its place");
	refuse("", "g", "the name is empty");
}
END_TEST

START_TEST(templates_are_judged_before_a_login)
{
	static const char *const good[] = {"%u", "%p", "lab", "_x", "%p.%u", "a-%g", "%u%g%p"};
	static const char *const bad[] = {"",   "Lab", "1%u", "-%u", "%u.", "%u/x",
					  "..", "a b", "%%",  "%x",  "%",   "a%u%"};
	static const char *const labels[] = {"%p", "lab", "Lab-%u", "1%u"};
	static const char *const no_labels[] = {"",    "lab.example", "%u_x", "-%u",
						"%u-", "a b",         "%%"};
	struct failure why;
	char long_name[80];

	for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
		ck_assert_msg(template_check(good[i], false, &why), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		ck_assert_msg(!template_check(bad[i], false, &why), "%s", bad[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(labels); i++)
		ck_assert_msg(template_check(labels[i], true, &why), "%s", labels[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(no_labels); i++)
		ck_assert_msg(!template_check(no_labels[i], true, &why), "%s", no_labels[i]);
	memset(long_name, 'a', sizeof(long_name));
	long_name[65] = '\0';
	ck_assert(!template_check(long_name, false, &why));
	long_name[64] = '\0';
	ck_assert(template_check(long_name, false, &why));
	ck_assert(!template_check(long_name, true, &why));
}
END_TEST

START_TEST(variables_are_found)
{
	ck_assert(template_uses("%g", 'g'));
	ck_assert(template_uses("%u-%g", 'g'));
	ck_assert(!template_uses("%u-%p", 'g'));
	ck_assert(!template_uses("%%g", 'g'));
	ck_assert(template_uses("%%%g", 'g'));
	ck_assert(!template_uses("g%", 'g'));
	ck_assert(!template_uses("", 'g'));
}
END_TEST

START_TEST(names_are_plain)
{
	static const char *const bad[] = {"",    "A",   "1a",  "-a",       ".a", ".",  "..",
					  "a/b", "a b", "a\n", "\xc3\xa4", "a%", "a:b"};
	char name[66];

	memset(name, 'n', sizeof(name));
	name[64] = '\0';
	ck_assert(name_is_valid(name));
	name[64] = 'n';
	name[65] = '\0';
	ck_assert(!name_is_valid(name));
	ck_assert(name_is_valid("a"));
	ck_assert(name_is_valid("_"));
	ck_assert(name_is_valid("debian-12.5_x"));
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		ck_assert_msg(!name_is_valid(bad[i]), "%s", bad[i]);
}
END_TEST

Suite *policy_template_suite(void)
{
	Suite *suite = suite_create("policy templates");
	TCase *test = tcase_create("templates");

	tcase_add_test(test, variables_stand_for_names);
	tcase_add_test(test, other_bytes_are_mapped_and_marked);
	tcase_add_test(test, mapped_names_differ_from_each_other);
	tcase_add_test(test, long_names_are_cut_and_marked);
	tcase_add_test(test, host_names_are_labels);
	tcase_add_test(test, what_cannot_be_expanded_says_why);
	tcase_add_test(test, templates_are_judged_before_a_login);
	tcase_add_test(test, variables_are_found);
	tcase_add_test(test, names_are_plain);
	suite_add_tcase(suite, test);
	return suite;
}

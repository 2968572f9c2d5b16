/* tests/unit/test_accounts_entries.c - passwd and group files with a user in them, and without. */
#include <stdlib.h>
#include <string.h>

#include "helper/accounts/accounts.h"
#include "tests/unit/suites.h"

static struct account_group groups[] = {{1005, "alice"}, {1010, "cs101"}, {70001, NULL}};
static const struct account alice = {
    .name = "alice",
    .uid = 1001,
    .gid = 1005,
    .home = "/home/alice",
    .shell = "/bin/zsh",
    .gecos = "Alice A.",
    .groups = groups,
    .group_count = ARRAY_LENGTH(groups),
};
static const struct id_map every_gid = {.lines = {{0, 0, UINT32_MAX}}, .count = 1};

#define ALICE "alice:x:1001:1005:Alice A.:/home/alice:/bin/zsh\n"

static void assert_passwd(const char *old_text, const struct account *account, const char *expected)
{
	struct failure why;
	char *text = passwd_merge(old_text, account, NULL, NULL, &why);
	char *again = passwd_merge(text, account, NULL, NULL, &why);

	ck_assert_str_eq(text, expected);
	ck_assert_str_eq(again, expected); /* the next login changes nothing */
	free(text);
	free(again);
}

static void assert_group(const char *old_text, const struct account *account, const char *expected)
{
	struct failure why;
	char *text = group_merge(old_text, account, &every_gid, &why);
	char *again = group_merge(text, account, &every_gid, &why);

	ck_assert_str_eq(text, expected);
	ck_assert_str_eq(again, expected);
	free(text);
	free(again);
}

START_TEST(passwd_gets_the_user)
{
	assert_passwd("", &alice, ALICE);
	assert_passwd("root:x:0:0:root:/root:/bin/sh\n", &alice,
		      "root:x:0:0:root:/root:/bin/sh\n" ALICE);
	assert_passwd("root:x:0:0:root:/root:/bin/sh", &alice,
		      "root:x:0:0:root:/root:/bin/sh\n" ALICE);
}
END_TEST

START_TEST(passwd_has_the_user_once)
{
	assert_passwd("a:x:1:1:::\n"
		      "alice:HASH:55:55:old:/old:/bin/old\n"
		      "b:x:2:2:::\n"
		      "alice:x:1001:1005:::\n"
		      "alicex:x:3:3:::\n",
		      &alice, "a:x:1:1:::\n" ALICE "b:x:2:2:::\nalicex:x:3:3:::\n");
}
END_TEST

START_TEST(passwd_has_the_user_before_others_of_the_uid)
{
	assert_passwd("a:x:1:1:::\nother:x:1001:7:::\nalice:x:5:5:::\n", &alice,
		      "a:x:1:1:::\n" ALICE "other:x:1001:7:::\n");
}
END_TEST

START_TEST(passwd_keeps_what_it_does_not_understand)
{
	assert_passwd("\n# comment\nalice\n:::\n+nis::::::\nx:x:99999999999:1:::\n", &alice,
		      "\n# comment\nalice\n:::\n+nis::::::\nx:x:99999999999:1:::\n" ALICE);
}
END_TEST

/* glibc takes an entry whose last fields are missing: it would stand before ours. */
START_TEST(passwd_replaces_a_short_entry)
{
	assert_passwd("alice:x:0:0\n", &alice, ALICE);
	assert_passwd("alice:\n", &alice, ALICE);
}
END_TEST

/* It skips blanks in front of a line and of a number, too, and takes a sign and zeros. */
START_TEST(passwd_reads_lines_as_the_library_does)
{
	assert_passwd("\t alice:x:0:0:::\n", &alice, ALICE);
	assert_passwd("b:x: +01001:1:::\n", &alice, ALICE "b:x: +01001:1:::\n");
	assert_passwd("b:x:000000000001001:1:::\n", &alice, ALICE "b:x:000000000001001:1:::\n");
	assert_passwd("b:x: \n1001:x:1:1:::\n", &alice, "b:x: \n1001:x:1:1:::\n" ALICE);
}
END_TEST

START_TEST(passwd_takes_another_home_and_shell)
{
	struct failure why;
	char *text = passwd_merge("", &alice, "/home/inside", "/bin/sh", &why);

	ck_assert_str_eq(text, "alice:x:1001:1005:Alice A.:/home/inside:/bin/sh\n");
	free(text);
}
END_TEST

/* Nobody becomes root by a name or a comment with a newline in it. */
START_TEST(passwd_fields_stay_fields)
{
	struct account account = alice;

	account.name = "al:ice\n";
	account.gecos = "x\nroot::0:0:::\x01\x7f\xc3\xa4";
	account.home = "/h:o\tme";
	account.shell = "\n";
	assert_passwd("", &account, "al_ice_:x:1001:1005:x_root__0_0_____\xc3\xa4:/h_o_me:_\n");
}
END_TEST

START_TEST(group_gets_the_users_groups)
{
	assert_group("root:x:0:\n", &alice,
		     "root:x:0:\nalice:x:1005:alice\ncs101:x:1010:alice\n"
		     "group70001:x:70001:alice\n");
}
END_TEST

START_TEST(group_keeps_other_members)
{
	assert_group("a:x:1:bob\ncs101:HASH:1010:bob,eve\nb:x:2:\nalice:x:1005:alice,bob\n", &alice,
		     "a:x:1:bob\ncs101:x:1010:bob,eve,alice\nb:x:2:\nalice:x:1005:alice,bob\n"
		     "group70001:x:70001:alice\n");
}
END_TEST

START_TEST(group_is_known_by_its_name)
{
	assert_group("cs101:x:55:bob\ncs101:x:1010:eve\ncs10:x:3:\ncs1012:x:4:\n", &alice,
		     "cs101:x:1010:bob,alice\ncs10:x:3:\ncs1012:x:4:\nalice:x:1005:alice\n"
		     "group70001:x:70001:alice\n");
}
END_TEST

START_TEST(group_stands_before_others_of_the_gid)
{
	assert_group("users:x:1010:eve\nx:x:5:\ncs101:x:7:bob\n", &alice,
		     "cs101:x:1010:bob,alice\nusers:x:1010:eve\nx:x:5:\nalice:x:1005:alice\n"
		     "group70001:x:70001:alice\n");
}
END_TEST

/* What the host has no name for keeps the one that it has inside. */
START_TEST(group_without_a_name_takes_the_one_inside)
{
	assert_group("project:x:70001:bob\nsame:x:70001:eve\n", &alice,
		     "project:x:70001:bob,alice\nsame:x:70001:eve\nalice:x:1005:alice\n"
		     "cs101:x:1010:alice\n");
	/* A line that is another group's by its name is not taken. */
	assert_group("cs101:x:70001:bob\n", &alice,
		     "cs101:x:1010:bob,alice\nalice:x:1005:alice\ngroup70001:x:70001:alice\n");
}
END_TEST

/* What is no entry to the C library has no name to give. */
START_TEST(group_takes_no_name_of_a_comment)
{
	assert_group("#c:x:70001:b\n+n:x:70001:b\n", &alice,
		     "#c:x:70001:b\n+n:x:70001:b\n"
		     "alice:x:1005:alice\ncs101:x:1010:alice\ngroup70001:x:70001:alice\n");
}
END_TEST

START_TEST(group_members_are_whole_names)
{
	assert_group("cs101:x:1010:alicex,xalice,alic\n", &alice,
		     "cs101:x:1010:alicex,xalice,alic,alice\nalice:x:1005:alice\n"
		     "group70001:x:70001:alice\n");
	assert_group("cs101:x:1010:bob,alice\n", &alice,
		     "cs101:x:1010:bob,alice\nalice:x:1005:alice\ngroup70001:x:70001:alice\n");
}
END_TEST

START_TEST(group_shows_mapped_gids_only)
{
	const struct id_map map = {.lines = {{0, 0x80000000, 1010}, {1011, 1011, 1}}, .count = 2};
	struct failure why;
	char *text = group_merge("cs101:x:1010:bob\nx:x:70001:\n", &alice, &map, &why);

	ck_assert_str_eq(text, "cs101:x:1010:bob\nx:x:70001:\nalice:x:1005:alice\n");
	free(text);
}
END_TEST

/* A comma in a name would make somebody else a member. */
START_TEST(group_fields_stay_fields)
{
	struct account_group own[] = {{1005, "a:b\nroot"}};
	struct account account = alice;

	account.name = "al,root:x\n";
	account.groups = own;
	account.group_count = 1;
	assert_group("", &account, "a_b_root:x:1005:al_root_x_\n");
}
END_TEST

START_TEST(group_keeps_what_it_does_not_understand)
{
	assert_group("\n#\ncs101\n+:::\nshort:x:9\n", &alice,
		     "\n#\ncs101\n+:::\nshort:x:9\nalice:x:1005:alice\ncs101:x:1010:alice\n"
		     "group70001:x:70001:alice\n");
	assert_group("cs101:x:1010\n", &alice,
		     "cs101:x:1010:alice\nalice:x:1005:alice\ngroup70001:x:70001:alice\n");
}
END_TEST

START_TEST(two_groups_of_a_name_come_to_rest)
{
	struct account_group own[] = {{1005, "same"}, {1006, "same"}};
	struct account account = alice;

	account.groups = own;
	account.group_count = 2;
	assert_group("", &account, "same:x:1005:alice\nsame:x:1006:alice\n");
}
END_TEST

static char *filled(size_t length)
{
	char *text = malloc(length + 1);

	memset(text, 'x', length);
	text[length] = '\0';
	return text;
}

START_TEST(texts_have_a_limit)
{
	const size_t limit = 1024 * 1024;
	char *text = filled(limit + 1);
	char *fits = filled(limit - strlen(ALICE) - 1);
	struct failure why;
	char *merged;

	ck_assert_ptr_null(passwd_merge(text, &alice, NULL, NULL, &why));
	ck_assert_int_eq(why.kind, FAILURE_LIMIT);
	ck_assert_ptr_null(group_merge(text, &alice, &every_gid, &why));
	ck_assert_ptr_null(passwd_system_entries(text, &why));
	ck_assert_ptr_null(group_system_entries(text, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "group"));
	merged = passwd_merge(fits, &alice, NULL, NULL, &why);
	ck_assert_ptr_nonnull(merged);
	ck_assert_uint_eq(strlen(merged), limit);
	free(merged);
	/* What grows beyond it is refused, too. */
	fits[strlen(fits)] = 'x';
	text[limit] = '\0';
	ck_assert_ptr_null(passwd_merge(text, &alice, NULL, NULL, &why));
	ck_assert_ptr_null(group_merge(text, &alice, &every_gid, &why));
	free(fits);
	free(text);
}
END_TEST

START_TEST(system_entries_are_the_systems)
{
	struct failure why;
	char *text = passwd_system_entries("root:$6$HASH:0:0:root:/root:/bin/bash\n"
					   "daemon:*:1:1:daemon:/:/usr/sbin/nologin\n"
					   "alice:x:1000:1000:Alice:/home/alice:/bin/sh\n"
					   "last:!:999:999::/:\n"
					   "nobody:x:65534:65534:nobody:/:/bin/false\n"
					   "big:x:65535:1::/:\n"
					   "+@netgroup::0:0:::\n"
					   "-bad::0:0:::\n"
					   "# comment\n"
					   "\n"
					   "broken:x:\n"
					   "negative:x:-1:0:::\n",
					   &why);

	ck_assert_str_eq(text, "root:x:0:0:root:/root:/bin/bash\n"
			       "daemon:x:1:1:daemon:/:/usr/sbin/nologin\n"
			       "last:x:999:999::/:\n"
			       "nobody:x:65534:65534:nobody:/:/bin/false\n");
	free(text);
}
END_TEST

START_TEST(system_groups_have_no_members)
{
	struct failure why;
	char *text = group_system_entries("root:x:0:admin\n"
					  "sudo:HASH:27:alice,bob\n"
					  "users:x:1000:alice\n"
					  "short:x:5\n"
					  "nogroup:x:65534:\n"
					  "+:::\n",
					  &why);

	ck_assert_str_eq(text, "root:x:0:\nsudo:x:27:\nshort:x:5:\nnogroup:x:65534:\n");
	free(text);
	text = group_system_entries("", &why);
	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

/* Any bytes at all: the user is there once, first of the uid, and nothing else is lost. */
START_TEST(merges_any_text)
{
	static const char alphabet[] = "alice:x10,\n\n:::+#bcs";
	char old_text[400];

	srandom(1);
	for (int round = 0; round < 20000; round++) {
		size_t length = (size_t)random() % sizeof(old_text);
		struct failure why;
		char *text, *again, *found;

		for (size_t i = 0; i < length; i++)
			old_text[i] = alphabet[(size_t)random() % (sizeof(alphabet) - 1)];
		old_text[length ? length - 1 : 0] = '\0';
		text = passwd_merge(old_text, &alice, NULL, NULL, &why);
		again = passwd_merge(text, &alice, NULL, NULL, &why);
		ck_assert_str_eq(text, again);
		found = strstr(text, ALICE);
		ck_assert(found && (found == text || found[-1] == '\n'));
		ck_assert(strncmp(text, "alice:", 6) != 0 || found == text);
		free(text);
		free(again);
		text = group_merge(old_text, &alice, &every_gid, &why);
		again = group_merge(text, &alice, &every_gid, &why);
		ck_assert_str_eq(text, again);
		ck_assert_ptr_nonnull(strstr(text, "cs101:x:1010:"));
		free(text);
		free(again);
		free(passwd_system_entries(old_text, &why));
		free(group_system_entries(old_text, &why));
	}
}
END_TEST

static TCase *passwd_tests(void)
{
	TCase *tests = tcase_create("passwd");

	tcase_add_test(tests, passwd_gets_the_user);
	tcase_add_test(tests, passwd_has_the_user_once);
	tcase_add_test(tests, passwd_has_the_user_before_others_of_the_uid);
	tcase_add_test(tests, passwd_keeps_what_it_does_not_understand);
	tcase_add_test(tests, passwd_replaces_a_short_entry);
	tcase_add_test(tests, passwd_reads_lines_as_the_library_does);
	tcase_add_test(tests, passwd_takes_another_home_and_shell);
	tcase_add_test(tests, passwd_fields_stay_fields);
	return tests;
}

static TCase *group_tests(void)
{
	TCase *tests = tcase_create("group");

	tcase_add_test(tests, group_gets_the_users_groups);
	tcase_add_test(tests, group_keeps_other_members);
	tcase_add_test(tests, group_is_known_by_its_name);
	tcase_add_test(tests, group_stands_before_others_of_the_gid);
	tcase_add_test(tests, group_without_a_name_takes_the_one_inside);
	tcase_add_test(tests, group_takes_no_name_of_a_comment);
	tcase_add_test(tests, group_members_are_whole_names);
	tcase_add_test(tests, group_shows_mapped_gids_only);
	tcase_add_test(tests, group_fields_stay_fields);
	tcase_add_test(tests, group_keeps_what_it_does_not_understand);
	tcase_add_test(tests, two_groups_of_a_name_come_to_rest);
	return tests;
}

Suite *accounts_entries_suite(void)
{
	Suite *suite = suite_create("accounts_entries");
	TCase *any = tcase_create("any");

	tcase_set_timeout(any, 60);
	tcase_add_test(any, texts_have_a_limit);
	tcase_add_test(any, system_entries_are_the_systems);
	tcase_add_test(any, system_groups_have_no_members);
	tcase_add_test(any, merges_any_text);
	suite_add_tcase(suite, passwd_tests());
	suite_add_tcase(suite, group_tests());
	suite_add_tcase(suite, any);
	return suite;
}

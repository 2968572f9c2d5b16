/* tests/unit/test_accounts_lookup.c - users and groups as NSS has them, of any size. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "helper/accounts/accounts.h"
#include "tests/unit/private_mounts.h"
#include "tests/unit/suites.h"

static const char *const own_etc[] = {"/etc", NULL};

/* Text of any length for a file of the test's own. */
struct pages {
	char text[512 * 1024];
	size_t length;
};

_printf_(2, 3) static void add(struct pages *pages, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(pages->text + pages->length, sizeof(pages->text) - pages->length, format,
			   arguments);
	va_end(arguments);
	pages->length += (size_t)length;
}

static int write_accounts(const char *passwd, const char *group)
{
	EXPECT(write_private("/etc/nsswitch.conf", "passwd: files\ngroup: files\n") == 0);
	EXPECT(write_private("/etc/passwd", passwd) == 0);
	EXPECT(write_private("/etc/group", group) == 0);
	return 0;
}

static int check_entry(void)
{
	struct failure why;
	struct account *account;

	EXPECT(write_accounts("root:x:0:0::/root:/bin/sh\n"
			      "alice:HASH:1001:1005:Alice A.,,,:/home/alice:/bin/zsh\n",
			      "adm:x:4:bob,alice\nalice:x:1005:alice\ncs101:x:1010:alice\n"
			      "others:x:1011:bob\n") == 0);
	account = account_lookup("alice", &why);
	EXPECT(account);
	EXPECT(strcmp(account->name, "alice") == 0 && account->uid == 1001 && account->gid == 1005);
	EXPECT(strcmp(account->gecos, "Alice A.,,,") == 0);
	EXPECT(strcmp(account->home, "/home/alice") == 0);
	EXPECT(strcmp(account->shell, "/bin/zsh") == 0);
	EXPECT(account->group_count == 3); /* once the primary one, though it lists her, too */
	EXPECT(account->groups[0].gid == 1005 && strcmp(account->groups[0].name, "alice") == 0);
	EXPECT(account->groups[1].gid == 4 && strcmp(account->groups[1].name, "adm") == 0);
	EXPECT(account->groups[2].gid == 1010 && strcmp(account->groups[2].name, "cs101") == 0);
	account_free(account);
	return 0;
}

START_TEST(fills_in_the_entry_and_the_groups)
{
	check_with_private(own_etc, check_entry, "fills_in_the_entry_and_the_groups");
}
END_TEST

static int check_nameless(void)
{
	struct failure why;
	struct account *account;

	EXPECT(write_accounts("alice:x:1001:1005:::\n", "") == 0);
	account = account_lookup("alice", &why);
	EXPECT(account && account->group_count == 1);
	EXPECT(account->groups[0].gid == 1005 && account->groups[0].name == NULL);
	EXPECT(account->home && account->shell && account->gecos);
	account_free(account);
	return 0;
}

START_TEST(takes_a_group_without_a_name)
{
	check_with_private(own_etc, check_nameless, "takes_a_group_without_a_name");
}
END_TEST

#define MANY 3000

/* More groups than any first guess, and lines larger than any first buffer. */
static int check_many(void)
{
	static struct pages group;
	struct failure why;
	struct account *account;

	add(&group, "large:x:1005:");
	for (int i = 0; i < 10000; i++)
		add(&group, "student%05d,", i);
	add(&group, "alice\n");
	for (int i = 0; i < MANY; i++)
		add(&group, "group%d:x:%d:alice\n", i, 2000 + i);
	add(&group, "later:x:2005:alice\n"); /* the first of a number has the name */
	EXPECT(write_accounts("alice:x:1001:1005::/:/bin/sh\n", group.text) == 0);
	account = account_lookup("alice", &why);
	EXPECT(account && account->group_count == MANY + 1);
	EXPECT(strcmp(account->groups[0].name, "large") == 0);
	for (int i = 0; i < MANY; i++)
		EXPECT(account->groups[i + 1].gid == (gid_t)(2000 + i));
	EXPECT(strcmp(account->groups[MANY].name, "group2999") == 0);
	EXPECT(strcmp(account->groups[6].name, "group5") == 0);
	account_free(account);
	return 0;
}

START_TEST(takes_any_number_of_groups)
{
	check_with_private(own_etc, check_many, "takes_any_number_of_groups");
}
END_TEST

static int check_names(void)
{
	char name[258], passwd[600];
	struct failure why;
	struct account *account;

	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	(void)snprintf(passwd, sizeof(passwd), "%s:x:1001:1:::\n\xff\x01%%n \\:x:1002:1:::\n",
		       name);
	EXPECT(write_accounts(passwd, "") == 0);
	account = account_lookup(name, &why);
	EXPECT(account && account->uid == 1001);
	account_free(account);
	account = account_lookup("\xff\x01%n \\", &why);
	EXPECT(account && account->uid == 1002);
	account_free(account);
	name[256] = 'n';
	name[257] = '\0';
	EXPECT(!account_lookup(name, &why) && why.kind == FAILURE_MISSING);
	EXPECT(!account_lookup("", &why) && why.kind == FAILURE_MISSING);
	EXPECT(!account_lookup("nobody-here", &why) && why.kind == FAILURE_MISSING);
	EXPECT(strstr(why.text, "nobody-here"));
	EXPECT(!account_lookup("alice:x", &why) && why.kind == FAILURE_MISSING);
	return 0;
}

START_TEST(takes_any_name_up_to_its_limit)
{
	check_with_private(own_etc, check_names, "takes_any_name_up_to_its_limit");
}
END_TEST

static int check_long_fields(void)
{
	static struct pages passwd, filler;
	struct failure why;
	struct account *account;

	memset(filler.text, '/', 5000);
	add(&passwd, "home:x:1001:1::%s:/bin/sh\n", filler.text);
	add(&passwd, "shell:x:1002:1::/:%s\n", filler.text);
	add(&passwd, "gecos:x:1003:1:%s:/:/bin/sh\n", filler.text);
	EXPECT(write_accounts(passwd.text, "") == 0);
	EXPECT(!account_lookup("home", &why) && why.kind == FAILURE_DATA);
	EXPECT(!account_lookup("shell", &why) && why.kind == FAILURE_DATA);
	account = account_lookup("gecos", &why);
	EXPECT(account && strlen(account->gecos) == 4096);
	account_free(account);
	return 0;
}

START_TEST(bounds_each_field)
{
	check_with_private(own_etc, check_long_fields, "bounds_each_field");
}
END_TEST

/* Without descriptors NSS cannot read its files, and cannot say that a user does not exist. */
static int check_silence(void)
{
	struct rlimit none;
	struct failure why;
	char **members;
	size_t count;

	EXPECT(write_accounts("alice:x:1001:1005:::\n", "") == 0);
	EXPECT(getrlimit(RLIMIT_NOFILE, &none) == 0);
	none.rlim_cur = 0;
	EXPECT(setrlimit(RLIMIT_NOFILE, &none) == 0);
	EXPECT(!account_lookup("alice", &why) && why.kind == FAILURE_SYSTEM && why.error != 0);
	EXPECT(!account_group_members("adm", &members, &count, &why));
	EXPECT(why.kind == FAILURE_SYSTEM);
	return 0;
}

START_TEST(tells_absence_from_silence)
{
	check_with_private(own_etc, check_silence, "tells_absence_from_silence");
}
END_TEST

/* The user is there, the groups' names are not to be had: that must not look like no name. */
static int check_lost_names(void)
{
	struct failure why;

	EXPECT(write_accounts("alice:x:1001:1005:::\n", "") == 0);
	EXPECT(remove("/etc/group") == 0 && mkdir("/etc/group", 0755) == 0);
	EXPECT(!account_lookup("alice", &why) && why.kind == FAILURE_SYSTEM);
	EXPECT(strstr(why.text, "alice"));
	return 0;
}

START_TEST(does_not_lose_the_names_of_groups)
{
	check_with_private(own_etc, check_lost_names, "does_not_lose_the_names_of_groups");
}
END_TEST

static int check_members(void)
{
	static struct pages group;
	struct failure why;
	char **members;
	size_t count;

	add(&group, "empty:x:1:\ncs101:x:2:");
	for (int i = 0; i < 2000; i++)
		add(&group, "%sstudent%d", i ? "," : "", i);
	add(&group, "\n");
	EXPECT(write_accounts("", group.text) == 0);
	EXPECT(account_group_members("cs101", &members, &count, &why));
	EXPECT(count == 2000 && strcmp(members[0], "student0") == 0);
	EXPECT(strcmp(members[1999], "student1999") == 0);
	for (size_t i = 0; i < count; i++)
		free(members[i]);
	free(members);
	EXPECT(account_group_members("empty", &members, &count, &why) && count == 0);
	free(members);
	EXPECT(!account_group_members("none", &members, &count, &why));
	EXPECT(why.kind == FAILURE_MISSING && members == NULL && count == 0);
	return 0;
}

START_TEST(lists_the_members_of_a_group)
{
	check_with_private(own_etc, check_members, "lists_the_members_of_a_group");
}
END_TEST

Suite *accounts_lookup_suite(void)
{
	Suite *suite = suite_create("accounts_lookup");
	TCase *tests = tcase_create("lookup");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, fills_in_the_entry_and_the_groups);
	tcase_add_test(tests, takes_a_group_without_a_name);
	tcase_add_test(tests, takes_any_number_of_groups);
	tcase_add_test(tests, takes_any_name_up_to_its_limit);
	tcase_add_test(tests, bounds_each_field);
	tcase_add_test(tests, tells_absence_from_silence);
	tcase_add_test(tests, does_not_lose_the_names_of_groups);
	tcase_add_test(tests, lists_the_members_of_a_group);
	suite_add_tcase(suite, tests);
	return suite;
}

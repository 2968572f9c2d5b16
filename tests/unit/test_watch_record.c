/* tests/unit/test_watch_record.c - logins as utmp has them. */
#include <string.h>

#include "helper/watch/record.h"
#include "tests/unit/suites.h"

static struct utmpx login(const char *user, const char *host, const char *line, pid_t pid)
{
	const struct login_facts facts = {
	    .user = user, .host = host, .line = line, .pid = pid, .session = 7};
	struct utmpx record;

	memset(&record, 0xff, sizeof(record));
	record_login(&facts, NULL, 1700000000, &record);
	return record;
}

START_TEST(remote_login)
{
	const struct utmpx record = login("alice", "10.1.2.3", "", 4711);
	const unsigned char address[] = {10, 1, 2, 3};

	ck_assert_int_eq(record.ut_type, USER_PROCESS);
	ck_assert_int_eq(record.ut_pid, 4711);
	ck_assert_int_eq(record.ut_session, 7);
	ck_assert_str_eq(record.ut_user, "alice");
	ck_assert_str_eq(record.ut_host, "10.1.2.3");
	ck_assert_str_eq(record.ut_line, "carrel:4711");
	ck_assert_int_eq(record.ut_tv.tv_sec, 1700000000);
	ck_assert_int_eq(record.ut_tv.tv_usec, 0);
	ck_assert_mem_eq(record.ut_addr_v6, address, 4);
	ck_assert_int_eq(record.ut_addr_v6[1], 0);
}
END_TEST

START_TEST(address_of_ipv6)
{
	const struct utmpx record = login("alice", "2001:db8::1", "", 1);
	const unsigned char address[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

	ck_assert_mem_eq(record.ut_addr_v6, address, 16);
}
END_TEST

START_TEST(name_is_no_address)
{
	const struct utmpx record = login("alice", "client.example.org", "", 1);
	const int32_t none[4] = {0};

	ck_assert_str_eq(record.ut_host, "client.example.org");
	ck_assert_mem_eq(record.ut_addr_v6, none, sizeof(none));
}
END_TEST

START_TEST(terminal_of_the_host)
{
	const struct utmpx short_name = login("alice", "", "tty1", 1);
	const struct utmpx long_name = login("alice", "", "pts/1234", 1);
	const struct utmpx shorter = login("alice", "", "hvc", 1);

	ck_assert_str_eq(short_name.ut_line, "tty1");
	ck_assert_mem_eq(short_name.ut_id, "tty1", 4);
	ck_assert_mem_eq(long_name.ut_id, "1234", 4);
	ck_assert_mem_eq(shorter.ut_id, "hvc\0", 4);
}
END_TEST

START_TEST(id_of_the_getty)
{
	const struct login_facts facts = {.user = "alice", .host = "", .line = "tty1", .pid = 9};
	struct utmpx record;

	record_login(&facts, "1\0\0\0", 0, &record);
	ck_assert_mem_eq(record.ut_id, "1\0\0\0", 4);
}
END_TEST

/* Every pid up to pid_max has an id of its own, and none that a terminal's name gives. */
START_TEST(ids_are_distinct)
{
	static const pid_t pids[] = {1,    2,      63,     64,      65,     4095,
				     4096, 262143, 262144, 4194303, 4194304};

	for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
		const struct utmpx one = login("a", "", "", pids[i]);

		ck_assert_ptr_null(memchr(one.ut_id, '\0', 4));
		ck_assert_ptr_nonnull(strchr("!#$%&*+,:;<=>?@^", one.ut_id[0]));
		for (size_t j = 0; j < i; j++) {
			const struct utmpx other = login("a", "", "", pids[j]);

			ck_assert_mem_ne(one.ut_id, other.ut_id, 4);
		}
	}
}
END_TEST

START_TEST(long_and_odd_names)
{
	char name[300];
	struct utmpx record;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	record = login(name, name, "", 1);
	ck_assert_mem_eq(record.ut_user, name, sizeof(record.ut_user));
	ck_assert_mem_eq(record.ut_host, name, sizeof(record.ut_host));
	record = login("a\nb", "evil\033[2J host", "", 1);
	ck_assert_str_eq(record.ut_user, "a?b");
	ck_assert_str_eq(record.ut_host, "evil?[2J?host");
}
END_TEST

START_TEST(logout)
{
	struct utmpx record = login("alice", "10.1.2.3", "", 4711);
	char id[4];

	memcpy(id, record.ut_id, 4);
	record_logout(1700000100, &record);
	ck_assert_int_eq(record.ut_type, DEAD_PROCESS);
	ck_assert_int_eq(record.ut_pid, 4711);
	ck_assert_mem_eq(record.ut_id, id, 4);
	ck_assert_str_eq(record.ut_line, "carrel:4711");
	ck_assert_str_eq(record.ut_user, "");
	ck_assert_str_eq(record.ut_host, "");
	ck_assert_int_eq(record.ut_addr_v6[0], 0);
	ck_assert_int_eq(record.ut_tv.tv_sec, 1700000100);
}
END_TEST

Suite *watch_record_suite(void)
{
	Suite *suite = suite_create("watch_record");
	TCase *tests = tcase_create("record");

	tcase_add_test(tests, remote_login);
	tcase_add_test(tests, address_of_ipv6);
	tcase_add_test(tests, name_is_no_address);
	tcase_add_test(tests, terminal_of_the_host);
	tcase_add_test(tests, id_of_the_getty);
	tcase_add_test(tests, ids_are_distinct);
	tcase_add_test(tests, long_and_odd_names);
	tcase_add_test(tests, logout);
	suite_add_tcase(suite, tests);
	return suite;
}

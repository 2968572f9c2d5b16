/* tests/unit/test_watch_audit.c - logins as audit has them. */
#include <string.h>

#include "base/paths.h"
#include "helper/watch/audit.h"
#include "tests/unit/suites.h"
#include "wire/wire.h"

#define EXE " exe=\"" CARREL_WATCH "\" "

static const char *text_of(const char *user, const char *host, const char *tty)
{
	static char text[AUDIT_TEXT_MAX];
	const struct login_facts facts = {.user = user, .host = host, .line = "", .tty = tty};

	memset(text, 'x', sizeof(text));
	audit_text(&facts, "login", text);
	return text;
}

START_TEST(remote_login)
{
	ck_assert_str_eq(text_of("alice", "10.1.2.3", "ssh"),
			 "op=login acct=\"alice\"" EXE
			 "hostname=10.1.2.3 addr=10.1.2.3 terminal=ssh res=success");
	ck_assert_str_eq(text_of("alice", "fe80::1%eth0", "ssh"),
			 "op=login acct=\"alice\"" EXE
			 "hostname=fe80::1%eth0 addr=? terminal=ssh res=success");
	ck_assert_str_eq(text_of("alice", "2001:db8::1", "ssh"),
			 "op=login acct=\"alice\"" EXE
			 "hostname=2001:db8::1 addr=2001:db8::1 terminal=ssh res=success");
}
END_TEST

START_TEST(local_login)
{
	ck_assert_str_eq(text_of("alice", "", "/dev/tty1"),
			 "op=login acct=\"alice\"" EXE
			 "hostname=? addr=? terminal=/dev/tty1 res=success");
	ck_assert_str_eq(text_of("alice", "", ""),
			 "op=login acct=\"alice\"" EXE "hostname=? addr=? terminal=? res=success");
}
END_TEST

START_TEST(nothing_begins_a_field)
{
	ck_assert_str_eq(text_of("a b", "h acct=\"root\"", "ssh'\nx=1"),
			 "op=login acct=612062" EXE
			 "hostname=h?acct??root? addr=? terminal=ssh??x?1 res=success");
	ck_assert_str_eq(text_of("a\"", "\xc3\xa9", "\x1b[0m"),
			 "op=login acct=6122" EXE "hostname=?? addr=? terminal=??0m res=success");
	ck_assert_str_eq(text_of("\xc3\xa9\x7f", "", ""),
			 "op=login acct=C3A97F" EXE "hostname=? addr=? terminal=? res=success");
}
END_TEST

START_TEST(all_of_the_longest)
{
	char name[WIRE_NAME_MAX + 1];
	const char *text;

	memset(name, ' ', WIRE_NAME_MAX);
	name[WIRE_NAME_MAX] = '\0';
	text = text_of(name, name, name);
	ck_assert_uint_lt(strlen(text), AUDIT_TEXT_MAX - 1);
	ck_assert_str_eq(text + strlen(text) - strlen(" res=success"), " res=success");
}
END_TEST

Suite *watch_audit_suite(void)
{
	Suite *suite = suite_create("watch_audit");
	TCase *tests = tcase_create("audit");

	tcase_add_test(tests, remote_login);
	tcase_add_test(tests, local_login);
	tcase_add_test(tests, nothing_begins_a_field);
	tcase_add_test(tests, all_of_the_longest);
	suite_add_tcase(suite, tests);
	return suite;
}

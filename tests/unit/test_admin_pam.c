/* tests/unit/test_admin_pam.c - the text of PAM files: read as libpam does, change only our lines.
 */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "helper/admin/pam_text.h"
#include "tests/unit/suites.h"

static const char sshd[] = "# PAM configuration for the Secure Shell service\n"
			   "@include common-auth\n"
			   "account    required     pam_nologin.so\n"
			   "\n"
			   "session [success=ok ignore=ignore module_unknown=ignore default=bad]  "
			   "      pam_selinux.so close\n"
			   "session    required     pam_limits.so # [1]\n"
			   "@include common-session\n";

static struct pam_line only_line(const char *text)
{
	struct pam_line line, more;

	ck_assert(pam_line_next(&text, &line));
	ck_assert(!pam_line_next(&text, &more));
	return line;
}

START_TEST(reads_lines)
{
	struct pam_line line = only_line("session required pam_carrel.so\n");

	ck_assert_int_eq(line.type, PAM_LINE_SESSION);
	ck_assert(line.is_ours && !line.may_end_stack && !line.includes);
	ck_assert_str_eq(line.control, "required");
	line = only_line("  -Session\t[success=done default=ignore]  /lib/security/pam_x.so a=b");
	ck_assert_int_eq(line.type, PAM_LINE_SESSION);
	ck_assert(!line.is_ours && line.may_end_stack);
	ck_assert_str_eq(line.control, "[success=done default=ignore]");
	ck_assert_str_eq(line.module, "/lib/security/pam_x.so");
	line = only_line("session sufficient pam_x.so\n");
	ck_assert(line.may_end_stack);
	line = only_line("account required /usr/lib/security/pam_carrel.so\n");
	ck_assert_int_eq(line.type, PAM_LINE_OTHER);
	ck_assert(line.is_ours);
	line = only_line("session required pam_carrel.so.old\n");
	ck_assert(!line.is_ours);
	line = only_line("session required my_pam_carrel.so\n");
	ck_assert(!line.is_ours);
}
END_TEST

START_TEST(reads_includes)
{
	struct pam_line line = only_line("@include common-session\n");

	ck_assert_int_eq(line.type, PAM_LINE_INCLUDE);
	ck_assert(line.includes);
	ck_assert_str_eq(line.module, "common-session");
	line = only_line("session include su\n");
	ck_assert_int_eq(line.type, PAM_LINE_INCLUDE);
	line = only_line("session substack pam_carrel.so\n"); /* a file of that odd name */
	ck_assert_int_eq(line.type, PAM_LINE_SUBSTACK);
	ck_assert(!line.is_ours);
	line = only_line("auth include su\n");
	ck_assert_int_eq(line.type, PAM_LINE_OTHER);
	ck_assert(line.includes);
}
END_TEST

START_TEST(reads_continued_lines)
{
	static const char text[] = "# a comment with \\\n"
				   "session \\\n"
				   "# in between\n"
				   "\n"
				   "  required \\  \n"
				   "\tpam_carrel.so # the end \\\n"
				   "session required pam_unix.so\n";
	const char *cursor = text;
	struct pam_line line;

	ck_assert(pam_line_next(&cursor, &line));
	ck_assert(line.is_ours);
	ck_assert_ptr_eq(line.begin, strstr(text, "session \\"));
	ck_assert_ptr_eq(line.end, strstr(text, "session required pam_unix"));
	ck_assert(pam_line_next(&cursor, &line));
	ck_assert_str_eq(line.module, "pam_unix.so");
	ck_assert(!pam_line_next(&cursor, &line));
}
END_TEST

START_TEST(survives_nonsense)
{
	static const char *const texts[] = {
	    "",          "\n\n",      "#",        "session",
	    "session [", "[[[]]]",    "@include", "session required",
	    "\\",        "a \\\n\\\n"};
	char *removed, long_line[4000];
	struct pam_line line;
	size_t session;

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
		ck_assert_uint_eq(pam_text_count(texts[i], &session), 0);
		removed = pam_text_remove(texts[i], false);
		ck_assert_str_eq(removed, texts[i]);
		free(removed);
	}
	memset(long_line, 'x', sizeof(long_line) - 1);
	long_line[sizeof(long_line) - 1] = '\0';
	line = only_line(long_line);
	ck_assert_int_eq(line.type, PAM_LINE_UNKNOWN);
}
END_TEST

START_TEST(adds_and_removes)
{
	struct failure why;
	size_t session;
	char *added = pam_text_add(sshd, &why), *removed;

	ck_assert_ptr_nonnull(added);
	ck_assert_uint_eq(strlen(added), strlen(sshd) + strlen(PAM_SESSION_LINE));
	ck_assert_str_eq(added + strlen(sshd), PAM_SESSION_LINE);
	ck_assert_uint_eq(pam_text_count(added, &session), 1);
	ck_assert_uint_eq(session, 1);
	removed = pam_text_remove(added, true);
	ck_assert_str_eq(removed, sshd);
	free(removed);
	free(added);
}
END_TEST

START_TEST(adds_after_a_line_without_end)
{
	struct failure why;
	char *added = pam_text_add("session required pam_unix.so", &why);

	ck_assert_str_eq(added, "session required pam_unix.so\n" PAM_SESSION_LINE);
	free(added);
	added = pam_text_add("", &why);
	ck_assert_str_eq(added, PAM_SESSION_LINE);
	free(added);
	ck_assert_ptr_null(pam_text_add("session required pam_unix.so \\\n\n", &why));
	ck_assert_ptr_nonnull(strstr(why.text, "backslash"));
}
END_TEST

/* libpam leaves out what is a comment and goes on with the line: ours would be its end. */
START_TEST(refuses_where_it_would_be_swallowed)
{
	static const char *const texts[] = {"session required a.so \\\n# c\n",
					    "session required a.so \\\n\n \n#",
					    "session required a.so \\"};
	struct failure why;

	for (size_t i = 0; i < 3; i++) {
		ck_assert_ptr_null(pam_text_add(texts[i], &why));
		ck_assert_int_eq(why.kind, FAILURE_DATA);
		ck_assert_ptr_nonnull(strstr(why.text, "would swallow ours; mend it first"));
	}
}
END_TEST

START_TEST(removes_only_what_it_should)
{
	static const char text[] = "session required pam_carrel.so\n"
				   "# session required pam_carrel.so\n"
				   "account required pam_carrel.so\n"
				   "session required pam_carrel.so.bak\n";
	char *removed = pam_text_remove(text, true);

	ck_assert_str_eq(removed, strchr(text, '#'));
	free(removed);
	removed = pam_text_remove(text, false);
	ck_assert_str_eq(removed, "# session required pam_carrel.so\n"
				  "session required pam_carrel.so.bak\n");
	free(removed);
}
END_TEST

Suite *admin_pam_suite(void)
{
	Suite *suite = suite_create("admin_pam");
	TCase *tests = tcase_create("admin_pam");

	tcase_add_test(tests, reads_lines);
	tcase_add_test(tests, reads_includes);
	tcase_add_test(tests, reads_continued_lines);
	tcase_add_test(tests, survives_nonsense);
	tcase_add_test(tests, adds_and_removes);
	tcase_add_test(tests, adds_after_a_line_without_end);
	tcase_add_test(tests, refuses_where_it_would_be_swallowed);
	tcase_add_test(tests, removes_only_what_it_should);
	suite_add_tcase(suite, tests);
	return suite;
}

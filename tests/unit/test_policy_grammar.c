/* tests/unit/test_policy_grammar.c - what is not plainly right never reaches libconfuse. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "policy/grammar.h"
#include "tests/unit/suites.h"

static void check_becomes(const char *text, const char *clean)
{
	struct failure why = {0};
	char *got = grammar_check(text, strlen(text), "f", &why);

	ck_assert_msg(got != NULL, "%s: %s", text, why.text);
	ck_assert_str_eq(got, clean);
	free(got);
}

static void check_refused(const char *text, const char *message)
{
	struct failure why = {0};
	char *got = grammar_check(text, strlen(text), "f", &why);

	ck_assert_msg(got == NULL, "accepted: %s", text);
	ck_assert_str_eq(why.text, message);
	ck_assert_int_eq(why.kind, FAILURE_POLICY);
}

START_TEST(plain_text_stays)
{
	check_becomes("", "");
	check_becomes("\n\n", "\n\n");
	check_becomes("a = b", "a = b");
	check_becomes("a = \"b c\"\nd = 'e'\n", "a = \"b c\"\nd = 'e'\n");
	check_becomes("l = {\"a\", b, 'c',}", "l = {\"a\", b, 'c',}");
	check_becomes("x { y = 1 z = 50% }", "x { y = 1 z = 50% }");
	check_becomes("t = \"\xc3\xa4 \\\" \\\\ \\n \\t $ { }\"",
		      "t = \"\xc3\xa4 \\\" \\\\ \\n \\t $ { }\"");
	check_becomes("t = '\\' \\\\ \"'", "t = '\\' \\\\ \"'");
	check_becomes("a = b\r\nc = d\r\n", "a = b \nc = d \n");
}
END_TEST

START_TEST(names_of_blocks_get_their_line)
{
	check_becomes("policy \"a\" { }", "policy \"1.0:a\" { }");
	check_becomes("\npolicy a { bind '/x' { } }\npool b { }",
		      "\npolicy 2.0:a { bind '2.1:/x' { } }\npool 3.2:b { }");
}
END_TEST

START_TEST(comments_vanish_and_lines_stay)
{
	check_becomes("# all\na = b # rest\n// too\nc = d//e\n", "\na = b \n\nc = d\n");
	check_becomes("a /* one\ntwo\n*/ = b", "a  \n\n = b");
	check_becomes("l = { a, # first\n b /* second */ }", "l = { a, \n b   }");
	check_becomes("a = \"# no /* comment */ //\"", "a = \"# no /* comment */ //\"");
	check_becomes("# the end", "");
	check_becomes("/***/", " ");
}
END_TEST

START_TEST(what_is_cut_off_is_refused)
{
	check_refused("policy a {\n x = 1\n", "f:1: the \"{\" here is never closed; add \"}\"");
	check_refused("policy a {\n limits {\n }\n",
		      "f:1: the \"{\" here is never closed; add \"}\"");
	check_refused("\nl = { a,\n", "f:2: the \"{\" here is never closed; add \"}\"");
	check_refused("a = \"b",
		      "f:1: the string is not closed on its line; add \", and write a line "
		      "break as \\n in double quotes");
	check_refused("a = 'b\n'",
		      "f:1: the string is not closed on its line; add ', and write a line "
		      "break as \\n in double quotes");
	check_refused("a = b\n/* c\n\n",
		      "f:2: the comment that begins here is never closed; add \"*/\"");
	check_refused("a =", "f:1: the file ends here; expected a value after \"=\"");
	check_refused("a", "f:1: the file ends here; expected \"=\" or \"{\" after the key");
	check_refused("policy a\n", "f:2: the file ends here; expected \"{\" after the name");
	check_refused("a = \"b\\",
		      "f:1: after \"\\\" in a double-quoted string only one of \" \\ n t "
		      "may stand");
}
END_TEST

/* Every text that is valid is refused, or still balanced, when its end is missing. */
START_TEST(no_prefix_of_a_block_is_accepted)
{
	static const char text[] = "policy \"a\" { groups = { \"b\", c } # d\n limits { pids = 9 } "
				   "/* e */ bind '/f' { } }";

	for (size_t length = 1; length < sizeof(text) - 1; length++) {
		struct failure why = {0};
		char *got = grammar_check(text, length, "f", &why);

		ck_assert_msg(got == NULL, "accepted %.*s", (int)length, text);
	}
}
END_TEST

START_TEST(braces_balance)
{
	check_refused("}", "f:1: \"}\" closes nothing; remove it, or look for one too many above");
	check_refused("a { }\n}",
		      "f:2: \"}\" closes nothing; remove it, or look for one too many above");
	check_refused("a{a{a{a{a{a{a{a{a{", "f:1: blocks are nested too deeply");
}
END_TEST

START_TEST(order_is_kept)
{
	static const char key[] = "f:1: expected a key or \"}\" (a list is written key = { \"a\", "
				  "\"b\" }), found ";
	char message[160];

	(void)snprintf(message, sizeof(message), "%s=", key);
	check_refused("= 3", message);
	(void)snprintf(message, sizeof(message), "%s\"x\"", key);
	check_refused("groups { \"x\" }", message);
	(void)snprintf(message, sizeof(message), "%s\"memory\"", key);
	check_refused("\"memory\" = 3", message);
	(void)snprintf(message, sizeof(message), "%s,", key);
	check_refused("a = b, c", message);
	check_refused("a + = b",
		      "f:1: unexpected \"+\"; put text with such characters in \"quotes\"");
	check_refused("a b = c", "f:1: expected \"{\" after the name, found =");
	check_refused("a == b", "f:1: expected a value after \"=\", found =");
	check_refused("a = }", "f:1: expected a value after \"=\", found }");
	check_refused("a = { b c }",
		      "f:1: expected \",\" or \"}\" after the value in the list, found c");
	check_refused("a = { { b } }",
		      "f:1: expected a value in the list (to say nothing, leave the "
		      "key out), found {");
	check_refused("a = { , }",
		      "f:1: expected a value in the list (to say nothing, leave the key "
		      "out), found ,");
	check_refused("users = { }", "f:1: expected a value in the list (to say nothing, leave the "
				     "key out), found }");
	check_refused("a = { b,, c }", "f:1: expected a value or \"}\" in the list, found ,");
	check_refused("a = { b, c = d }",
		      "f:1: expected \",\" or \"}\" after the value in the list, found =");
}
END_TEST

START_TEST(the_library_s_other_tricks_are_refused)
{
	check_refused("a = \"${HOME}\"", "f:1: \"${\" is refused; nothing is taken from the "
					 "environment, write the value itself");
	check_refused("a = '\n",
		      "f:1: the string is not closed on its line; add ', and write a line "
		      "break as \\n in double quotes");
	check_refused("a = '${X}'",
		      "f:1: \"${\" is refused; nothing is taken from the environment, "
		      "write the value itself");
	check_refused("a = ${X}",
		      "f:1: unexpected \"$\"; put text with such characters in \"quotes\"");
	check_refused("include(\"/x\")",
		      "f:1: unexpected \"(\"; put text with such characters in \"quotes\"");
	check_refused("limits|pids = 3",
		      "f:1: unexpected \"|\"; put text with such characters in \"quotes\"");
	check_refused("a = \"\\0\"",
		      "f:1: after \"\\\" in a double-quoted string only one of \" \\ n t "
		      "may stand");
	check_refused("a = \"\\x41\"",
		      "f:1: after \"\\\" in a double-quoted string only one of \" \\ n "
		      "t may stand");
	check_refused("a = '\\n'",
		      "f:1: after \"\\\" in a single-quoted string only one of ' \\ may stand");
	check_refused("a = /etc/x",
		      "f:1: unexpected \"/\"; put text with such characters in \"quotes\"");
	check_refused("\n\xef\xbb\xbf"
		      "a = b",
		      "f:2: unexpected byte 0xef; the file must be plain text");
	check_refused("a = \"\x1b[2J\"", "f:1: unexpected byte 0x1b; the file must be plain text");
	check_refused("a = \"\x7f\"", "f:1: unexpected byte 0x7f; the file must be plain text");
	check_refused("a\f= b", "f:1: unexpected byte 0x0c; the file must be plain text");
}
END_TEST

/* No byte, wherever it stands, makes it read on or crash. */
START_TEST(any_byte_anywhere_is_survived)
{
	static const char text[] = "p \"a\" { g = { \"b\", c } /* d */ } # e\n";

	for (size_t at = 0; at < sizeof(text) - 1; at++)
		for (int byte = 0; byte < 256; byte++) {
			struct failure why = {0};
			char *copy = malloc(sizeof(text) - 1), *got;

			memcpy(copy, text, sizeof(text) - 1);
			copy[at] = (char)byte;
			got = grammar_check(copy, sizeof(text) - 1, "f", &why);
			ck_assert(got != NULL || why.text[0] != '\0');
			free(got);
			free(copy);
		}
}
END_TEST

Suite *policy_grammar_suite(void)
{
	Suite *suite = suite_create("policy grammar");
	TCase *test = tcase_create("grammar");

	tcase_add_test(test, plain_text_stays);
	tcase_add_test(test, names_of_blocks_get_their_line);
	tcase_add_test(test, comments_vanish_and_lines_stay);
	tcase_add_test(test, what_is_cut_off_is_refused);
	tcase_add_test(test, no_prefix_of_a_block_is_accepted);
	tcase_add_test(test, braces_balance);
	tcase_add_test(test, order_is_kept);
	tcase_add_test(test, the_library_s_other_tricks_are_refused);
	tcase_add_test(test, any_byte_anywhere_is_survived);
	suite_add_tcase(suite, test);
	return suite;
}

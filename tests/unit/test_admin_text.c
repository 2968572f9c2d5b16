/* tests/unit/test_admin_text.c - what a person reads: safe texts, short numbers, aligned tables. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/admin/explain.h"
#include "helper/admin/table.h"
#include "tests/unit/suites.h"

static void check_safe(const char *text, const char *expected)
{
	char out[256];

	text_make_safe(text, out, sizeof(out));
	ck_assert_str_eq(out, expected);
}

START_TEST(safe_texts)
{
	check_safe("alice", "alice");
	check_safe("", "");
	check_safe("Übung für Łucja 本 🎓", "Übung für Łucja 本 🎓");
	check_safe("a\033[2Jb\n\r\t\x7f", "a\\x1b[2Jb\\x0a\\x0d\\x09\\x7f");
	check_safe("\x9b"
		   "31m",
		   "\\x9b31m"); /* C1 as one byte */
	check_safe("\xc2\x9b"
		   "31m",
		   "\\xc2\\x9b31m");                                     /* C1 as UTF-8 */
	check_safe("\xc0\xaf\xe0\x80\xaf", "\\xc0\\xaf\\xe0\\x80\\xaf"); /* overlong */
	check_safe("\xed\xa0\x80", "\\xed\\xa0\\x80");                   /* a surrogate */
	check_safe("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");          /* beyond Unicode */
	check_safe("\xe6\x9c", "\\xe6\\x9c");                            /* cut short */
}
END_TEST

START_TEST(safe_texts_are_cut_at_whole_characters)
{
	char out[4];

	text_make_safe("abcdef", out, sizeof(out));
	ck_assert_str_eq(out, "abc");
	text_make_safe("ab\033", out, sizeof(out));
	ck_assert_str_eq(out, "ab");
	text_make_safe("ab本", out, sizeof(out));
	ck_assert_str_eq(out, "ab");
	ck_assert_uint_eq(text_width("aü本"), 3);
}
END_TEST

static void check_bytes(uint64_t bytes, const char *expected)
{
	char out[16];

	format_bytes(bytes, out);
	ck_assert_str_eq(out, expected);
}

START_TEST(bytes)
{
	check_bytes(0, "0");
	check_bytes(1023, "1023");
	check_bytes(1024, "1K");
	check_bytes(1536, "1.5K");
	check_bytes(512ull << 20, "512M");
	check_bytes((1ull << 20) - 1, "1.0M");
	check_bytes(12345678, "12M");
	check_bytes(1ull << 40, "1T");
	check_bytes(UINT64_MAX - 1, "16E");
	check_bytes(UINT64_MAX, "-");
}
END_TEST

static void check_clock(uint64_t seconds, const char *expected)
{
	char out[32];

	format_clock(seconds, out);
	ck_assert_str_eq(out, expected);
}

START_TEST(clocks)
{
	check_clock(0, "0:00");
	check_clock(67, "1:07");
	check_clock(3599, "59:59");
	check_clock(360000 + 61, "100:01:01");
	check_clock(UINT64_MAX, "-");
}
END_TEST

START_TEST(durations)
{
	char out[48];

	policy_duration_format(0, out);
	ck_assert_str_eq(out, "0s");
	policy_duration_format(90, out);
	ck_assert_str_eq(out, "1m30s");
	policy_duration_format(30 * 86400 + 3600, out);
	ck_assert_str_eq(out, "30d1h");
	policy_duration_format(TIME_NEVER, out);
	ck_assert_str_eq(out, "never");
	policy_duration_format(TIME_UNSET, out);
	ck_assert_str_eq(out, "unset");
}
END_TEST

/* What the table prints; caller frees. */
static char *printed(const struct table *table, bool with_header)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	ck_assert(table_print(table, out, with_header));
	(void)fclose(out);
	return text;
}

START_TEST(tables)
{
	static const struct table_column columns[] = {
	    {"NAME", false}, {"SIZE", true}, {"NOTE", false}};
	struct table table;
	char *text;

	table_init(&table, columns, ARRAY_LENGTH(columns));
	table_add(&table, (const char *const[]){"alice", "12M", ""});
	table_add(&table, (const char *const[]){"ü\n", NULL, "short"});
	text = printed(&table, true);
	ck_assert_str_eq(text, "NAME   SIZE  NOTE\n"
			       "alice   12M\n"
			       "ü\\x0a     -  short\n");
	free(text);
	text = printed(&table, false);
	ck_assert_str_eq(text, "alice  12M\n"
			       "ü\\x0a    -  short\n");
	free(text);
	table_free(&table);
}
END_TEST

START_TEST(a_long_table)
{
	static const struct table_column columns[] = {{"N", true}};
	struct table table;
	char *text;

	table_init(&table, columns, 1);
	for (int i = 0; i < 1000; i++)
		table_add(&table, (const char *const[]){"x"});
	text = printed(&table, false);
	ck_assert_uint_eq(strlen(text), 2000);
	free(text);
	table_free(&table);
}
END_TEST

Suite *admin_text_suite(void)
{
	Suite *suite = suite_create("admin_text");
	TCase *tests = tcase_create("admin_text");

	tcase_add_test(tests, safe_texts);
	tcase_add_test(tests, safe_texts_are_cut_at_whole_characters);
	tcase_add_test(tests, bytes);
	tcase_add_test(tests, clocks);
	tcase_add_test(tests, durations);
	tcase_add_test(tests, tables);
	tcase_add_test(tests, a_long_table);
	suite_add_tcase(suite, tests);
	return suite;
}

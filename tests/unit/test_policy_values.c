/* tests/unit/test_policy_values.c - values are read strictly and said again in the same words. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <string.h>

#include "policy/limit_rules.h"
#include "policy/nearest.h"
#include "policy/policy.h"
#include "tests/unit/suites.h"

typedef bool parser(const char *text, uint64_t *value, struct failure *why);

struct sample {
	const char *text;
	uint64_t value;
};

static void check_samples(parser *parse, const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct failure why = {0};
		uint64_t value = 0;

		ck_assert_msg(parse(samples[i].text, &value, &why), "%s: %s", samples[i].text,
			      why.text);
		ck_assert_msg(value == samples[i].value, "%s gave %llu", samples[i].text,
			      (unsigned long long)value);
	}
}

static void check_refused(parser *parse, const char *const texts[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct failure why = {0};
		uint64_t value = 4711;

		ck_assert_msg(!parse(texts[i], &value, &why), "\"%s\" was accepted as %llu",
			      texts[i], (unsigned long long)value);
		ck_assert_int_eq(why.kind, FAILURE_POLICY);
		ck_assert_str_ne(why.text, "");
	}
}

START_TEST(sizes_have_units)
{
	static const struct sample samples[] = {
	    {"0", 0},
	    {"0M", 0},
	    {"1B", 1},
	    {"1000B", 1000},
	    {"1K", 1024},
	    {"64K", 65536},
	    {"512M", UINT64_C(512) << 20},
	    {"512MiB", UINT64_C(512) << 20},
	    {"1KiB", 1024},
	    {"2G", UINT64_C(2) << 30},
	    {"2GiB", UINT64_C(2) << 30},
	    {"3T", UINT64_C(3) << 40},
	    {"3TiB", UINT64_C(3) << 40},
	    {"1048576T", UINT64_C(1) << 60},
	};

	check_samples(parse_size, samples, ARRAY_LENGTH(samples));
	check_samples(parse_rate, samples, ARRAY_LENGTH(samples));
}
END_TEST

START_TEST(other_sizes_are_refused)
{
	static const char *const texts[] = {
	    "",      "1",     "512",   "M",         "512m",
	    "512MB", "512 M", " 512M", "512M ",     "-1M",
	    "+1M",   "1.5G",  "0x10M", "010M",      "00",
	    "1e3M",  "512Mi", "512P",  "1048577T",  "9999999999999999999999M",
	    "12M34", "1M1M",  "1,5M",  "\xc2\xb9M", "unlimited",
	    "never", "50%",
	};

	check_refused(parse_size, texts, ARRAY_LENGTH(texts));
	check_refused(parse_rate, texts, ARRAY_LENGTH(texts));
}
END_TEST

START_TEST(a_refused_value_is_left_alone)
{
	struct failure why;
	uint64_t value = 4711;

	ck_assert(!parse_size("12Q", &value, &why));
	ck_assert(!parse_cpu("0%", &value, &why));
	ck_assert(!parse_count("11", 1, 10, &value, &why));
	ck_assert_uint_eq(value, 4711);
}
END_TEST

START_TEST(shares_are_percentages)
{
	static const struct sample samples[] = {
	    {"1%", 100},     {"50%", 5000},    {"200%", 20000}, {"100000%", 10000000},
	    {"12.5%", 1250}, {"33.33%", 3333}, {"1.05%", 105},
	};
	static const char *const refused[] = {
	    "",
	    "50",
	    "%",
	    "0%",
	    "0.99%",
	    "100000.01%",
	    "100001%",
	    "-5%",
	    "50 %",
	    "50%%",
	    "1.%",
	    "1.234%",
	    ".5%",
	    "2 CPUs",
	    "050%",
	    "unlimited",
	    "1,5%",
	    "99999999999999999999%",
	    "18446744073709551617%",
	};

	check_samples(parse_cpu, samples, ARRAY_LENGTH(samples));
	check_refused(parse_cpu, refused, ARRAY_LENGTH(refused));
}
END_TEST

START_TEST(line_rates_are_decimal)
{
	static const struct sample samples[] = {
	    {"0", 0},
	    {"500bit", 500},
	    {"64Kbit", 64000},
	    {"10Mbit", 10000000},
	    {"1Gbit", 1000000000},
	};
	static const char *const refused[] = {"10",      "10M",  "10mbit", "10Mbps",
					      "10 Mbit", "Mbit", "10MBit", "9999999999999999Gbit"};

	check_samples(parse_bit_rate, samples, ARRAY_LENGTH(samples));
	check_refused(parse_bit_rate, refused, ARRAY_LENGTH(refused));
}
END_TEST

START_TEST(durations_go_from_large_to_small)
{
	static const struct sample samples[] = {
	    {"0", 0},
	    {"0s", 0},
	    {"30s", 30},
	    {"5m", 300},
	    {"8h", 28800},
	    {"30d", 2592000},
	    {"2w", 1209600},
	    {"1h30m", 5400},
	    {"1d12h", 129600},
	    {"1m1s", 61},
	    {"90m", 5400},
	    {"1w1d1h1m1s", 694861},
	    {"never", TIME_NEVER},
	    {"36500d", UINT64_C(36500) * 86400},
	};
	static const char *const refused[] = {
	    "",
	    "30",
	    "m",
	    "30m1h",
	    "1h1h",
	    "1h30",
	    "-5m",
	    "1.5h",
	    "5 m",
	    "5min",
	    "Never",
	    "36501d",
	    "99999999999999999999s",
	    "1y",
	    "5M",
	    "1h 30m",
	    "05m",
	    "9999999999999999w",
	};

	check_samples(parse_duration, samples, ARRAY_LENGTH(samples));
	check_refused(parse_duration, refused, ARRAY_LENGTH(refused));
}
END_TEST

START_TEST(counts_hold_their_range)
{
	static const char *const refused[] = {"",
					      "7",
					      "129",
					      "-8",
					      "+8",
					      "8.0",
					      " 8",
					      "8 ",
					      "0x8",
					      "8k",
					      "008",
					      "eight",
					      "18446744073709551624"};
	struct failure why;
	uint64_t value;

	ck_assert(parse_count("8", 8, 128, &value, &why));
	ck_assert_uint_eq(value, 8);
	ck_assert(parse_count("128", 8, 128, &value, &why));
	ck_assert_uint_eq(value, 128);
	ck_assert(parse_count("0", 0, 0, &value, &why));
	ck_assert_uint_eq(value, 0);
	for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
		ck_assert_msg(!parse_count(refused[i], 8, 128, &value, &why), "%s", refused[i]);
	ck_assert(!parse_count("129", 8, 128, &value, &why));
	ck_assert_str_eq(why.text, "\"129\" is out of range; it must be from 8 to 128");
}
END_TEST

START_TEST(messages_say_what_to_write)
{
	struct failure why;
	uint64_t value;

	ck_assert(!parse_size("512", &value, &why));
	ck_assert_str_eq(why.text, "\"512\" is not a size; write whole digits and K, M, G or T, "
				   "as in \"512M\"");
	ck_assert(!limit_parse(LIMIT_MEMORY, "1M", &value, &why));
	ck_assert_str_eq(why.text,
			 "\"1M\" is out of range; it must be from 4M to 1024T, or \"unlimited\"");
	ck_assert(!limit_parse(LIMIT_PIDS, "7", &value, &why));
	ck_assert_str_eq(why.text,
			 "\"7\" is out of range; it must be from 8 to 4194304, or \"unlimited\"");
	ck_assert(!limit_parse(LIMIT_TMP, "unlimited", &value, &why));
	ck_assert_str_eq(why.text, "it cannot be \"unlimited\"");
}
END_TEST

/* Whatever a limit allows can be written down and read again, at both ends of its range. */
START_TEST(every_limit_comes_back_as_it_was)
{
	for (int id = 0; id < LIMIT_COUNT; id++) {
		const struct limit_rule *rule = limit_rule((enum limit_id)id);
		const uint64_t values[] = {rule->low, rule->high,
					   rule->may_be_unlimited ? LIMIT_UNLIMITED : rule->low};

		ck_assert_str_eq(policy_limit_name((enum limit_id)id), rule->name);
		for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
			struct failure why = {0};
			char text[32];
			uint64_t again = 0;

			policy_limit_format((enum limit_id)id, values[i], text, sizeof(text));
			ck_assert_msg(limit_parse((enum limit_id)id, text, &again, &why),
				      "%s = %s: %s", rule->name, text, why.text);
			ck_assert_uint_eq(again, values[i]);
		}
	}
}
END_TEST

START_TEST(no_limit_takes_what_is_beyond_its_range)
{
	for (int id = 0; id < LIMIT_COUNT; id++) {
		const struct limit_rule *rule = limit_rule((enum limit_id)id);
		struct failure why;
		char text[32];
		uint64_t value;

		policy_limit_format((enum limit_id)id, rule->high + 1, text, sizeof(text));
		ck_assert_msg(!limit_parse((enum limit_id)id, text, &value, &why), "%s = %s",
			      rule->name, text);
		if (rule->low == 0)
			continue;
		policy_limit_format((enum limit_id)id, rule->low - 1, text, sizeof(text));
		ck_assert_msg(!limit_parse((enum limit_id)id, text, &value, &why), "%s = %s",
			      rule->name, text);
	}
}
END_TEST

START_TEST(values_are_said_as_an_admin_writes_them)
{
	static const struct {
		enum limit_id id;
		uint64_t value;
		const char *text;
	} samples[] = {
	    {LIMIT_MEMORY, UINT64_C(512) << 20, "512M"},
	    {LIMIT_MEMORY, UINT64_C(1536) << 20, "1536M"},
	    {LIMIT_MEMORY, UINT64_C(2) << 30, "2G"},
	    {LIMIT_MEMORY, 1000, "1000B"},
	    {LIMIT_SWAP, 0, "0"},
	    {LIMIT_CPU, 5000, "50%"},
	    {LIMIT_CPU, 1250, "12.5%"},
	    {LIMIT_CPU, 3333, "33.33%"},
	    {LIMIT_CPU, 105, "1.05%"},
	    {LIMIT_CPU_WEIGHT, 100, "100"},
	    {LIMIT_NETWORK_RATE, 10000000, "10Mbit"},
	    {LIMIT_NETWORK_RATE, 1500000, "1500Kbit"},
	    {LIMIT_READ_RATE, UINT64_C(20) << 20, "20M"},
	    {LIMIT_PIDS, 128, "128"},
	    {LIMIT_PIDS, LIMIT_UNLIMITED, "unlimited"},
	    {LIMIT_MEMORY, LIMIT_UNSET, ""},
	};
	char text[32];

	for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
		policy_limit_format(samples[i].id, samples[i].value, text, sizeof(text));
		ck_assert_str_eq(text, samples[i].text);
	}
	policy_limit_format(LIMIT_MEMORY, UINT64_C(512) << 20, text, 3);
	ck_assert_str_eq(text, "51");
}
END_TEST

START_TEST(enums_have_names)
{
	ck_assert_str_eq(policy_action_name(POLICY_CONTAIN), "contain");
	ck_assert_str_eq(policy_action_name(POLICY_HOST), "host");
	ck_assert_str_eq(policy_action_name(POLICY_DENY), "deny");
	ck_assert_str_eq(home_mode_name(HOME_PRIVATE), "private");
	ck_assert_str_eq(home_mode_name(HOME_BIND), "bind");
	ck_assert_str_eq(home_mode_name(HOME_TMPFS), "tmpfs");
	ck_assert_str_eq(network_mode_name(NETWORK_NONE), "none");
	ck_assert_str_eq(network_mode_name(NETWORK_HOST), "host");
	ck_assert_str_eq(network_mode_name(NETWORK_NAT), "nat");
	ck_assert_str_eq(storage_kind_name(STORAGE_AUTO), "auto");
	ck_assert_str_eq(storage_kind_name(STORAGE_PROJECT), "project");
	ck_assert_str_eq(storage_kind_name(STORAGE_BTRFS), "btrfs");
	ck_assert_str_eq(storage_kind_name(STORAGE_IMAGE), "image");
	ck_assert_str_eq(storage_kind_name(STORAGE_PLAIN), "plain");
	ck_assert_str_eq(storage_kind_name((enum storage_kind)5), "unknown");
	ck_assert_str_eq(policy_action_name((enum policy_action)99), "unknown");
	ck_assert_str_eq(policy_limit_name(LIMIT_COUNT), "unknown");
}
END_TEST

START_TEST(distance_counts_slips)
{
	ck_assert_uint_eq(edit_distance("memory", "memory"), 0);
	ck_assert_uint_eq(edit_distance("memroy", "memory"), 1);
	ck_assert_uint_eq(edit_distance("memor", "memory"), 1);
	ck_assert_uint_eq(edit_distance("memoryy", "memory"), 1);
	ck_assert_uint_eq(edit_distance("nemory", "memory"), 1);
	ck_assert_uint_eq(edit_distance("", "cpu"), 3);
	ck_assert_uint_eq(edit_distance("cpu", ""), 3);
	ck_assert_uint_eq(edit_distance("ca", "abc"), 3);
	ck_assert_uint_eq(edit_distance("kitten", "sitting"), 3);
	ck_assert_uint_eq(
	    edit_distance("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a"),
	    NEAREST_TOO_FAR);
}
END_TEST

START_TEST(the_nearest_word_is_guessed_only_when_near)
{
	struct nearest search;

	nearest_start(&search, "memroy");
	nearest_offer(&search, "sessions");
	ck_assert_ptr_null(search.best);
	nearest_offer(&search, "memory");
	nearest_offer(&search, "memo");
	ck_assert_str_eq(search.best, "memory");

	nearest_start(&search, "xy");
	nearest_offer(&search, "cpu");
	nearest_offer(&search, "to");
	ck_assert_ptr_null(search.best);
}
END_TEST

Suite *policy_values_suite(void)
{
	Suite *suite = suite_create("policy values");
	TCase *test = tcase_create("values");

	tcase_add_test(test, sizes_have_units);
	tcase_add_test(test, other_sizes_are_refused);
	tcase_add_test(test, a_refused_value_is_left_alone);
	tcase_add_test(test, shares_are_percentages);
	tcase_add_test(test, line_rates_are_decimal);
	tcase_add_test(test, durations_go_from_large_to_small);
	tcase_add_test(test, counts_hold_their_range);
	tcase_add_test(test, messages_say_what_to_write);
	tcase_add_test(test, every_limit_comes_back_as_it_was);
	tcase_add_test(test, no_limit_takes_what_is_beyond_its_range);
	tcase_add_test(test, values_are_said_as_an_admin_writes_them);
	tcase_add_test(test, enums_have_names);
	tcase_add_test(test, distance_counts_slips);
	tcase_add_test(test, the_nearest_word_is_guessed_only_when_near);
	suite_add_tcase(suite, test);
	return suite;
}

/* tests/unit/test_limits_table.c - what is written for a limit, and what is read back. */
#include <string.h>

#include "helper/limits/table.h"
#include "tests/unit/suites.h"

static const struct limit_device disk = {254, 0};

static struct limits silent(void)
{
	struct limits limits;

	for (size_t i = 0; i < LIMIT_COUNT; i++)
		limits.value[i] = LIMIT_UNSET;
	return limits;
}

static const struct limit_row *row_of(const char *file)
{
	for (size_t i = 0; i < LIMIT_ROW_COUNT; i++)
		if ((limit_rows[i].v2.name && strcmp(limit_rows[i].v2.name, file) == 0) ||
		    (limit_rows[i].v1.name && strcmp(limit_rows[i].v1.name, file) == 0))
			return &limit_rows[i];
	ck_abort_msg("no row writes %s", file);
}

static const struct limit_file *file_of(const char *name)
{
	const struct limit_row *row = row_of(name);

	return row->v2.name && strcmp(row->v2.name, name) == 0 ? &row->v2 : &row->v1;
}

static void writes(const struct limits *limits, const char *name, const char *expected)
{
	const struct limit_file *file = file_of(name);
	char text[LIMIT_TEXT_SIZE];

	limit_file_format(file, file->value(limits), &disk, text);
	ck_assert_str_eq(text, expected);
}

START_TEST(everything_set)
{
	struct limits limits = silent();

	limits.value[LIMIT_MEMORY] = UINT64_C(512) << 20;
	limits.value[LIMIT_SWAP] = UINT64_C(64) << 20;
	limits.value[LIMIT_CPU] = 5000;
	limits.value[LIMIT_CPU_WEIGHT] = 50;
	limits.value[LIMIT_PIDS] = 128;
	limits.value[LIMIT_READ_RATE] = 20000000;
	writes(&limits, "memory.max", "536870912");
	writes(&limits, "memory.swap.max", "67108864");
	writes(&limits, "memory.limit_in_bytes", "536870912");
	writes(&limits, "memory.memsw.limit_in_bytes", "603979776");
	writes(&limits, "cpu.max", "50000 100000");
	writes(&limits, "cpu.cfs_period_us", "100000");
	writes(&limits, "cpu.cfs_quota_us", "50000");
	writes(&limits, "cpu.weight", "50");
	writes(&limits, "cpu.shares", "512");
	writes(&limits, "pids.max", "128");
	writes(&limits, "io.max", "254:0 rbps=20000000");
	writes(&limits, "blkio.throttle.read_bps_device", "254:0 20000000");
}
END_TEST

START_TEST(nothing_set_means_no_limit)
{
	struct limits limits = silent();

	for (int unlimited = 0; unlimited < 2; unlimited++) {
		writes(&limits, "memory.max", "max");
		writes(&limits, "memory.swap.max", "max");
		writes(&limits, "memory.limit_in_bytes", "-1");
		writes(&limits, "memory.memsw.limit_in_bytes", "-1");
		writes(&limits, "cpu.max", "max 100000");
		writes(&limits, "cpu.cfs_quota_us", "-1");
		writes(&limits, "cpu.weight", "100");
		writes(&limits, "cpu.shares", "1024");
		writes(&limits, "pids.max", "max");
		writes(&limits, "io.max", "254:0 rbps=max");
		writes(&limits, "blkio.throttle.read_bps_device", "254:0 0");
		writes(&limits, "blkio.throttle.write_bps_device", "254:0 0");
		for (size_t i = 0; i < LIMIT_COUNT; i++)
			limits.value[i] = LIMIT_UNLIMITED;
	}
}
END_TEST

START_TEST(ends_of_the_ranges)
{
	struct limits limits = silent();

	limits.value[LIMIT_CPU] = 100;
	limits.value[LIMIT_CPU_WEIGHT] = 1;
	limits.value[LIMIT_SWAP] = 0;
	limits.value[LIMIT_MEMORY] = 4096;
	writes(&limits, "cpu.max", "1000 100000");
	writes(&limits, "cpu.shares", "10");
	writes(&limits, "memory.swap.max", "0");
	writes(&limits, "memory.memsw.limit_in_bytes", "4096");
	limits.value[LIMIT_CPU_WEIGHT] = 10000;
	writes(&limits, "cpu.shares", "102400");
	/* More than any host has is no limit, and not a refused write that keeps everybody out. */
	limits.value[LIMIT_PIDS] = 4194305;
	limits.value[LIMIT_MEMORY] = UINT64_C(1) << 63;
	limits.value[LIMIT_CPU] = LIMIT_UNLIMITED - 1;
	writes(&limits, "pids.max", "max");
	writes(&limits, "memory.max", "max");
	writes(&limits, "memory.memsw.limit_in_bytes", "-1");
	writes(&limits, "cpu.max", "max 100000");
	limits.value[LIMIT_MEMORY] = UINT64_C(0x7ffffffffffff000) - 4096;
	limits.value[LIMIT_SWAP] = UINT64_C(0x7ffffffffffff000) - 4096;
	writes(&limits, "memory.memsw.limit_in_bytes", "-1");
}
END_TEST

/* A row for each limit that cgroups hold, and both ends of each rate have their own key. */
START_TEST(every_limit_has_its_row)
{
	static const enum limit_id held[] = {LIMIT_MEMORY,     LIMIT_SWAP, LIMIT_CPU,
					     LIMIT_CPU_WEIGHT, LIMIT_PIDS, LIMIT_READ_RATE,
					     LIMIT_WRITE_RATE};
	size_t v2 = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(held); i++) {
		size_t rows = 0;

		for (size_t j = 0; j < LIMIT_ROW_COUNT; j++)
			rows += limit_rows[j].limit == held[i] && limit_rows[j].v1.name;
		ck_assert_uint_ge(rows, 1);
	}
	for (size_t j = 0; j < LIMIT_ROW_COUNT; j++)
		v2 += limit_rows[j].v2.name != NULL;
	ck_assert_uint_eq(v2, ARRAY_LENGTH(held));
	ck_assert_str_eq(limit_rows[LIMIT_ROW_COUNT - 2].v2.key, "rbps");
	ck_assert_str_eq(limit_rows[LIMIT_ROW_COUNT - 1].v2.key, "wbps");
}
END_TEST

START_TEST(reads_back_numbers)
{
	const struct limit_file *memory = file_of("memory.limit_in_bytes");

	ck_assert_uint_eq(limit_file_parse(memory, "4096\n", NULL), 4096);
	ck_assert_uint_eq(limit_file_parse(memory, "max\n", NULL), LIMIT_UNLIMITED);
	ck_assert_uint_eq(limit_file_parse(memory, "-1\n", NULL), LIMIT_UNLIMITED);
	ck_assert_uint_eq(limit_file_parse(memory, "9223372036854771712\n", NULL), LIMIT_UNLIMITED);
	ck_assert_uint_eq(limit_file_parse(memory, "", NULL), LIMIT_UNSET);
	ck_assert_uint_eq(limit_file_parse(memory, "off\n", NULL), LIMIT_UNSET);
	ck_assert_uint_eq(limit_file_parse(memory, "99999999999999999999999\n", NULL), LIMIT_UNSET);
}
END_TEST

START_TEST(reads_back_quota_and_period)
{
	const struct limit_file *file = file_of("cpu.max");

	ck_assert_uint_eq(limit_file_parse(file, "50000 100000\n", NULL), 50000);
	ck_assert_uint_eq(limit_file_parse(file, "max 100000\n", NULL), LIMIT_UNLIMITED);
	/* The same quota in another period is another limit. */
	ck_assert_uint_eq(limit_file_parse(file, "50000 50000\n", NULL), LIMIT_UNSET);
	ck_assert_uint_eq(limit_file_parse(file, "50000\n", NULL), LIMIT_UNSET);
}
END_TEST

START_TEST(reads_back_rates_of_the_disk)
{
	const struct limit_file *v1 = file_of("blkio.throttle.write_bps_device");
	const struct limit_row *write = row_of("blkio.throttle.write_bps_device");
	static const char v2_text[] = "8:0 rbps=1 wbps=2 riops=max wiops=max\n"
				      "254:0 rbps=max wbps=1048576 riops=max wiops=max\n";

	ck_assert_uint_eq(limit_file_parse(v1, "8:0 5\n254:0 7\n", &disk), 7);
	ck_assert_uint_eq(limit_file_parse(v1, "8:0 5\n254:1 7\n", &disk), LIMIT_UNLIMITED);
	ck_assert_uint_eq(limit_file_parse(v1, "", &disk), LIMIT_UNLIMITED);
	ck_assert_uint_eq(limit_file_parse(&write->v2, v2_text, &disk), 1048576);
	ck_assert_uint_eq(limit_file_parse(file_of("io.max"), v2_text, &disk), LIMIT_UNLIMITED);
	ck_assert_uint_eq(limit_file_parse(&write->v2, "254:0 rbps=3\n8:0 wbps=9\n", &disk),
			  LIMIT_UNLIMITED);
	ck_assert_uint_eq(limit_file_parse(&write->v2, "254:0\n8:0 wbps=9\n", &disk),
			  LIMIT_UNLIMITED);
}
END_TEST

START_TEST(agrees_but_for_page_rounding)
{
	const struct limit_row *memory = row_of("memory.max"), *pids = row_of("pids.max");

	ck_assert(limit_row_agrees(memory, 100000000, 99999744));
	ck_assert(limit_row_agrees(memory, 4096, 4096));
	ck_assert(!limit_row_agrees(memory, 100000000, 100003840));
	ck_assert(!limit_row_agrees(memory, 100000000, 50000000));
	ck_assert(!limit_row_agrees(memory, 100000000, LIMIT_UNLIMITED));
	ck_assert(!limit_row_agrees(memory, LIMIT_UNLIMITED, 100000000));
	ck_assert(!limit_row_agrees(memory, LIMIT_UNLIMITED, LIMIT_UNSET));
	ck_assert(limit_row_agrees(memory, LIMIT_UNLIMITED, LIMIT_UNLIMITED));
	ck_assert(limit_row_agrees(pids, 10, 10));
	ck_assert(!limit_row_agrees(pids, 10, 9));
	ck_assert(!limit_row_agrees(pids, 10, 11));
}
END_TEST

START_TEST(walks_over_the_other_disks)
{
	const char *cursor = "8:0 rbps=1\nnonsense\n254:0 rbps=2\n8:16 rbps=3";
	struct limit_device device;

	ck_assert(limit_file_next_device(&cursor, &disk, &device));
	ck_assert(device.major == 8 && device.minor == 0);
	ck_assert(limit_file_next_device(&cursor, &disk, &device));
	ck_assert(device.major == 8 && device.minor == 16);
	ck_assert(!limit_file_next_device(&cursor, &disk, &device));
	cursor = "254:0 5\n";
	ck_assert(limit_file_next_device(&cursor, NULL, &device));
	ck_assert(!limit_file_next_device(&cursor, NULL, &device));
}
END_TEST

Suite *limits_table_suite(void)
{
	Suite *suite = suite_create("limits_table");
	TCase *table = tcase_create("table");

	tcase_add_test(table, everything_set);
	tcase_add_test(table, nothing_set_means_no_limit);
	tcase_add_test(table, ends_of_the_ranges);
	tcase_add_test(table, every_limit_has_its_row);
	tcase_add_test(table, reads_back_numbers);
	tcase_add_test(table, reads_back_quota_and_period);
	tcase_add_test(table, reads_back_rates_of_the_disk);
	tcase_add_test(table, agrees_but_for_page_rounding);
	tcase_add_test(table, walks_over_the_other_disks);
	suite_add_tcase(suite, table);
	return suite;
}

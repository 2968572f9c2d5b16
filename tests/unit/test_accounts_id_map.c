/* tests/unit/test_accounts_id_map.c - every id inside is somebody, and never the wrong one. */
#include <stdlib.h>
#include <string.h>

#include "helper/accounts/accounts.h"
#include "tests/unit/suites.h"

#define BLOCK 0x80010000u

/* What the map makes of an id, by the lines alone; UINT32_MAX when it is not mapped. */
static uint32_t outside(const struct id_map *map, uint32_t inside)
{
	for (size_t i = 0; i < map->count; i++)
		if (inside >= map->lines[i].inside &&
		    inside - map->lines[i].inside < map->lines[i].count)
			return map->lines[i].outside + (inside - map->lines[i].inside);
	return UINT32_MAX;
}

static struct id_map plan(const uint32_t *keep, size_t count, size_t *dropped)
{
	struct id_map map;
	struct failure why;

	ck_assert_msg(id_map_plan(BLOCK, keep, count, &map, dropped, &why), "%s", why.text);
	return map;
}

static bool overlap(uint32_t one, uint32_t one_count, uint32_t other, uint32_t other_count)
{
	return one < other + other_count && other < one + one_count;
}

/*
 * The rules of user_namespaces(7): at most 340 lines, none empty, no id on either side twice. One
 * assertion for them all, since each leaves a mark in a file.
 */
static bool is_valid(const struct id_map *map)
{
	bool valid = map->count >= 1 && map->count <= ID_MAP_LINES;

	for (size_t i = 0; i < map->count; i++) {
		const struct id_map_line *one = &map->lines[i];

		valid = valid && one->count > 0 && one->inside + one->count > one->inside &&
			one->outside + one->count > one->outside;
		for (size_t j = 0; j < i; j++) {
			const struct id_map_line *other = &map->lines[j];

			valid = valid &&
				!overlap(one->inside, one->count, other->inside, other->count) &&
				!overlap(one->outside, one->count, other->outside, other->count);
		}
	}
	return valid;
}

static void assert_valid(const struct id_map *map)
{
	ck_assert(is_valid(map));
	ck_assert_uint_eq(outside(map, 0), BLOCK);
}

/* Every id is itself, or its place in the block. */
static bool has_two_ranges(const struct id_map *map)
{
	for (size_t i = 0; i < map->count; i++)
		if (map->lines[i].outside != map->lines[i].inside &&
		    map->lines[i].outside != BLOCK + map->lines[i].inside)
			return false;
	return true;
}

static void assert_text(const struct id_map *map, const char *expected)
{
	char *text = id_map_text(map);

	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(maps_the_block_when_nothing_is_kept)
{
	size_t dropped;
	struct id_map map = plan(NULL, 0, &dropped);

	assert_text(&map, "0 2147549184 65536\n");
	ck_assert_uint_eq(dropped, 0);
}
END_TEST

START_TEST(maps_kept_ids_to_themselves)
{
	const uint32_t keep[] = {1001, 70000, 1000, 1001, 4};
	size_t dropped;
	struct id_map map = plan(keep, ARRAY_LENGTH(keep), &dropped);

	assert_valid(&map);
	assert_text(&map, "0 2147549184 4\n"
			  "4 4 1\n"
			  "5 2147549189 995\n"
			  "1000 1000 2\n"
			  "1002 2147550186 64534\n"
			  "70000 70000 1\n");
	ck_assert_uint_eq(dropped, 0);
}
END_TEST

START_TEST(maps_the_edges)
{
	const uint32_t keep[] = {1, 65535, 65536, 65537, UINT32_MAX - 1};
	size_t dropped;
	struct id_map map = plan(keep, ARRAY_LENGTH(keep), &dropped);

	assert_valid(&map);
	assert_text(&map, "0 2147549184 1\n"
			  "1 1 1\n"
			  "2 2147549186 65533\n"
			  "65535 65535 3\n"
			  "4294967294 4294967294 1\n");
}
END_TEST

START_TEST(tells_what_is_mapped)
{
	const uint32_t keep[] = {70000};
	size_t dropped;
	struct id_map map = plan(keep, 1, &dropped);

	ck_assert(id_map_contains(&map, 0));
	ck_assert(id_map_contains(&map, 65535));
	ck_assert(!id_map_contains(&map, 65536));
	ck_assert(!id_map_contains(&map, 69999));
	ck_assert(id_map_contains(&map, 70000));
	ck_assert(!id_map_contains(&map, 70001));
	ck_assert(!id_map_contains(&map, UINT32_MAX));
}
END_TEST

/* 250 scattered ids take 250 lines, their 250 gaps and the rest 251: the upper 161 gaps go. */
START_TEST(leaves_out_gaps_from_the_top)
{
	uint32_t keep[250];
	size_t dropped;
	struct id_map map;

	for (uint32_t i = 0; i < ARRAY_LENGTH(keep); i++)
		keep[i] = 1000 + 2 * i;
	map = plan(keep, ARRAY_LENGTH(keep), &dropped);
	assert_valid(&map);
	ck_assert_uint_eq(map.count, ID_MAP_LINES);
	ck_assert_uint_eq(dropped, 0);
	for (uint32_t i = 0; i < ARRAY_LENGTH(keep); i++) {
		ck_assert_uint_eq(outside(&map, keep[i]), keep[i]);
		ck_assert_uint_eq(outside(&map, keep[i] - 1),
				  i < 90 ? BLOCK + keep[i] - 1 : UINT32_MAX);
	}
	ck_assert_uint_eq(outside(&map, 65535), UINT32_MAX);
}
END_TEST

START_TEST(fills_exactly_as_many_lines_as_there_are)
{
	for (uint32_t count = 168; count <= 171; count++) {
		uint32_t keep[171];
		size_t dropped;
		struct id_map map;

		for (uint32_t i = 0; i < count; i++)
			keep[i] = 1000 + 2 * i;
		map = plan(keep, count, &dropped);
		assert_valid(&map);
		/* Each id and the gap before it, and the gap after the last. */
		ck_assert_uint_eq(map.count, count < 170 ? 2 * count + 1 : ID_MAP_LINES);
		ck_assert(id_map_contains(&map, 65535) == (count < 170));
	}
}
END_TEST

START_TEST(drops_ids_from_the_end)
{
	uint32_t keep[1000];
	size_t dropped;
	struct id_map map;

	for (uint32_t i = 0; i < ARRAY_LENGTH(keep); i++)
		keep[i] = 60000 - 3 * i; /* the order of `keep` counts, not that of the ids */
	map = plan(keep, ARRAY_LENGTH(keep), &dropped);
	assert_valid(&map);
	ck_assert_uint_eq(dropped, 1000 - 339);
	for (uint32_t i = 0; i < ARRAY_LENGTH(keep); i++)
		ck_assert(i < 339 ? outside(&map, keep[i]) == keep[i]
				  : outside(&map, keep[i]) != keep[i]);
}
END_TEST

/* Ids that join others take no line of their own, so that they fit at any place. */
START_TEST(counts_lines_not_ids)
{
	static uint32_t keep[60000];
	size_t dropped;
	struct id_map map;

	for (uint32_t i = 0; i < ARRAY_LENGTH(keep); i++)
		keep[i] =
		    1 + (i * 7919) % 60000; /* each once, scattered until the last have come */
	map = plan(keep, ARRAY_LENGTH(keep), &dropped);
	assert_text(&map, "0 2147549184 1\n1 1 60000\n60001 2147609185 5535\n");
	ck_assert_uint_eq(dropped, 0);
}
END_TEST

/* An allowed map is valid, has what it should have, and is planned in a moment, for any ids. */
START_TEST(plans_any_ids)
{
	static uint32_t keep[65536];

	srandom(1);
	for (int round = 0; round < 100; round++) {
		size_t count = (size_t)random() % (round % 10 ? 800 : ARRAY_LENGTH(keep));
		uint32_t range = round % 3 ? 3000 : 200000;
		size_t dropped;
		struct id_map map;

		for (size_t i = 0; i < count; i++)
			keep[i] = 1 + (uint32_t)random() % range;
		map = plan(keep, count, &dropped);
		assert_valid(&map);
		ck_assert_uint_le(dropped, count);
		for (size_t i = 0; i < count - dropped; i++)
			if (outside(&map, keep[i]) != keep[i])
				ck_abort_msg("%u is not kept", keep[i]);
		ck_assert(has_two_ranges(&map));
	}
}
END_TEST

START_TEST(refuses_ids_that_cannot_be_inside)
{
	static const uint32_t bad[] = {0, UINT32_MAX, BLOCK, BLOCK + 65535, BLOCK + 1000};
	struct id_map map;
	struct failure why;
	size_t dropped;

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		const uint32_t keep[] = {1000, bad[i]};

		ck_assert(!id_map_plan(BLOCK, keep, 2, &map, &dropped, &why));
		ck_assert_int_eq(why.kind, FAILURE_POLICY);
	}
	ck_assert(id_map_plan(BLOCK, (const uint32_t[]){BLOCK - 1, BLOCK + 65536}, 2, &map,
			      &dropped, &why));
}
END_TEST

START_TEST(refuses_a_block_that_is_none)
{
	static const uint32_t bad[] = {0, UINT32_MAX, UINT32_MAX - 65535};
	struct id_map map;
	struct failure why;
	size_t dropped;

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		ck_assert(!id_map_plan(bad[i], NULL, 0, &map, &dropped, &why));
		ck_assert_int_eq(why.kind, FAILURE_POLICY);
	}
}
END_TEST

Suite *accounts_id_map_suite(void)
{
	Suite *suite = suite_create("accounts_id_map");
	TCase *tests = tcase_create("id_map");

	tcase_add_test(tests, maps_the_block_when_nothing_is_kept);
	tcase_add_test(tests, maps_kept_ids_to_themselves);
	tcase_add_test(tests, maps_the_edges);
	tcase_add_test(tests, tells_what_is_mapped);
	tcase_add_test(tests, leaves_out_gaps_from_the_top);
	tcase_add_test(tests, fills_exactly_as_many_lines_as_there_are);
	tcase_add_test(tests, drops_ids_from_the_end);
	tcase_add_test(tests, counts_lines_not_ids);
	tcase_add_test(tests, plans_any_ids);
	tcase_add_test(tests, refuses_ids_that_cannot_be_inside);
	tcase_add_test(tests, refuses_a_block_that_is_none);
	suite_add_tcase(suite, tests);
	return suite;
}

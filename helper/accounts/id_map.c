/* helper/accounts/id_map.c - plan which ids inside are which outside, purely. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/accounts/accounts.h"

#define IDS_INSIDE 65536u

static int compare_ids(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

/* There is room: id_map_plan has counted. */
static void add_line(struct id_map *map, uint32_t inside, uint32_t outside, uint32_t count)
{
	struct id_map_line *last = map->count ? &map->lines[map->count - 1] : NULL;

	if (last && last->inside + last->count == inside && last->outside + last->count == outside)
		last->count += count;
	else
		map->lines[map->count++] = (struct id_map_line){inside, outside, count};
}

static size_t count_runs(const uint32_t *kept, size_t count)
{
	size_t runs = 0;

	for (size_t i = 0; i < count; i++)
		if (i == 0 || kept[i] != kept[i - 1] + 1)
			runs++;
	return runs;
}

/*
 * The whole map for sorted, distinct ids. Gaps are filled from below while lines are left, so that
 * id 0 up to the first kept id is always there: the inside needs a root.
 */
static void build(uint32_t block, const uint32_t *kept, size_t count, struct id_map *map)
{
	size_t gaps_left = ID_MAP_LINES - count_runs(kept, count);
	uint32_t next = 0;

	map->count = 0;
	for (size_t i = 0; i <= count; i++) {
		uint32_t gap_end = i < count && kept[i] < IDS_INSIDE ? kept[i] : IDS_INSIDE;

		if (gap_end > next && gaps_left > 0) {
			add_line(map, next, block + next, gap_end - next);
			gaps_left--;
		}
		if (i == count)
			break;
		add_line(map, kept[i], kept[i], 1);
		next = kept[i] + 1;
		if (next > IDS_INSIDE)
			next = IDS_INSIDE;
	}
}

static size_t sort_distinct(uint32_t *ids, size_t count)
{
	size_t distinct = 0;

	qsort(ids, count, sizeof(*ids), compare_ids);
	for (size_t i = 0; i < count; i++)
		if (distinct == 0 || ids[distinct - 1] != ids[i])
			ids[distinct++] = ids[i];
	return distinct;
}

static bool is_present(const uint32_t *sorted, const bool *present, size_t count, size_t index,
		       int64_t id)
{
	return index < count && sorted[index] == id && present[index];
}

/*
 * How many ids from the start of `keep` fit: their runs and the line of id 0 must not be more than
 * ID_MAP_LINES. Runs are counted while the ids come one by one, since a late id may join two runs.
 */
static size_t count_fitting(const uint32_t *keep, size_t keep_count, const uint32_t *sorted,
			    bool *present, size_t count)
{
	size_t runs = 0, fitting = 0;

	for (size_t i = 0; i < keep_count; i++) {
		const uint32_t *found =
		    bsearch(&keep[i], sorted, count, sizeof(*sorted), compare_ids);
		size_t at = found ? (size_t)(found - sorted) : 0;

		if (!present[at]) {
			present[at] = true;
			runs += 1;
			runs -= at > 0 &&
				is_present(sorted, present, count, at - 1, (int64_t)keep[i] - 1);
			runs -= is_present(sorted, present, count, at + 1, (int64_t)keep[i] + 1);
		}
		if (runs < ID_MAP_LINES)
			fitting = i + 1;
	}
	return fitting;
}

static bool check_ids(uint32_t block, const uint32_t *keep, size_t keep_count, struct failure *why)
{
	if (block == 0 || block > UINT32_MAX - IDS_INSIDE)
		return fail(why, FAILURE_POLICY, 0,
			    "host ids from %u on cannot be a container's: change id_base in "
			    "carrel.conf",
			    block);
	for (size_t i = 0; i < keep_count; i++) {
		if (keep[i] == 0 || keep[i] == UINT32_MAX)
			return fail(why, FAILURE_POLICY, 0, "the host's id %u cannot be inside",
				    keep[i]);
		if (keep[i] >= block && keep[i] - block < IDS_INSIDE)
			return fail(why, FAILURE_POLICY, 0,
				    "id %u cannot be kept in a container whose ids are %u to %u: "
				    "change id_base in carrel.conf",
				    keep[i], block, block + IDS_INSIDE - 1);
	}
	return true;
}

bool id_map_plan(uint32_t block, const uint32_t *keep, size_t keep_count, struct id_map *map,
		 size_t *dropped, struct failure *why)
{
	_cleanup_free_ uint32_t *sorted = calloc(keep_count + 1, sizeof(*sorted));
	_cleanup_free_ bool *present = calloc(keep_count + 1, sizeof(*present));
	size_t fitting;

	*dropped = 0;
	map->count = 0;
	if (!sorted || !present)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot plan the id map");
	if (!check_ids(block, keep, keep_count, why))
		return false;
	if (keep_count > 0)
		memcpy(sorted, keep, keep_count * sizeof(*keep));
	fitting =
	    count_fitting(keep, keep_count, sorted, present, sort_distinct(sorted, keep_count));
	if (fitting > 0)
		memcpy(sorted, keep, fitting * sizeof(*keep));
	build(block, sorted, sort_distinct(sorted, fitting), map);
	*dropped = keep_count - fitting;
	return true;
}

bool id_map_contains(const struct id_map *map, uint32_t inside)
{
	for (size_t i = 0; i < map->count; i++)
		if (inside >= map->lines[i].inside &&
		    inside - map->lines[i].inside < map->lines[i].count)
			return true;
	return false;
}

char *id_map_text(const struct id_map *map)
{
	size_t size = map->count * 36 + 1, used = 0;
	char *text = malloc(size);

	if (!text)
		return NULL;
	text[0] = '\0';
	for (size_t i = 0; i < map->count; i++)
		used +=
		    (size_t)snprintf(text + used, size - used, "%u %u %u\n", map->lines[i].inside,
				     map->lines[i].outside, map->lines[i].count);
	return text;
}

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

static bool add_line(struct id_map *map, uint32_t inside, uint32_t outside, uint32_t count)
{
	struct id_map_line *last = map->count ? &map->lines[map->count - 1] : NULL;

	if (count == 0)
		return true;
	if (last && last->inside + last->count == inside &&
	    last->outside + last->count == outside) {
		last->count += count;
		return true;
	}
	if (map->count == ID_MAP_LINES)
		return false;
	map->lines[map->count++] = (struct id_map_line){inside, outside, count};
	return true;
}

/* The whole map for sorted, distinct ids; gaps between kept ids are filled below `filled` only. */
static bool build(uint32_t block, const uint32_t *kept, size_t count, uint32_t filled,
		  struct id_map *map)
{
	uint32_t next = 0;

	map->count = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t gap_end = kept[i] < filled ? kept[i] : filled;

		if (gap_end > next && !add_line(map, next, block + next, gap_end - next))
			return false;
		if (!add_line(map, kept[i], kept[i], 1))
			return false;
		next = kept[i] + 1;
	}
	return next >= filled || add_line(map, next, block + next, filled - next);
}

/*
 * The most that fits: first the whole range, then less and less of what lies between kept ids.
 * Id 0 up to the first kept id is always there: the inside needs a root.
 */
static bool build_most(uint32_t block, const uint32_t *kept, size_t count, struct id_map *map)
{
	if (build(block, kept, count, IDS_INSIDE, map))
		return true;
	for (size_t i = count; i-- > 0;)
		if (kept[i] < IDS_INSIDE && build(block, kept, count, kept[i], map))
			return true;
	return false;
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

bool id_map_plan(uint32_t block, const uint32_t *keep, size_t keep_count, struct id_map *map,
		 size_t *dropped, struct failure *why)
{
	_cleanup_free_ uint32_t *sorted = calloc(keep_count + 1, sizeof(*sorted));

	*dropped = 0;
	if (!sorted)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot plan the id map");
	for (size_t i = 0; i < keep_count; i++)
		if (keep[i] == 0 || keep[i] == UINT32_MAX ||
		    (keep[i] >= block && keep[i] - block < IDS_INSIDE))
			return fail(why, FAILURE_POLICY, 0,
				    "id %u cannot be kept in a container whose ids are %u to %u: "
				    "change id_base in carrel.conf",
				    keep[i], block, block + IDS_INSIDE - 1);
	for (size_t kept = keep_count;; kept--) {
		memcpy(sorted, keep, kept * sizeof(*keep));
		if (build_most(block, sorted, sort_distinct(sorted, kept), map))
			break;
		++*dropped;
	}
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

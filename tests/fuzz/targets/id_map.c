/* targets/id_map.c - which ids of a container are which of the host. */
/* Sources: helper/accounts/id_map.c base/failure.c */
#include "helper/accounts/accounts.h"
#include "tests/fuzz/targets/fuzz.h"

/* user_namespaces(7): no id stands in two lines, on neither side. */
static void check_lines(const struct id_map *map, uint32_t block)
{
	MUST(map->count > 0 && map->count <= ID_MAP_LINES);
	MUST(map->lines[0].inside == 0 && map->lines[0].outside == block);
	for (size_t i = 0; i < map->count; i++) {
		const struct id_map_line *a = &map->lines[i];

		MUST(a->count > 0 && a->outside > 0);
		MUST((uint64_t)a->inside + a->count <= UINT32_MAX);
		MUST((uint64_t)a->outside + a->count <= UINT32_MAX);
		for (size_t j = 0; j < i; j++) {
			const struct id_map_line *b = &map->lines[j];

			MUST(a->inside >= b->inside + b->count ||
			     b->inside >= a->inside + a->count);
			MUST(a->outside >= b->outside + b->count ||
			     b->outside >= a->outside + a->count);
		}
	}
}

static uint32_t outside_of(const struct id_map *map, uint32_t inside)
{
	for (size_t i = 0; i < map->count; i++)
		if (inside - map->lines[i].inside < map->lines[i].count)
			return map->lines[i].outside + (inside - map->lines[i].inside);
	return UINT32_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count = size / 2, dropped;
	struct failure why = {0};
	struct id_map map;
	uint32_t block = 524288, *keep = calloc(count + 1, sizeof(*keep));
	char *text;

	MUST(keep);
	/* Two bytes an id, so that runs and gaps come about; every seventh is a large one. */
	for (size_t i = 0; i < count; i++)
		keep[i] = (uint32_t)(data[2 * i] | data[2 * i + 1] << 8) * (i % 7 == 6 ? 65599 : 1);
	if (id_map_plan(block, keep, count, &map, &dropped, &why)) {
		check_lines(&map, block);
		MUST(dropped <= count);
		for (size_t i = 0; i < count - dropped; i++)
			MUST(id_map_contains(&map, keep[i]) &&
			     outside_of(&map, keep[i]) == keep[i]);
		text = id_map_text(&map);
		MUST(text && text[0] == '0');
		free(text);
	} else {
		MUST(why.kind == FAILURE_POLICY && why.text[0]);
	}
	free(keep);
	return 0;
}

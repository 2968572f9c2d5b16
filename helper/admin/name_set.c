/* helper/admin/name_set.c - names in order, each once. */
#include <stdlib.h>
#include <string.h>

#include "helper/admin/select.h"

bool name_set_add(struct name_set *set, const char *name)
{
	/* Room for the next power of two, at least: dropping doubles only leaves more. */
	if ((set->count & (set->count - 1)) == 0) {
		size_t size = set->count ? set->count * 2 : 1;
		char **items = reallocarray(set->items, size, sizeof(*items));

		if (!items)
			return false;
		set->items = items;
	}
	set->items[set->count] = strdup(name);
	return set->items[set->count] && ++set->count;
}

bool name_set_split(struct name_set *set, char *word)
{
	char *rest = word, *name;

	while ((name = strsep(&rest, ",")))
		if (!name_set_add(set, name))
			return false;
	return true;
}

static int compare(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

void name_set_sort(struct name_set *set)
{
	size_t kept = 0;

	if (set->count)
		qsort(set->items, set->count, sizeof(*set->items), compare);
	for (size_t i = 0; i < set->count; i++) {
		if (kept && strcmp(set->items[kept - 1], set->items[i]) == 0)
			free(set->items[i]);
		else
			set->items[kept++] = set->items[i];
	}
	set->count = kept;
}

bool name_set_has(const struct name_set *set, const char *name)
{
	return set->count && bsearch(&name, set->items, set->count, sizeof(*set->items), compare);
}

void name_set_free(struct name_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->items[i]);
	free(set->items);
	*set = (struct name_set){0};
}

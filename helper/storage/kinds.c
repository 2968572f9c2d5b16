/* helper/storage/kinds.c - the table of kinds. */
#include "helper/storage/kinds.h"

#include <stdio.h>
#include <string.h>

/*
 * In the order in which `auto` tries them. A user learns from df how much is left, and btrfs cannot
 * tell that of a subvolume: so an image, which can, comes before it. plain is last, and holds
 * nothing.
 */
static const struct storage_ops *const kinds[] = {
    &storage_project,
    &storage_image,
    &storage_btrfs,
    &storage_plain,
};

const struct storage_ops *storage_kind_at(size_t i)
{
	return i < ARRAY_LENGTH(kinds) ? kinds[i] : NULL;
}

const struct storage_ops *storage_kind_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
		if (strcmp(storage_kind_name(kinds[i]->kind), name) == 0)
			return kinds[i];
	return NULL;
}

uint64_t storage_with_loan(uint64_t limit, uint64_t used, uint64_t loan)
{
	if (limit == 0)
		return 0;
	return (used > limit ? used : limit) + loan;
}

bool storage_too_small(const struct storage_place *place, const char *key, uint64_t used,
		       uint64_t asked, struct failure *why)
{
	enum limit_id id = strcmp(key, "disk") == 0 ? LIMIT_DISK : LIMIT_INODES;
	char have[32], wanted[32];

	if (id == LIMIT_DISK) /* in whole megabytes: nobody wants to read 81956K */
		used = (used + (1 << 20) - 1) >> 20 << 20;
	policy_limit_format(id, used, have, sizeof(have));
	policy_limit_format(id, asked, wanted, sizeof(wanted));
	return fail(why, FAILURE_UNSUPPORTED, 0,
		    "container '%s' uses %s, more than %s = %s: set %s to more than that, or have "
		    "files deleted",
		    place->name, have, key, wanted, key);
}

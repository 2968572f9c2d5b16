/* helper/container/maps.c - which ids of the host are the same inside. */
#include <errno.h>
#include <stdlib.h>

#include "helper/container/container.h"

struct id_list {
	uint32_t *items;
	size_t count, size;
	bool failed;
};

/*
 * Never id 0: inside it is the container's root, and must be nobody on the host, also for a user
 * who is a member of the host's group root. Doubles do no harm: id_map_plan counts each id once.
 */
static void add(struct id_list *list, uint32_t id)
{
	if (id == 0)
		return;
	if (list->count == list->size) {
		size_t size = list->size ? list->size * 2 : 32;
		uint32_t *items = reallocarray(list->items, size, sizeof(*items));

		if (!items) {
			list->failed = true;
			return;
		}
		list->items = items;
		list->size = size;
	}
	list->items[list->count++] = id;
}

static bool contains(const struct id_list *list, uint32_t id)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i] == id)
			return true;
	return false;
}

static void add_account(const struct account *account, struct id_list *uids, struct id_list *gids)
{
	if (!contains(uids, account->uid))
		add(uids, account->uid);
	for (size_t i = 0; i < account->group_count; i++)
		add(gids, account->groups[i].gid);
}

/* A map is written once, so those who may come later have to be in it from the start. */
static bool add_members(const char *group, struct id_list *uids, struct id_list *gids,
			struct failure *why)
{
	char **members;
	size_t count;

	if (!account_group_members(group, &members, &count, why))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct failure unknown;
		struct account *member = account_lookup(members[i], &unknown);

		if (member && member->uid != 0)
			add_account(member, uids, gids);
		account_free(member);
		free(members[i]);
	}
	free(members);
	return true;
}

bool container_id_maps(const struct container_spec *spec, uint32_t block, struct id_map *uids,
		       struct id_map *gids, struct failure *why)
{
	struct id_list keep_uids = {0}, keep_gids = {0};
	size_t dropped_uids = 0, dropped_gids = 0;
	bool made = true;

	add_account(spec->account, &keep_uids, &keep_gids);
	if (policy_is_shared(spec->policy) && spec->group && *spec->group)
		made = add_members(spec->group, &keep_uids, &keep_gids, why);
	if (made && (keep_uids.failed || keep_gids.failed))
		made = fail(why, FAILURE_SYSTEM, ENOMEM, "cannot list the ids of the container");
	made = made &&
	       id_map_plan(block, keep_uids.items, keep_uids.count, uids, &dropped_uids, why) &&
	       id_map_plan(block, keep_gids.items, keep_gids.count, gids, &dropped_gids, why);
	if (made && dropped_uids)
		made = fail(why, FAILURE_LIMIT, 0,
			    "%zu members do not fit into the id map of a shared container",
			    dropped_uids);
	free(keep_uids.items);
	free(keep_gids.items);
	return made;
}

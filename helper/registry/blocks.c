/* helper/registry/blocks.c - give every running container a block of host ids of its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "helper/registry/registry.h"
#include "policy/policy.h"

/* FNV-1a: spreads names over the blocks, so that a start rarely meets a block that is taken. */
static uint32_t hash_name(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash;
}

/* Claim a free block: the file is complete before it has its name, so no reader sees it empty. */
static bool claim(int dir, uint32_t block, const char *name)
{
	char slot[16], temporary[96];
	bool claimed;

	(void)snprintf(slot, sizeof(slot), "%u", block);
	(void)snprintf(temporary, sizeof(temporary), ".claim-%s", name);
	(void)unlinkat(dir, temporary, 0);
	if (symlinkat(name, dir, temporary) < 0)
		return false;
	claimed = renameat2(dir, temporary, dir, slot, RENAME_NOREPLACE) == 0;
	if (!claimed) {
		int saved = errno;
		(void)unlinkat(dir, temporary, 0);
		errno = saved;
	}
	return claimed;
}

static bool holder_of(int dir, uint32_t block, char name[65])
{
	char slot[16];
	ssize_t length;

	(void)snprintf(slot, sizeof(slot), "%u", block);
	length = readlinkat(dir, slot, name, 64);
	if (length <= 0)
		return false;
	name[length] = '\0';
	return name_is_valid(name);
}

/*
 * A block whose holder does not run is free. The holder's lock is only tried, never waited for:
 * a container that is being started right now keeps its block, and two starts cannot deadlock.
 */
static bool release_if_stale(const struct registry *registry, int dir, uint32_t block)
{
	struct running_record record;
	struct failure ignored;
	_cleanup_close_ int lock = -1;
	_cleanup_close_ int init = -1;
	char holder[65], slot[16], again[65];

	if (!holder_of(dir, block, holder))
		return false;
	lock = registry_lock(registry, holder, 0, &ignored);
	if (lock < 0 || !registry_running(registry, holder, &record, &init, &ignored) || init >= 0)
		return false;
	if (!holder_of(dir, block, again) || strcmp(holder, again) != 0)
		return false;
	(void)snprintf(slot, sizeof(slot), "%u", block);
	return unlinkat(dir, slot, 0) == 0;
}

bool registry_take_block(const struct registry *registry, const char *name, uint32_t blocks,
			 uint32_t *block, struct failure *why)
{
	_cleanup_close_ int dir = dir_open_at(registry->run, "blocks", true);
	uint32_t first = hash_name(name) % blocks;
	char holder[65];

	if (dir < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open /run/carrel/blocks");
	for (uint32_t i = 0; i < blocks; i++) {
		*block = (first + i) % blocks;
		if (claim(dir, *block, name))
			return true;
		if (errno != EEXIST)
			return fail(why, FAILURE_SYSTEM, errno, "cannot claim id block %u for '%s'",
				    *block, name);
		/* Our own from an earlier run that did not end tidily: the caller holds our lock.
		 */
		if (holder_of(dir, *block, holder) && strcmp(holder, name) == 0)
			return true;
		if (release_if_stale(registry, dir, *block) && claim(dir, *block, name))
			return true;
	}
	return fail(why, FAILURE_LIMIT, 0,
		    "all %u id blocks are taken by running containers: stop some, or raise "
		    "id_blocks in carrel.conf",
		    blocks);
}

void registry_release_block(const struct registry *registry, uint32_t block)
{
	_cleanup_close_ int dir = dir_open_at(registry->run, "blocks", true);
	char slot[16];

	(void)snprintf(slot, sizeof(slot), "%u", block);
	if (dir >= 0)
		(void)unlinkat(dir, slot, 0);
}

/* helper/storage/btrfs.c - the data of a container in a btrfs subvolume with a limit. */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/storage/btrfs_calls.h"
#include "helper/storage/kinds.h"

#define ENTRY "layer.btrfs"

/* A rescan of a small file system is done in less. */
#define RESCAN_PATIENCE_MS 3000
#define RESCAN_NAP_MS      50

/* To a start: it reserves some hundred kilobytes for each change that it makes. */
#define LOAN_BYTES (UINT64_C(8) << 20)

static int open_folder(int folder)
{
	return openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool is_consistent(int fd)
{
	const struct timespec nap = {.tv_nsec = RESCAN_NAP_MS * 1000000L};

	btrfs_quota_rescan(fd);
	for (unsigned waited = 0; waited < RESCAN_PATIENCE_MS; waited += RESCAN_NAP_MS) {
		if (btrfs_quota_state(fd) == BTRFS_QUOTA_ON)
			return true;
		(void)nanosleep(&nap, NULL);
	}
	return false;
}

/* Whether quotas are enabled is the admin's decision: it slows the whole file system down. */
static bool in_force(int fd, struct failure *why)
{
	switch (btrfs_quota_state(fd)) {
	case BTRFS_QUOTA_NONE:
		return fail(
		    why, FAILURE_UNSUPPORTED, 0,
		    "storage = btrfs needs state_dir on btrfs, and it is not: use storage = "
		    "auto");
	case BTRFS_QUOTA_OFF:
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "quotas are off on the btrfs of state_dir: run 'btrfs quota enable "
			    "--simple' on it (without --simple before Linux 6.7)");
	case BTRFS_QUOTA_INCONSISTENT:
		return is_consistent(fd) ||
		       fail(why, FAILURE_BUSY, 0,
			    "the quotas of the btrfs of state_dir are inconsistent and are being "
			    "counted anew, which has been started: 'btrfs quota rescan -s' tells "
			    "when it is done");
	case BTRFS_QUOTA_ON:
		break;
	}
	return true;
}

static bool can_hold(int state, const struct config *config, const struct policy *policy,
		     const struct storage_wish *wish, struct failure *why)
{
	_cleanup_close_ int fd = open_folder(state);

	(void)config;
	if (fd < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open state_dir");
	if (wish->inodes)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "policy '%s' asks for inodes, which btrfs cannot limit: use storage = "
			    "auto or image, or remove the limit",
			    policy->name);
	if (in_force(fd, why))
		return true;
	failure_prefix(why, "policy '%s' asks for disk", policy->name);
	return false;
}

/* What is not on disk yet is not counted yet either. */
static bool count_now(int layer, uint64_t *used, uint64_t *limit)
{
	return syncfs(layer) == 0 && btrfs_limit_get(layer, used, limit);
}

static bool set_limit(const struct storage_place *place, int layer, const struct storage_wish *wish,
		      struct failure *why)
{
	uint64_t used, limit, asked = wish->disk ? wish->disk : UINT64_MAX;

	if (!btrfs_is_subvolume(layer))
		return fail(why, FAILURE_DATA, 0, "%s/" ENTRY " is not a subvolume", place->path);
	if (!wish->disk && btrfs_quota_state(layer) != BTRFS_QUOTA_ON)
		return true; /* nothing is asked for */
	if (!in_force(layer, why)) {
		failure_prefix(why, "the data of container '%s'", place->name);
		return false;
	}
	if (!btrfs_limit_get(layer, &used, &limit) ||
	    (wish->disk && wish->disk < limit && !count_now(layer, &used, &limit)))
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the quota of '%s'",
			    place->name);
	if (wish->disk && used > wish->disk + LOAN_BYTES)
		return storage_too_small(place, "disk", used, wish->disk, why);
	if (place->lent && wish->disk) {
		asked = storage_with_loan(wish->disk, used, LOAN_BYTES);
		*place->lent = true;
	}
	if (limit == asked)
		return true;
	return btrfs_limit_set(layer, asked == UINT64_MAX ? 0 : asked) ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot set the quota of '%s'", place->name);
}

static bool hold(const struct storage_place *place, const char *entry,
		 const struct storage_wish *wish, struct failure *why)
{
	_cleanup_close_ int layer = folder_look(place, entry, why);

	return layer >= 0 && set_limit(place, layer, wish, why);
}

static bool make(const struct storage_place *place, const char *entry,
		 const struct storage_wish *wish, struct failure *why)
{
	_cleanup_close_ int folder = open_folder(place->folder);

	if (folder < 0 || !btrfs_subvolume_make(folder, entry))
		return fail(why, FAILURE_SYSTEM, errno,
			    "cannot make a btrfs subvolume for '%s' in state_dir", place->name);
	return hold(place, entry, wish, why);
}

static int open_btrfs(const struct storage_place *place, const char *entry,
		      const struct storage_wish *wish, struct failure *why)
{
	return hold(place, entry, wish, why) ? folder_mount(place, entry, why) : -1;
}

/* Whatever is used by now. What fails here is in force from the next start on. */
static void take_back(const struct storage_place *place, const struct storage_wish *wish)
{
	struct failure ignored;
	_cleanup_close_ int layer = folder_look(place, ENTRY, &ignored);

	if (layer >= 0)
		(void)btrfs_limit_set(layer, wish->disk);
}

static bool apply(const struct storage_place *place, const struct storage_wish *wish,
		  struct failure *why)
{
	return hold(place, ENTRY, wish, why);
}

static bool remove_btrfs(const struct storage_place *place, const char *entry, struct failure *why)
{
	_cleanup_close_ int folder = open_folder(place->folder);

	return (folder >= 0 && btrfs_subvolume_remove(folder, entry)) ||
	       folder_remove(place, entry, why);
}

/* A backup that was put back by hand is an ordinary folder. */
static bool is_astray(const struct storage_place *place)
{
	struct failure ignored;
	_cleanup_close_ int layer = folder_look(place, ENTRY, &ignored);

	return layer >= 0 && !btrfs_is_subvolume(layer);
}

static bool facts(const struct storage_place *place, struct storage_facts *facts,
		  struct failure *why)
{
	_cleanup_close_ int layer = folder_look(place, ENTRY, why);

	if (layer < 0)
		return false;
	facts->inodes = facts->inode_limit = UINT64_MAX;
	return btrfs_limit_get(layer, &facts->disk_bytes, &facts->disk_limit_bytes) ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot read the quota of '%s'", place->name);
}

const struct storage_ops storage_btrfs = {
    .kind = STORAGE_BTRFS,
    .entry = ENTRY,
    .can_hold = can_hold,
    .make = make,
    .open = open_btrfs,
    .take_back = take_back,
    .apply = apply,
    .look = folder_look,
    .remove = remove_btrfs,
    .is_astray = is_astray,
    .facts = facts,
};

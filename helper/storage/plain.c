/* helper/storage/plain.c - the data of a container in an ordinary folder, with no quota. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "helper/storage/kinds.h"

int folder_look(const struct storage_place *place, const char *entry, struct failure *why)
{
	int layer = dir_open_at(place->folder, entry, false);

	if (layer < 0)
		return fail_fd(why, FAILURE_DATA, errno, "cannot open %s/%s", place->path, entry);
	return layer;
}

int folder_mount(const struct storage_place *place, const char *entry, struct failure *why)
{
	struct mount_attr change = {.attr_set = MOUNT_ATTR_NODEV, .propagation = MS_PRIVATE};
	_cleanup_close_ int layer = folder_look(place, entry, why);
	_cleanup_close_ int mount = -1;

	if (layer < 0)
		return -1;
	mount = open_tree(layer, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (mount < 0 || mount_setattr(mount, "", AT_EMPTY_PATH, &change, sizeof(change)) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot mount the layer of '%s'",
			       place->name);
	return take_fd(&mount);
}

bool folder_remove(const struct storage_place *place, const char *entry, struct failure *why)
{
	return tree_remove_at(place->folder, entry, why) || why->kind == FAILURE_MISSING;
}

static bool can_hold(int state, const struct config *config, const struct policy *policy,
		     const struct storage_wish *wish, struct failure *why)
{
	(void)state;
	(void)config;
	if (!wish->disk && !wish->inodes)
		return true;
	return fail(
	    why, FAILURE_UNSUPPORTED, 0,
	    "policy '%s' asks for %s, which storage = plain cannot hold: use storage = auto "
	    "or remove the limit",
	    policy->name, wish->disk ? "disk" : "inodes");
}

static bool make(const struct storage_place *place, const char *entry,
		 const struct storage_wish *wish, struct failure *why)
{
	(void)wish;
	return mkdirat(place->folder, entry, 0755) == 0 ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot make the layer of '%s' in state_dir",
		    place->name);
}

static int open_plain(const struct storage_place *place, const char *entry,
		      const struct storage_wish *wish, struct failure *why)
{
	(void)wish;
	return folder_mount(place, entry, why);
}

/* There is nothing to set: can_hold() has refused a policy with limits. */
static bool apply(const struct storage_place *place, const struct storage_wish *wish,
		  struct failure *why)
{
	(void)place;
	(void)wish;
	(void)why;
	return true;
}

const struct storage_ops storage_plain = {
    .kind = STORAGE_PLAIN,
    .entry = "layer",
    .can_hold = can_hold,
    .make = make,
    .open = open_plain,
    .apply = apply,
    .look = folder_look,
    .remove = folder_remove,
};

/* helper/container/clones.c - detached copies of mounts, to be attached inside a container. */
#include "helper/container/clones.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/kernel_calls.h"

static int clone_as(int dir, const char *path, unsigned flags, uint64_t attributes)
{
	struct mount_attr change = {.attr_set = attributes, .propagation = MS_PRIVATE};
	_cleanup_close_ int mount =
	    open_tree(dir, path,
		      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW | flags |
			  (*path ? 0 : AT_EMPTY_PATH));

	/* Where no time of access can be written, the kernel need not reckon at each read. */
	if (attributes & MOUNT_ATTR_RDONLY) {
		change.attr_set |= MOUNT_ATTR_NOATIME;
		change.attr_clr |= MOUNT_ATTR__ATIME;
	}
	if (mount < 0 ||
	    mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &change, sizeof(change)) < 0)
		return -1;
	return take_fd(&mount);
}

int clone_mount(int dir, const char *path, uint64_t attributes)
{
	return clone_as(dir, path, AT_RECURSIVE, attributes);
}

int clone_mount_alone(int dir, uint64_t attributes)
{
	return clone_as(dir, "", 0, attributes);
}

bool map_mount(int mount, int user_namespace)
{
	struct mount_attr change = {.attr_set = MOUNT_ATTR_IDMAP,
				    .userns_fd = (uint64_t)user_namespace};

	return mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &change, sizeof(change)) == 0;
}

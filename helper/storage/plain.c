/* helper/storage/plain.c - the data of a container in an ordinary folder, with no quota. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/files.h"
#include "helper/storage/kinds.h"

int plain_open(int container, const char *name, struct failure *why)
{
	struct mount_attr private = {.propagation = MS_PRIVATE};
	_cleanup_close_ int layer = -1;
	_cleanup_close_ int mount = -1;

	if (mkdirat(container, "layer", 0755) < 0 && errno != EEXIST)
		return fail_fd(why, FAILURE_SYSTEM, errno,
			       "cannot make the layer of '%s' in state_dir", name);
	layer = dir_open_at(container, "layer", false);
	if (layer < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open the layer of '%s'", name);
	mount = open_tree(layer, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (mount < 0 || mount_setattr(mount, "", AT_EMPTY_PATH, &private, sizeof(private)) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot mount the layer of '%s'", name);
	return take_fd(&mount);
}

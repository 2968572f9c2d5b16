/* helper/container/thaw.c - let a container go on that an admin's command was holding when it died.
 */
#include "helper/container/thaw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/files.h"

bool container_is_held(const struct registry *registry, const char *name)
{
	char mark[80];

	(void)snprintf(mark, sizeof(mark), "%.64s/" FROZEN_MARK, name);
	return faccessat(registry->run_containers, mark, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool container_thaw(const struct registry *registry, const struct cgroup_layout *layout,
		    const char *name, const char *pool, struct failure *why)
{
	struct cgroup cgroup;
	_cleanup_close_ int dir = -1;
	bool thawed;

	if (!container_is_held(registry, name))
		return true;
	dir = dir_open_at(registry->run_containers, name, true);
	if (dir < 0)
		return true;
	/* An admin had it frozen before, and wants it so. */
	if (registry_is_frozen(registry, name))
		return unlinkat(dir, FROZEN_MARK, 0) == 0 || errno == ENOENT;
	if (!cgroup_open(layout, name, pool && *pool ? pool : NULL, &cgroup, why))
		return why->kind == FAILURE_MISSING ? unlinkat(dir, FROZEN_MARK, 0) == 0 : false;
	thawed = cgroup_thaw(layout, &cgroup, why);
	cgroup_close(&cgroup);
	if (thawed && unlinkat(dir, FROZEN_MARK, 0) < 0 && errno != ENOENT)
		return fail(why, FAILURE_SYSTEM, errno,
			    "cannot take the mark '" FROZEN_MARK "' away");
	return thawed;
}

/* helper/limits/directory.h - make and open the directories of containers and pools. */
#ifndef CARREL_HELPER_LIMITS_DIRECTORY_H
#define CARREL_HELPER_LIMITS_DIRECTORY_H

#include "helper/limits/limits.h"

/*
 * Make the directory `name` below `parent` unless it is there, and open it. *fresh says whether it
 * was made. -1 with *why filled: `what` ("container", "pool") and the hierarchy are named.
 */
int cgroup_make_directory(int parent, const char *name, bool *fresh, const char *what,
			  const struct cgroup_root *root, struct failure *why);

/*
 * The directory that a container's is in: that of its pool (cgroup_pool_directory), or Carrel's own
 * when `pool` is NULL. -1 with errno.
 */
int cgroup_open_above(const struct cgroup_root *root, const char *pool);

#endif

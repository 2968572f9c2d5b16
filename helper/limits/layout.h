/* helper/limits/layout.h - the cgroup mounts of this machine, as they are now. */
#ifndef CARREL_HELPER_LIMITS_LAYOUT_H
#define CARREL_HELPER_LIMITS_LAYOUT_H

#include "helper/limits/layout_parse.h"

/* cgroup_layout_parse of /proc/self/mountinfo and of `cgroups`, the text of some /proc/PID/cgroup.
 */
bool cgroup_mounts_read(const char *cgroups, struct cgroup_mounts *mounts, struct failure *why);

/*
 * Open the place where it is mounted, as O_PATH; -1 with errno. ESTALE when something else is
 * mounted over it.
 */
int cgroup_mount_open(const struct cgroup_mount *mount);

/*
 * Let the children of a v2 cgroup have those of `wanted` that it has itself. Returns the bits that
 * they have then; errno tells why there are fewer than wanted: EBUSY when it holds processes.
 */
unsigned cgroup_enable_controllers(int dir, unsigned wanted);

#endif

/* helper/limits/layout_parse.h - from the kernel's texts to the cgroup mounts that we use. Pure. */
#ifndef CARREL_HELPER_LIMITS_LAYOUT_PARSE_H
#define CARREL_HELPER_LIMITS_LAYOUT_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"
#include "helper/limits/limits.h"

#define CGROUP_PATH_SIZE 1024

struct cgroup_mount {
	unsigned major, minor; /* st_dev of its directories */
	bool v2;
	/* Bits (1 << enum cgroup_controller). On v2 only what is part of its core: the rest is
	 * known from cgroup.controllers alone. */
	unsigned controllers;
	char name[64];                /* as in struct cgroup_root */
	char point[CGROUP_PATH_SIZE]; /* where it is mounted */
	char root[CGROUP_PATH_SIZE]; /* the cgroup that is seen at `point`: "/" but in containers */
	char own[CGROUP_PATH_SIZE]; /* the process's cgroup, from the hierarchy's root; may be "" */
};

struct cgroup_mounts {
	struct cgroup_mount mounts[CGROUP_MAX_ROOTS];
	size_t count;
};

/*
 * `mountinfo` is the text of /proc/self/mountinfo, `cgroups` that of a process's /proc/PID/cgroup.
 * One mount for each hierarchy that Carrel uses: every v1 controller that it limits, and v2. With
 * v2 mounted the v1 freezer, cpuacct and systemd hierarchies are left alone: v2 itself kills,
 * counts CPU time and is what systemd goes by, and a login need not be moved in three more places.
 * FAILURE_UNSUPPORTED when there is none at all.
 */
bool cgroup_layout_parse(const char *mountinfo, const char *cgroups, struct cgroup_mounts *mounts,
			 struct failure *why);

/* The process's cgroup as a path below the mount point, without a leading '/'; NULL if not below.
 */
const char *cgroup_mount_own(const struct cgroup_mount *mount);

/* The kernel's name of a controller: CGROUP_IO is "io" on v2 and "blkio" on v1. */
const char *cgroup_controller_name(enum cgroup_controller controller, bool v2);

/* The bits of the v2 controllers named in the text of cgroup.controllers or cgroup.subtree_control.
 */
unsigned cgroup_controllers_parse(const char *text);

#endif

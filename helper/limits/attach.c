/* helper/limits/attach.c - move a process into a container's cgroups, and back when that fails. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/limits/layout.h"
#include "helper/limits/limits.h"

#define CGROUPS_LIMIT (64U << 10)

char *cgroup_whereabouts(pid_t pid, struct failure *why)
{
	char path[sizeof("/proc//cgroup") + 3 * sizeof(pid_t)];
	char *text;

	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	text = file_read_at(AT_FDCWD, path, CGROUPS_LIMIT, NULL, why);
	if (!text)
		failure_prefix(why, "cannot tell where process %d is", pid);
	return text;
}

/* All threads of the process move (cgroup.procs, not tasks). */
static bool move(int dir, pid_t pid)
{
	char number[3 * sizeof(pid) + 1];

	(void)snprintf(number, sizeof(number), "%d", pid);
	return file_write_at(dir, "cgroup.procs", number);
}

bool cgroup_attach(const struct cgroup_layout *layout, const struct cgroup *cgroup, pid_t pid,
		   const char *whereabouts, struct failure *why)
{
	for (size_t i = 0; i < layout->root_count; i++) {
		int error = 0;

		/* In a container that lacks one of its cgroups a limit would not hold. */
		if (i >= cgroup->count || cgroup->dirs[i] < 0)
			error = ENOENT;
		else if (!move(cgroup->dirs[i], pid))
			error = errno;
		if (error == 0)
			continue;
		if (whereabouts)
			cgroup_restore(pid, whereabouts);
		return fail(why, error == ESRCH ? FAILURE_MISSING : FAILURE_SYSTEM, error,
			    "cannot move process %d into its container's cgroup (hierarchy %s)",
			    pid, layout->roots[i].name);
	}
	return true;
}

void cgroup_restore(pid_t pid, const char *whereabouts)
{
	struct cgroup_mounts mounts;
	struct failure ignored;

	if (!cgroup_mounts_read(whereabouts, &mounts, &ignored))
		return;
	for (size_t i = 0; i < mounts.count; i++) {
		const char *path = cgroup_mount_own(&mounts.mounts[i]);
		_cleanup_close_ int mount = cgroup_mount_open(&mounts.mounts[i]);
		_cleanup_close_ int dir = -1;

		if (mount >= 0 && path)
			dir = dir_open_at(mount, path, true);
		if (dir >= 0)
			(void)move(dir, pid);
	}
}

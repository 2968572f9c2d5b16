/* helper/limits/kill.c - end every process of a container. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "helper/limits/control_file.h"
#include "helper/limits/limits.h"
#include "helper/limits/session_cgroup.h"

#define PROCS_LIMIT (64U << 20) /* cgroup.procs with more lines than there can be processes */

/* How long the v1 freezer may take: a process in an uninterruptible sleep freezes when it wakes. */
#define FREEZE_PATIENCE_MS 500

static bool lists(const char *procs, pid_t pid)
{
	char *end;

	for (; *procs; procs = *end ? end + 1 : end)
		if (strtol(procs, &end, 10) == pid)
			return true;
		else if (end == procs)
			return false;
	return false;
}

/*
 * A number read from cgroup.procs may by now be somebody else's. So: hold on to whoever has it,
 * then look whether the cgroup still lists it. If it does, the one we hold is in the cgroup or
 * dead.
 */
static bool kill_one(int dir, pid_t pid, struct failure *why)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	_cleanup_free_ char *procs = NULL;

	if (pidfd < 0)
		return errno == ESRCH ||
		       fail(why, FAILURE_SYSTEM, errno, "cannot hold on to process %d", pid);
	procs = file_read_at(dir, "cgroup.procs", PROCS_LIMIT, NULL, why);
	if (!procs)
		return false;
	if (lists(procs, pid) && syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0 &&
	    errno != ESRCH)
		return fail(why, FAILURE_SYSTEM, errno, "cannot kill process %d", pid);
	return true;
}

static bool kill_in(int dir, struct failure *why)
{
	_cleanup_free_ char *procs = file_read_at(dir, "cgroup.procs", PROCS_LIMIT, NULL, why);
	bool all = true;
	char *end;

	if (!procs)
		return false;
	for (const char *line = procs; *line; line = *end ? end + 1 : end) {
		long pid = strtol(line, &end, 10);

		/* A process that this PID namespace cannot name is listed as 0. */
		if (pid <= 0)
			all = fail(why, FAILURE_SYSTEM, 0,
				   "the cgroup holds a process out of reach of this PID namespace");
		else if (!kill_one(dir, (pid_t)pid, why))
			all = false;
	}
	return all;
}

/* On v1 a cgroup lists its own processes only, not those of the sessions below. */
static bool kill_listed(int dir, struct failure *why)
{
	bool all = kill_in(dir, why);

	return session_cgroups_each(dir, kill_in, why) && all;
}

static bool is_frozen(int dir)
{
	char state[32];

	return control_read(dir, "freezer.state", state, sizeof(state)) &&
	       strcmp(state, "FROZEN\n") == 0;
}

/*
 * Frozen processes cannot fork: what is listed after all are frozen is all there is. Until then
 * kill what is there; the killed die when they thaw.
 */
static bool kill_freezing(int dir, struct failure *why)
{
	const struct timespec millisecond = {.tv_nsec = 1000000};

	for (int i = 0; i < FREEZE_PATIENCE_MS; i++) {
		bool frozen = is_frozen(dir);

		if (!kill_listed(dir, why))
			return false;
		if (frozen)
			return true;
		(void)nanosleep(&millisecond, NULL);
	}
	return fail(why, FAILURE_BUSY, 0,
		    "some of the container's processes hang in the kernel; all are killed and end "
		    "when they wake");
}

static bool kill_v1(int dir, struct failure *why)
{
	bool killed;

	if (!file_write_at(dir, "freezer.state", "FROZEN"))
		return fail(why, FAILURE_SYSTEM, errno, "cannot freeze the container's processes");
	killed = kill_freezing(dir, why);
	if (!file_write_at(dir, "freezer.state", "THAWED"))
		return fail(why, FAILURE_SYSTEM, errno, "cannot thaw the container's processes");
	return killed;
}

bool cgroup_kill(const struct cgroup_layout *layout, const struct cgroup *cgroup,
		 struct failure *why)
{
	for (size_t i = 0; i < layout->root_count && i < cgroup->count; i++) {
		const struct cgroup_root *root = &layout->roots[i];

		if (!(root->controllers & 1U << CGROUP_FREEZER))
			continue;
		if (cgroup->dirs[i] < 0)
			return true; /* no cgroup, no processes */
		if (!root->v2)
			return kill_v1(cgroup->dirs[i], why);
		if (!file_write_at(cgroup->dirs[i], "cgroup.kill", "1"))
			return fail(why, FAILURE_SYSTEM, errno,
				    "cannot kill the container's processes");
		return true;
	}
	return fail(why, FAILURE_UNSUPPORTED, 0,
		    "cannot kill the container's processes: there is neither cgroup v2 nor the v1 "
		    "freezer");
}

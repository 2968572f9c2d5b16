/* join/commit.c - the join itself, in the one order that leaves no gap. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "join/steps.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/*
 * What the service starts inside must have no descriptor of the host (CVE-2024-21626 was one too
 * many). Closing them here would pull them from under the service, which is still at work.
 */
static bool mark_descriptors(const struct join_ready *ready, struct failure *why)
{
	(void)ready;
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot mark descriptors close-on-exec");
	return true;
}

/* One call for all namespaces: the kernel commits all of them or none (setns(2), Linux 5.8). */
static bool enter_namespaces(const struct join_ready *ready, struct failure *why)
{
	if (setns(ready->plan->init, (int)ready->plan->namespaces) == 0)
		return true;
	if (errno == ESRCH)
		return fail(why, FAILURE_BUSY, errno,
			    "cannot join the container: it ended meanwhile; log in again");
	if (errno == EINVAL)
		return fail(why, FAILURE_UNSUPPORTED, errno,
			    "cannot join the container: the caller is in its user namespace "
			    "already, or shares its root directory with another process");
	return fail(why, FAILURE_SYSTEM, errno, "cannot join the container");
}

/*
 * Groups of the host's root must not stay, but services that follow pam_setcred(3), such as su
 * and login, have given the process the user's groups by now. The container maps nothing of the
 * host to itself but the user's own ids: what bears the same number inside as on the host stays.
 */
static bool keep_own_groups(const struct join_ready *ready, struct failure *why)
{
	_cleanup_free_ gid_t *inside = calloc((size_t)ready->group_count + 1, sizeof(gid_t));
	size_t kept = 0;

	/* The same list in the same order: an unmapped group shows as the overflow group. */
	if (!inside || getgroups(ready->group_count, inside) != ready->group_count)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the groups inside");
	for (int i = 0; i < ready->group_count; i++)
		if (inside[i] == ready->groups[i])
			inside[kept++] = inside[i];
	if (setgroups(kept, inside) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot give up the groups of the host");
	if (getgroups(0, NULL) != (int)kept)
		return fail(why, FAILURE_SYSTEM, 0, "groups of the host are still there");
	return true;
}

/* Joining changes no id: until here the process is the host's root without its capabilities. */
static bool become_root(const struct join_ready *ready, struct failure *why)
{
	uid_t uid[3];
	gid_t gid[3];

	if (!keep_own_groups(ready, why))
		return false;
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot become the container's root");
	if (getresuid(&uid[0], &uid[1], &uid[2]) < 0 || getresgid(&gid[0], &gid[1], &gid[2]) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the ids inside");
	for (int i = 0; i < 3; i++)
		if (uid[i] != 0 || gid[i] != 0)
			return fail(why, FAILURE_SYSTEM, 0, "ids of the host are still there");
	return true;
}

/*
 * Prove that the way back is closed while every capability of the container is still held: the
 * kernel refuses the host's namespaces for want of privilege (user_namespaces(7), EPERM), and
 * what the host's root owns, like a namespace's file, is not ours.
 */
static bool prove_no_way_back(const struct join_ready *ready, struct failure *why)
{
	struct stat namespace_file;

	if (setns(ready->home_user, CLONE_NEWUSER) == 0 || errno != EPERM)
		return fail(why, FAILURE_SYSTEM, 0,
			    "the way back to the host's user namespace is open");
	if (setns(ready->home_mount, CLONE_NEWNS) == 0 || errno != EPERM)
		return fail(why, FAILURE_SYSTEM, 0,
			    "the way back to the host's mount namespace is open");
	if (fstat(ready->home_user, &namespace_file) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot examine the host's namespace");
	if (namespace_file.st_uid == 0 || namespace_file.st_gid == 0)
		return fail(why, FAILURE_SYSTEM, 0, "the container's root is the host's root");
	return true;
}

/*
 * The session keyring of the login service is possessed by all that it starts (keyrings(7)), and
 * possession outweighs ids: leave it behind. The new one is made with the ids of the host's root
 * still: as the container's it would count among the 200 keys that a user may have
 * (kernel.keys.maxkeys), and the 200th login at a time into a shared container would be refused. It
 * is empty, and nobody inside can give it away or open it to others. A kernel without keyrings has
 * nothing to leave.
 */
static bool leave_keyring(const struct join_ready *ready, struct failure *why)
{
	(void)ready;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS &&
	    errno != EOPNOTSUPP)
		return fail(why, FAILURE_SYSTEM, errno,
			    "cannot leave the host's session keyring (see kernel.keys.maxkeys)");
	return true;
}

/*
 * The memory of the service may hold the host's keys. Changing ids has set the flag to
 * fs.suid_dumpable, so this comes after; until here nobody inside could have traced the process,
 * which has no PID inside. Undumpable, it belongs to the user namespace of its exec, the host's
 * (ptrace(2)), and so do its children until they exec.
 */
static bool hide_memory(const struct join_ready *ready, struct failure *why)
{
	(void)ready;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make the process undumpable");
	return true;
}

static bool settle_down(const struct join_ready *ready, struct failure *why)
{
	if (ready->plan->umask != JOIN_UMASK_UNSET)
		(void)umask(ready->plan->umask);
	if (chdir("/") < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot enter the container's root");
	return true;
}

/*
 * In this order, for the reasons that stand above each step. When one of those up to setns fails
 * the process is still on the host, with nothing lost that a refused login needs.
 */
static bool (*const steps[])(const struct join_ready *, struct failure *) = {
    mark_descriptors,      /* before setns, because it can fail */
    join_keep_to_own_code, /* before setns, while the paths are the host's */
    enter_namespaces,      /* the point of no return */
    leave_keyring,     /* while the ids are those of the host's root, whose keyring it is then */
    become_root,       /* before anything inside is looked at */
    prove_no_way_back, /* while the capabilities are held that might open it */
    hide_memory,       /* after the last change of ids */
    settle_down,       /* before seccomp may refuse it */
    join_confine,      /* last: nothing above could be done afterwards */
};

bool join_commit(const struct join_ready *ready, struct failure *why)
{
	bool inside = false;

	for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
		if (!steps[i](ready, why)) {
			if (inside)
				join_disarm();
			return false;
		}
		inside = inside || steps[i] == enter_namespaces;
	}
	return true;
}

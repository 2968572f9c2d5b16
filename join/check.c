/* join/check.c - everything that can fail, found out while the process is still on the host. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf_common.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "join/steps.h"

#define NEEDED_NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID)
#define KNOWN_NAMESPACES                                                                           \
	(NEEDED_NAMESPACES | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)
#define NEEDED_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

static bool check_namespaces(const struct join_plan *plan, struct failure *why)
{
	unsigned unknown = plan->namespaces & ~(unsigned)KNOWN_NAMESPACES;

	if (unknown)
		return fail(why, FAILURE_REQUEST, 0, "cannot join namespaces 0x%x: not known",
			    unknown);
	if ((plan->namespaces & NEEDED_NAMESPACES) != NEEDED_NAMESPACES)
		return fail(why, FAILURE_REQUEST, 0,
			    "cannot join namespaces 0x%x: user, mount and PID must be among them",
			    plan->namespaces);
	return true;
}

/*
 * The directory has a link for each thread besides its two own (fs/proc/base.c,
 * proc_task_getattr; Chromium's sandbox relies on it too), so one stat answers.
 */
static bool check_one_thread(struct failure *why)
{
	struct stat task;

	if (stat("/proc/self/task", &task) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot count threads in /proc/self/task");
	if (task.st_nlink != 2 + 1)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "caller has threads: the kernel does not let a threaded process join a "
			    "user namespace (user_namespaces(7), EINVAL)");
	return true;
}

/*
 * Descriptors 0, 1 and 2 are the ones that programs inside inherit. A directory of the host among
 * them is a way out by openat(2) or fchdir(2) (CVE-2024-21626), and an O_PATH descriptor can be
 * opened anew through /proc/self/fd.
 */
static bool check_standard_descriptors(struct failure *why)
{
	for (int fd = 0; fd <= 2; fd++) {
		int flags = fcntl(fd, F_GETFL);
		struct stat file;

		if (flags < 0 && errno == EBADF)
			continue;
		if (flags < 0 || fstat(fd, &file) < 0)
			return fail(why, FAILURE_SYSTEM, errno, "cannot examine descriptor %d", fd);
		if (S_ISDIR(file.st_mode) || flags & O_PATH)
			return fail(why, FAILURE_REQUEST, 0,
				    "descriptor %d is a %s of the host, a way out of the container "
				    "(CVE-2024-21626): start the service without it",
				    fd, S_ISDIR(file.st_mode) ? "directory" : "path");
	}
	return true;
}

/*
 * With fs.suid_dumpable = 1, a debugging aid, every later change of the service's ids makes it
 * dumpable again, and then the container's root may trace it (proc(5)).
 */
static bool check_dumpable_policy(const struct join_plan *plan, struct failure *why)
{
	_cleanup_close_ int fd = -1;
	char value = '0';

	if (!plan->allow_root)
		return true;
	fd = open("/proc/sys/fs/suid_dumpable", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, &value, 1) != 1)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read /proc/sys/fs/suid_dumpable");
	if (value == '1')
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "fs.suid_dumpable is 1, so the container's root could trace the login "
			    "service: set it to 0 or 2");
	return true;
}

/* What is read once here is what the kernel is given later; the seals are the helper's promise. */
static bool read_program(int memfd, struct join_ready *ready, struct failure *why)
{
	int seals = fcntl(memfd, F_GET_SEALS);
	struct stat file;
	size_t size;

	if (seals < 0 || fstat(memfd, &file) < 0)
		return fail(why, FAILURE_DATA, errno, "the seccomp program is not a memfd");
	if ((seals & NEEDED_SEALS) != NEEDED_SEALS)
		return fail(why, FAILURE_DATA, 0, "the seccomp program is not sealed");
	size = (size_t)file.st_size;
	if (size == 0 || size % sizeof(struct sock_filter) != 0 ||
	    size / sizeof(struct sock_filter) > BPF_MAXINSNS)
		return fail(why, FAILURE_DATA, 0,
			    "the seccomp program has %zu bytes: not 1 to %d instructions", size,
			    BPF_MAXINSNS);
	ready->program = malloc(size);
	if (!ready->program || pread(memfd, ready->program, size, 0) != (ssize_t)size)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the seccomp program");
	ready->program_length = size / sizeof(struct sock_filter);
	return true;
}

static bool open_home(struct join_ready *ready, struct failure *why)
{
	ready->home_user = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	ready->home_mount = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (ready->home_user < 0 || ready->home_mount < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open the namespaces of the host");
	return true;
}

static bool read_groups(struct join_ready *ready, struct failure *why)
{
	int count = getgroups(0, NULL);

	/* One more than needed, because calloc(0) may return NULL. */
	ready->groups = count < 0 ? NULL : calloc((size_t)count + 1, sizeof(gid_t));
	if (!ready->groups)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the supplementary groups");
	ready->group_count = getgroups(count, ready->groups);
	if (ready->group_count < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the supplementary groups");
	return true;
}

bool join_check(const struct join_plan *plan, struct join_ready *ready, struct failure *why)
{
	*ready = (struct join_ready){.plan = plan, .home_user = -1, .home_mount = -1};
	return check_namespaces(plan, why) && check_one_thread(why) &&
	       check_standard_descriptors(why) && check_dumpable_policy(plan, why) &&
	       read_program(plan->seccomp, ready, why) && open_home(ready, why) &&
	       read_groups(ready, why);
}

void join_release(struct join_ready *ready)
{
	free(ready->program);
	cleanup_close(&ready->home_user);
	cleanup_close(&ready->home_mount);
	free(ready->groups);
}

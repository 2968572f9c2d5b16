/* helper/container/empty_namespace.c - the mount namespace that containers start in. */
#include "helper/container/empty_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "base/paths.h"

#define KEPT_FOLDER CARREL_RUN "/ns"
#define KEPT_FILE   KEPT_FOLDER "/empty"

/* The kept namespace, or -1: a plain file of that name is not yet, or no longer, a namespace. */
static int open_kept(void)
{
	_cleanup_close_ int kept = open(KEPT_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (kept < 0 || ioctl(kept, NS_GET_NSTYPE) != CLONE_NEWNS)
		return -1;
	return take_fd(&kept);
}

/* Runs in a child: the steps from the host's namespace to one that holds an empty tmpfs. */
static bool leave_host(void)
{
	_cleanup_close_ int context = -1;
	_cleanup_close_ int root = -1;
	struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	context = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "size", "16k", 0) < 0 ||
	    fsconfig(context, FSCONFIG_SET_STRING, "mode", "755", 0) < 0 ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return false;
	root = fsmount(context, FSMOUNT_CLOEXEC,
		       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (root < 0 || mkdirat(root, "image", 0755) < 0 || mkdirat(root, "layer", 0755) < 0)
		return false;
	if (move_mount(root, "", AT_FDCWD, KEPT_FOLDER, MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
	    fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0)
		return false;
	return mount_setattr(AT_FDCWD, "/", 0, &readonly, sizeof(readonly)) == 0;
}

static void child_main(int ready, int release, const cpu_set_t *cpus)
{
	char byte = 0;

	if (sched_setaffinity(0, sizeof(*cpus), cpus) < 0 || !leave_host())
		byte = (char)errno;
	if (write(ready, &byte, 1) == 1 && byte == 0)
		(void)!read(release, &byte, 1); /* stay until the parent has taken the namespace */
	_exit(0);
}

/* A mount namespace may only be mounted on a private mount (mount_namespaces(7)): make one. */
static bool make_folder_private(struct failure *why)
{
	/* There is one already when an earlier try ended after this step. */
	if (mount(NULL, KEPT_FOLDER, NULL, MS_PRIVATE, NULL) == 0 ||
	    (mount(KEPT_FOLDER, KEPT_FOLDER, NULL, MS_BIND, NULL) == 0 &&
	     mount(NULL, KEPT_FOLDER, NULL, MS_PRIVATE, NULL) == 0))
		return true;
	return fail(why, FAILURE_SYSTEM, errno, "cannot make %s a private mount", KEPT_FOLDER);
}

static bool keep(pid_t child, struct failure *why)
{
	_cleanup_close_ int file = -1;
	char path[48];

	if (!make_folder_private(why))
		return false;
	file = open(KEPT_FILE, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", child);
	if (file < 0 || mount(path, KEPT_FILE, NULL, MS_BIND, NULL) < 0)
		return fail(why, FAILURE_SYSTEM, errno,
			    "cannot keep the empty mount namespace at %s", KEPT_FILE);
	return true;
}

static bool make_and_keep(const cpu_set_t *cpus, struct failure *why)
{
	int ready[2], release[2];
	bool kept = false;
	char byte = EPIPE;
	pid_t child;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make a pipe");
	if (pipe2(release, O_CLOEXEC) < 0) {
		fail(why, FAILURE_SYSTEM, errno, "cannot make a pipe");
		(void)close(ready[0]);
		(void)close(ready[1]);
		return false;
	}
	child = fork();
	if (child == 0) {
		(void)close(release[1]);
		child_main(ready[1], release[0], cpus);
	}
	(void)close(ready[1]);
	(void)close(release[0]);
	if (child < 0 || read(ready[0], &byte, 1) != 1 || byte != 0)
		fail(why, FAILURE_SYSTEM, child < 0 ? errno : byte,
		     "cannot make the empty mount namespace");
	else
		kept = keep(child, why);
	(void)close(ready[0]);
	(void)close(release[1]);
	if (child > 0)
		(void)waitpid(child, NULL, 0);
	return kept;
}

/*
 * A namespace can only be mounted in one with a smaller id, so that they never hold each other
 * (mnt_ns_loop(), fs/namespace.c, EINVAL). Up to Linux 6.17 ids grow with time. Since 6.18 each
 * processor gives them out from a batch of its own: made on the processor on which ours was made,
 * a new one certainly has a larger id.
 */
static bool make_on_some_processor(struct failure *why)
{
	cpu_set_t allowed, one;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot tell which processors there are");
	if (make_and_keep(&allowed, why))
		return true;
	for (int cpu = 0; cpu < CPU_SETSIZE && why->error == EINVAL; cpu++) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (make_and_keep(&one, why))
			return true;
	}
	return false;
}

int empty_namespace_open(const struct registry *registry, struct failure *why)
{
	_cleanup_close_ int lock = -1;
	int kept = open_kept();

	if (kept >= 0)
		return kept;
	lock = openat(registry->run, "ns.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot lock " CARREL_RUN "/ns.lock");
	kept = open_kept();
	if (kept >= 0)
		return kept;
	if (!make_on_some_processor(why))
		return -1;
	kept = open_kept();
	if (kept < 0)
		return fail_fd(why, FAILURE_SYSTEM, 0, "%s is not a mount namespace", KEPT_FILE);
	return kept;
}

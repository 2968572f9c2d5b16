/* helper/admin/doctor_layers.c - try in small what every container start does with mounts. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/doctor.h"
#include "helper/container/clones.h"

/* Any block of ids will do: the namespace is gone in a moment and owns nothing on disk. */
#define TRIAL_MAP "0 2147483648 65536\n"

/* A user namespace with the map of a container; the process that made it ends before this returns.
 */
static int make_user_namespace(struct failure *why)
{
	int ready[2], namespace = -1;
	char path[64], byte = 0;
	pid_t holder;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot make a pipe");
	holder = fork();
	if (holder == 0) {
		if (unshare(CLONE_NEWUSER) == 0 && write(ready[1], "", 1) == 1)
			(void)pause();
		_exit(1);
	}
	(void)close(ready[1]);
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)holder);
	if (holder > 0 && read(ready[0], &byte, 1) == 1) {
		_cleanup_close_ int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (process >= 0 && file_write_at(process, "uid_map", TRIAL_MAP) &&
		    file_write_at(process, "gid_map", TRIAL_MAP))
		namespace = openat(process, "ns/user", O_RDONLY | O_CLOEXEC);
	}
	if (namespace < 0)
		(void)fail(why, FAILURE_SYSTEM, errno, "cannot make a user namespace with a map");
	if (holder > 0) {
		(void)kill(holder, SIGKILL);
		(void)waitpid(holder, NULL, 0);
	}
	(void)close(ready[0]);
	return namespace;
}

static int mapped_copy(const char *path, int namespace, struct failure *why)
{
	_cleanup_close_ int mount = clone_mount(AT_FDCWD, path, MOUNT_ATTR_NODEV);

	if (mount < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot copy the mount of %s", path);
	if (!map_mount(mount, namespace))
		return fail_fd(
		    why, FAILURE_UNSUPPORTED, errno,
		    "the file system of %s cannot map ids (idmapped mounts); use ext4, xfs "
		    "or btrfs",
		    path);
	return take_fd(&mount);
}

/* As the root of the new namespace: mount an overlay of the two and write through it. */
static int write_through_overlay(int namespace, int lower, int layer)
{
	if (setns(namespace, CLONE_NEWUSER) < 0 || unshare(CLONE_NEWNS) < 0 ||
	    setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return errno;
	if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=700,size=1m") < 0 ||
	    chdir("/tmp") < 0 || mkdir("lower", 0755) < 0 || mkdir("layer", 0755) < 0 ||
	    mkdir("whole", 0755) < 0)
		return errno;
	if (move_mount(lower, "", AT_FDCWD, "lower", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
	    move_mount(layer, "", AT_FDCWD, "layer", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return errno;
	if (mount("overlay", "whole", "overlay", 0,
		  "userxattr,lowerdir=lower,upperdir=layer/upper,workdir=layer/work") < 0)
		return errno;
	return mkdir("whole/tried", 0755) < 0 ? errno : 0;
}

static bool try_overlay(int namespace, int lower, int layer, struct failure *why)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(write_through_overlay(namespace, lower, layer));
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return fail(why, FAILURE_SYSTEM, errno, "cannot try an overlay");
	if (WEXITSTATUS(status))
		return fail(
		    why, FAILURE_UNSUPPORTED, WEXITSTATUS(status),
		    "an overlay on state_dir cannot be mounted and written to inside a user "
		    "namespace");
	return true;
}

static bool try_layers(int state, const char *scratch_path, const char *scratch,
		       struct failure *why)
{
	_cleanup_close_ int namespace = make_user_namespace(why);
	_cleanup_close_ int lower = -1, layer = -1, dir = -1;
	struct stat written;

	if (namespace < 0)
		return false;
	dir = dir_open_at(state, scratch, true);
	if (dir < 0 || mkdirat(dir, "upper", 0755) < 0 || mkdirat(dir, "work", 0755) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make directories in state_dir");
	lower = mapped_copy("/usr", namespace, why);
	if (lower < 0)
		return false;
	layer = mapped_copy(scratch_path, namespace, why);
	if (layer < 0 || !try_overlay(namespace, lower, layer, why))
		return false;
	if (fstatat(dir, "upper/tried", &written, AT_SYMLINK_NOFOLLOW) < 0 || written.st_uid != 0)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "what a container's root writes to state_dir is not root's on disk");
	return true;
}

void doctor_layers(const struct config *config, struct report *report)
{
	char place[4096], path[sizeof(place) + 32], scratch[32];
	_cleanup_close_ int state = -1;
	struct failure why, ignored;

	if (!config || !doctor_state_place(config, place, sizeof(place)))
		return;
	state = dir_open_at(AT_FDCWD, place, false);
	if (state < 0)
		return; /* doctor_storage has said what is wrong */
	(void)snprintf(scratch, sizeof(scratch), ".doctor-%d", (int)getpid());
	(void)snprintf(path, sizeof(path), "%s/%s", place, scratch);
	if (mkdirat(state, scratch, 0755) < 0)
		report_add(report, GRADE_PROBLEM, "layers", "cannot write to %s: %s", place,
			   strerror(errno));
	else if (try_layers(state, path, scratch, &why))
		report_add(report, GRADE_OK, "layers",
			   "idmapped mounts of /usr and state_dir and an overlay of them work");
	else
		report_failure(report, GRADE_PROBLEM, "layers", &why);
	(void)tree_remove_at(state, scratch, &ignored);
}

/* helper/admin/image_fill.c - fill a new image from a directory or by tar. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/admin/image_store.h"

#define TAR        "/usr/bin/tar"
#define ARCHIVE_FD 3
#define ARCHIVE_ARG                                                                                \
	"--file=/proc/self/fd/3" /* by path, so that tar finds out how it is compressed */

/* The program's arguments and its environment are constant: nothing of a user name or file name is
 * in them. */
static bool spawn_tar(int archive, int directory, pid_t *child)
{
	char *const arguments[] = {
	    (char[]){"tar"},
	    (char[]){"--extract"},
	    (char[]){ARCHIVE_ARG},
	    (char[]){"--numeric-owner"},
	    (char[]){"--same-owner"},
	    (char[]){"--preserve-permissions"},
	    (char[]){"--xattrs"},
	    (char[]){"--xattrs-include=*"},
	    (char[]){"--xattrs-exclude=user.overlay.*"},
	    NULL,
	};
	char *const environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error == 0)
		error = posix_spawn_file_actions_addfchdir_np(&actions, directory);
	if (error == 0)
		error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&actions, archive, ARCHIVE_FD);
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(&actions, ARCHIVE_FD + 1);
	if (error == 0)
		error = posix_spawn(child, TAR, &actions, NULL, arguments, environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	errno = error;
	return error == 0;
}

static bool extract(int archive, int rootfs, const char *source, struct failure *why)
{
	int status = 0;
	pid_t child;

	if (!spawn_tar(archive, rootfs, &child))
		return fail(why, FAILURE_SYSTEM, errno, "cannot start " TAR);
	if (waitpid(child, &status, 0) != child)
		return fail(why, FAILURE_SYSTEM, errno, "cannot wait for " TAR);
	if (WIFSIGNALED(status))
		return fail(why, FAILURE_DATA, 0, "tar was ended by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		return fail(why, FAILURE_DATA, 0, "tar cannot extract %s (exit status %d)", source,
			    WEXITSTATUS(status));
	return true;
}

bool image_fill(const struct registry *registry, int rootfs, const char *source,
		struct tree_copy *counts, struct failure *why)
{
	_cleanup_close_ int from = open(source, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat status, state;

	if (from < 0 || fstat(from, &status) < 0)
		return fail(why, FAILURE_MISSING, errno, "cannot open %s", source);
	if (fstat(registry->state, &state) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot stat the state directory");
	if (S_ISDIR(status.st_mode))
		return tree_copy(from, rootfs, &state, counts, why);
	if (S_ISREG(status.st_mode))
		return extract(from, rootfs, source, why) &&
		       tree_remove_devices(rootfs, counts, why);
	return fail(why, FAILURE_REQUEST, 0, "%s is neither a directory nor a tar file", source);
}

/* As it will be seen inside: a link in an image is about the image's own root. */
static bool is_there(int rootfs, const char *path)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	_cleanup_close_ int found = (int)syscall(SYS_openat2, rootfs, path, &how, sizeof(how));

	return found >= 0;
}

bool image_check(int rootfs, struct failure *why)
{
	struct stat status;

	if (!is_there(rootfs, "/etc"))
		return fail(why, FAILURE_DATA, 0,
			    "it has no /etc at its top: it is not a root file system");
	if (!is_there(rootfs, "/usr") && !is_there(rootfs, "/bin/sh"))
		return fail(why, FAILURE_DATA, 0,
			    "it has neither /usr nor /bin/sh: it is not a root file system");
	if (fstat(rootfs, &status) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot stat it");
	if ((status.st_mode & 0005) == 0005 && status.st_uid == 0)
		return true;
	/* Often a directory made by mktemp -d: nobody could enter the container's root. */
	if (fchown(rootfs, 0, 0) < 0 || fchmod(rootfs, 0755) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open its root to all users");
	return true;
}

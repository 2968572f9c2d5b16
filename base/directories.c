/* base/directories.c - open and make directories without following a link anywhere. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"

int dir_open_at(int dir, const char *path, bool path_only)
{
	const struct open_how how = {
	    .flags = O_DIRECTORY | O_CLOEXEC | (path_only ? O_PATH : O_RDONLY),
	    .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

bool rename_to_new_at(int from_dir, const char *from, int to_dir, const char *to)
{
	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL)
		return false;
	if (faccessat(to_dir, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return false;
	}
	return errno == ENOENT && renameat(from_dir, from, to_dir, to) == 0;
}

/* Make one directory when it is missing and open it. The umask of a login service does not count.
 */
static int make_one(int parent, const char *name, mode_t mode)
{
	_cleanup_close_ int made = -1;
	int fd;

	fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mkdirat(parent, name, mode) < 0) {
		if (errno != EEXIST)
			return -1;
		return openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	made = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (made < 0 || fchmod(made, mode) < 0)
		return -1;
	return take_fd(&made);
}

/* Cut the next component off *rest; NULL at the end of the path. */
static char *next_component(char **rest)
{
	char *name;

	do
		name = strsep(rest, "/");
	while (name && (*name == '\0' || strcmp(name, ".") == 0));
	return name;
}

bool dir_make_at(int dir, const char *path, mode_t mode, struct failure *why)
{
	_cleanup_close_ int parent = -1;
	char copy[PATH_MAX], *rest = copy, *name;

	if (strlen(path) >= sizeof(copy))
		return fail(why, FAILURE_SYSTEM, ENAMETOOLONG, "cannot make a directory");
	memcpy(copy, path, strlen(path) + 1);

	parent = openat(dir, *path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make the directory %s", path);
	name = next_component(&rest);
	while (name) {
		char *next = next_component(&rest);
		int child;

		if (strcmp(name, "..") == 0)
			return fail(why, FAILURE_SYSTEM, EINVAL, "cannot make the directory %s",
				    path);
		child = make_one(parent, name, next ? 0755 : mode);
		if (child < 0)
			return fail(why, FAILURE_SYSTEM, errno,
				    "cannot make the directory %s: at '%s'", path, name);
		cleanup_close(&parent);
		parent = child;
		name = next;
	}
	return true;
}

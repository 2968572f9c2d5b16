/* helper/init/mounts.c - the mounting steps of a plan. */
#include "helper/init/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/kernel_calls.h"

static bool make_folder(const char *path, mode_t mode)
{
	return mkdir(path, mode) == 0 || errno == EEXIST;
}

static bool make_parents(const char *path)
{
	char parent[4096];
	size_t length = strlen(path);

	if (length >= sizeof(parent)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(parent, path, length + 1);
	for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (!make_folder(parent, 0755))
			return false;
		*slash = '/';
	}
	return true;
}

/* New, and right as it is: the file system makes it the container root's. */
static bool made_as_wanted(const char *path, unsigned mode, unsigned uid, unsigned gid)
{
	mode_t before;
	bool made;

	if (uid != 0 || gid != 0 || (mode & 06000) != 0)
		return false;
	if ((mode & 0022) == 0) /* the umask */
		return mkdir(path, mode) == 0;
	before = umask(0);
	made = mkdir(path, mode) == 0;
	(void)umask(before);
	return made;
}

bool folder_make(const char *path, unsigned mode, unsigned uid, unsigned gid)
{
	_cleanup_close_ int dir = -1;

	if (made_as_wanted(path, mode, uid, gid))
		return true;
	if (!make_parents(path) || !make_folder(path, 0700))
		return false;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir >= 0 && fchown(dir, uid, gid) == 0 && fchmod(dir, mode) == 0;
}

bool mount_place(const char *path, enum plan_mountpoint point)
{
	int fd;

	if (point == PLAN_POINT_EXISTS ||
	    (point == PLAN_POINT_FOLDER ? mkdir(path, 0755) : mknod(path, S_IFREG | 0644, 0)) == 0)
		return true;
	if (!make_parents(path))
		return false;
	if (point == PLAN_POINT_FOLDER)
		return make_folder(path, 0755);
	/*
	 * A link in an image's /etc (resolv.conf is often one) is replaced by a file: mounting
	 * through it would put the mount where the link says.
	 */
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);
	if (fd < 0 && errno == ELOOP && unlink(path) == 0)
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == EROFS && access(path, F_OK) == 0;
	return close(fd) == 0;
}

/*
 * The new root covers the old one, the empty namespace that we came from, and then becomes the root
 * of this process and of all that join later (setns(2) goes to the topmost mount on "/").
 * pivot_root(2) would have to visit every task of the machine for the same result.
 */
static bool take_root(int mount)
{
	return move_mount(mount, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) == 0 &&
	       fchdir(mount) == 0 && chroot(".") == 0;
}

bool mount_attach(int mount, const char *path, enum plan_mountpoint point)
{
	if (strcmp(path, "/") == 0)
		return take_root(mount);
	return mount_place(path, point) &&
	       move_mount(mount, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

static bool set_option(int context, char *option)
{
	char *value = strchr(option, '=');

	if (!value)
		return fsconfig(context, FSCONFIG_SET_FLAG, option, NULL, 0) == 0;
	*value++ = '\0';
	return fsconfig(context, FSCONFIG_SET_STRING, option, value, 0) == 0;
}

static bool set_options(int context, const char *options)
{
	char copy[1024], *rest = copy, *option;

	if (strlen(options) >= sizeof(copy)) {
		errno = E2BIG;
		return false;
	}
	memcpy(copy, options, strlen(options) + 1);
	while ((option = strsep(&rest, ",")))
		if (*option && !set_option(context, option))
			return false;
	return true;
}

bool mount_new(const char *type, const char *options, const char *path, enum plan_mountpoint point,
	       uint64_t attributes)
{
	_cleanup_close_ int context = fsopen(type, FSOPEN_CLOEXEC);
	_cleanup_close_ int mount = -1;

	if (context < 0 || !set_options(context, options) ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return false;
	mount = fsmount(context, FSMOUNT_CLOEXEC, (unsigned)attributes);
	return mount >= 0 && mount_attach(mount, path, point);
}

static bool set_attributes(int mount, const char *path, unsigned flags, uint64_t attributes)
{
	struct mount_attr change = {.attr_set = attributes};

	return attributes == 0 ||
	       mount_setattr(mount, path, flags | AT_RECURSIVE, &change, sizeof(change)) == 0;
}

bool mount_bind(int from, const char *source, const char *path, enum plan_mountpoint point,
		uint64_t attributes)
{
	_cleanup_close_ int mount = open_tree(
	    from, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW);

	return mount >= 0 && set_attributes(mount, "", AT_EMPTY_PATH, attributes) &&
	       mount_attach(mount, path, point);
}

bool mount_mask(const char *path, const char *empty)
{
	struct stat status;

	if (lstat(path, &status) < 0)
		return errno == ENOENT;
	if (S_ISDIR(status.st_mode))
		return mount_bind(AT_FDCWD, empty, path, PLAN_POINT_EXISTS,
				  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				      MOUNT_ATTR_NOEXEC);
	return mount_bind(AT_FDCWD, "/dev/null", path, PLAN_POINT_EXISTS, 0);
}

bool mount_readonly(const char *path)
{
	if (access(path, F_OK) < 0)
		return errno == ENOENT;
	return mount_bind(AT_FDCWD, path, path, PLAN_POINT_EXISTS, MOUNT_ATTR_RDONLY);
}

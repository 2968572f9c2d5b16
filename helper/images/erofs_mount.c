/* helper/images/erofs_mount.c - an erofs file, mounted once for all containers of its image. */
#include "helper/images/erofs_mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "base/paths.h"
#include "helper/images/versions.h"
#include "helper/storage/loop.h"

#define FOLDER    "images"
#define NAME_SIZE 80
#define PATH_SIZE 256

/* Never the same for two files, and the same for one as long as nobody writes to it. */
static bool name_of(uint32_t version, int file, char name[NAME_SIZE])
{
	struct stat status;

	if (fstat(file, &status) < 0)
		return false;
	(void)snprintf(name, NAME_SIZE, "%u-%llx-%llx-%llx%09lx", version,
		       (unsigned long long)status.st_dev, (unsigned long long)status.st_ino,
		       (unsigned long long)status.st_mtim.tv_sec,
		       (unsigned long)status.st_mtim.tv_nsec);
	return true;
}

/* Is an erofs mounted on this directory? A directory that merely is there is none. */
static bool is_kept(int root)
{
	struct statx status;
	struct statfs system;

	return statx(root, "", AT_EMPTY_PATH, 0, &status) == 0 &&
	       (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) && fstatfs(root, &system) == 0 &&
	       system.f_type == EROFS_SUPER_MAGIC_V1;
}

static int open_kept(int folder, const char *name)
{
	_cleanup_close_ int root = dir_open_at(folder, name, true);

	return root >= 0 && is_kept(root) ? take_fd(&root) : -1;
}

static int is_damaged(struct failure *why)
{
	return fail_fd(why, FAILURE_DATA, errno,
		       IMAGE_EROFS " is damaged, it cannot be mounted: build the image again");
}

static int mount_source(const char *source)
{
	_cleanup_close_ int context = fsopen("erofs", FSOPEN_CLOEXEC);

	if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "source", source, 0) < 0 ||
	    fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC,
		       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID);
}

int erofs_mount_file(int file)
{
	char source[32];

	(void)snprintf(source, sizeof(source), "/proc/self/fd/%d", file);
	return mount_source(source);
}

int erofs_mount_loop(int file, struct failure *why)
{
	struct loop loop = {.fd = -1};
	int mount;

	if (!loop_attach(file, &loop, why))
		return -1;
	mount = mount_source(loop.device);
	if (mount < 0)
		(void)is_damaged(why);
	cleanup_close(&loop.fd);
	return mount;
}

static int mount_any(int file, struct failure *why)
{
	int mount = erofs_mount_file(file);

	if (mount >= 0)
		return mount;
	if (errno == ENOTBLK)
		return erofs_mount_loop(file, why);
	if (errno == ENODEV)
		return fail_fd(why, FAILURE_UNSUPPORTED, 0,
			       "this kernel has no erofs: load the module, or build the image "
			       "with --format dir");
	return is_damaged(why);
}

static bool attach(int mount, int folder, const char *name, struct failure *why)
{
	if (mkdirat(folder, name, 0700) < 0 && errno != EEXIST)
		return fail(why, FAILURE_SYSTEM, errno,
			    "cannot make a folder in " CARREL_RUN "/" FOLDER);
	if (move_mount(mount, "", folder, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return fail(why, FAILURE_SYSTEM, errno,
			    "cannot mount it below " CARREL_RUN "/" FOLDER);
	return true;
}

static int lock_mounts(const struct registry *registry, struct failure *why)
{
	_cleanup_close_ int lock =
	    openat(registry->run, "images.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno,
			       "cannot lock " CARREL_RUN "/images.lock");
	return take_fd(&lock);
}

/* Others may look and mount at the same time: whoever has the lock does, the rest finds it done. */
static int mount_and_keep(const struct registry *registry, const char *image, const char *name,
			  int file, struct failure *why)
{
	_cleanup_close_ int lock = lock_mounts(registry, why);
	_cleanup_close_ int folder = -1, mount = -1;
	char path[PATH_SIZE];
	int root;

	(void)snprintf(path, sizeof(path), FOLDER "/%s", image);
	if (lock < 0)
		return -1;
	if ((mkdirat(registry->run, FOLDER, 0700) < 0 && errno != EEXIST) ||
	    (mkdirat(registry->run, path, 0700) < 0 && errno != EEXIST) ||
	    (folder = dir_open_at(registry->run, path, true)) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot make " CARREL_RUN "/%s", path);
	root = open_kept(folder, name);
	if (root >= 0)
		return root;
	mount = mount_any(file, why);
	if (mount < 0 || !attach(mount, folder, name, why))
		return -1;
	root = open_kept(folder, name);
	return root >= 0 ? root
			 : fail_fd(why, FAILURE_SYSTEM, 0, "the mount at " CARREL_RUN "/%s is gone",
				   path);
}

int erofs_mount_kept(const struct registry *registry, const char *image, uint32_t version, int file,
		     struct failure *why)
{
	char name[NAME_SIZE], path[PATH_SIZE];
	int root;

	if (!name_of(version, file, name))
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot look at " IMAGE_EROFS);
	(void)snprintf(path, sizeof(path), FOLDER "/%s/%s", image, name);
	root = open_kept(registry->run, path);
	return root >= 0 ? root : mount_and_keep(registry, image, name, file, why);
}

/* A number, and what tells one file from another. */
static bool is_ours(const char *name, uint32_t *version)
{
	char number[IMAGE_VERSION_NAME];
	size_t length = strcspn(name, "-");

	if (!name[length] || length >= sizeof(number))
		return false;
	memcpy(number, name, length);
	number[length] = '\0';
	return image_version_parse(number, version);
}

static bool drop(int folder, const char *name, struct failure *why)
{
	char path[64 + NAME_MAX];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", folder, name);
	/* Lazily: somebody may look around in it. EINVAL: nothing is mounted there. */
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL)
		return fail(why, FAILURE_SYSTEM, errno, "cannot unmount " CARREL_RUN "/.../%s",
			    name);
	return unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot remove " CARREL_RUN "/.../%s", name);
}

bool erofs_mount_drop(const struct registry *registry, const char *image, bool dry_run,
		      bool (*may_go)(void *context, uint32_t version),
		      void (*tell)(void *context, const char *name), void *context,
		      struct failure *why)
{
	_cleanup_close_ int lock = lock_mounts(registry, why);
	_cleanup_closedir_ DIR *stream = NULL;
	const struct dirent *entry;
	char path[PATH_SIZE];
	int folder;

	if (lock < 0)
		return false;
	(void)snprintf(path, sizeof(path), FOLDER "/%s", image);
	folder = dir_open_at(registry->run, path, false);
	stream = folder < 0 ? NULL : fdopendir(folder);
	if (!stream)
		return errno == ENOENT ||
		       fail(why, FAILURE_SYSTEM, errno, "cannot read " CARREL_RUN "/%s", path);
	while ((entry = readdir(stream))) {
		uint32_t version;

		if (!is_ours(entry->d_name, &version) || !may_go(context, version))
			continue;
		if (tell)
			tell(context, entry->d_name);
		if (!dry_run && !drop(dirfd(stream), entry->d_name, why))
			return false;
	}
	if (!dry_run)
		(void)unlinkat(registry->run, path, AT_REMOVEDIR);
	return true;
}

/* helper/images/use.c - the current version of an image, opened for a container. */
#include "helper/images/use.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/images/erofs_mount.h"
#include "helper/images/versions.h"

/* Whoever removes a version looks at it with an exclusive lock for a moment. */
#define LOCK_TRIES  50
#define LOCK_NAP_NS 10000000

bool image_machine_check(const char *machine, struct failure *why)
{
	struct utsname host;

	if (uname(&host) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot tell the machine's architecture");
	if (!*machine || strcmp(machine, host.machine) == 0)
		return true;
	return fail(why, FAILURE_UNSUPPORTED, 0,
		    "it was built for %s and this machine is %s: build it again here", machine,
		    host.machine);
}

/* The link may move on while we look, and what it named may then be removed: look again. */
static int lock_current(int image, struct image_use *use, struct failure *why)
{
	const struct timespec nap = {.tv_nsec = LOCK_NAP_NS};

	for (unsigned i = 0;; i++) {
		_cleanup_close_ int version = -1;
		bool found;

		if (!image_link_read(image, IMAGE_CURRENT, &use->version, &found, why))
			return -1;
		if (!found)
			return fail_fd(why, FAILURE_DATA, 0,
				       "it has no current version: choose one with 'carrel image "
				       "use', or build it again");
		version = image_version_open(image, use->version);
		if (version >= 0)
			use->hold = image_version_lock(version, false);
		if (use->hold >= 0)
			return take_fd(&version);
		if (i == LOCK_TRIES || (errno != EWOULDBLOCK && errno != ENOENT))
			return fail_fd(why, FAILURE_DATA, errno,
				       "its version %u cannot be opened: choose another with "
				       "'carrel image use', or build it again",
				       use->version);
		/* A version that is not there will hardly come: only a switch just now helps. */
		if (errno == ENOENT && i > 1)
			i = LOCK_TRIES - 1;
		(void)nanosleep(&nap, NULL);
	}
}

static int open_erofs(const struct registry *registry, const char *name, uint32_t number,
		      int version, const struct image_info *info, struct failure *why)
{
	_cleanup_close_ int file =
	    openat(version, IMAGE_EROFS, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;

	if (file < 0 || fstat(file, &status) < 0)
		return fail_fd(why, FAILURE_DATA, errno,
			       "cannot open " IMAGE_EROFS " of its version %u", number);
	if (!S_ISREG(status.st_mode) || (info->bytes && (uint64_t)status.st_size != info->bytes))
		return fail_fd(why, FAILURE_DATA, 0,
			       IMAGE_EROFS " of its version %u is damaged: it has %llu bytes and "
					   "was written with %llu; build it again",
			       number, (unsigned long long)status.st_size,
			       (unsigned long long)info->bytes);
	return erofs_mount_kept(registry, name, number, file, why);
}

static int open_root(const struct registry *registry, const char *name, uint32_t number,
		     int version, struct failure *why)
{
	struct image_info info;
	int root;

	image_info_read(version, &info);
	if (!image_machine_check(info.machine, why))
		return -1;
	root = dir_open_at(version, IMAGE_ROOTFS, true);
	if (root < 0 && errno == ENOENT)
		return open_erofs(registry, name, number, version, &info, why);
	if (root < 0)
		return fail_fd(why, FAILURE_DATA, errno,
			       "cannot open " IMAGE_ROOTFS " of its version %u", number);
	return root;
}

static bool is_missing(const char *name, struct failure *why)
{
	return fail(why, errno == ENOENT ? FAILURE_MISSING : FAILURE_SYSTEM, errno,
		    "cannot open image '%s' (see 'carrel image list' and 'carrel image build')",
		    name);
}

bool image_use_check(int images, const char *name, struct failure *why)
{
	_cleanup_close_ int image = dir_open_at(images, name, true);
	_cleanup_close_ int version = -1;
	struct image_info info;
	uint32_t number;
	bool found;

	if (image < 0)
		return is_missing(name, why);
	if (!image_link_read(image, IMAGE_CURRENT, &number, &found, why)) {
		failure_prefix(why, "image '%s'", name);
		return false;
	}
	version = found ? image_version_open(image, number) : -1;
	if (version < 0 || !image_version_is_whole(version))
		return fail(why, FAILURE_DATA, 0,
			    "image '%s': its current version is missing: choose one with 'carrel "
			    "image use', or build it again",
			    name);
	image_info_read(version, &info);
	if (image_machine_check(info.machine, why))
		return true;
	failure_prefix(why, "image '%s'", name);
	return false;
}

bool image_use_open(const struct registry *registry, const char *name, struct image_use *use,
		    struct failure *why)
{
	_cleanup_close_ int image = dir_open_at(registry->state_images, name, true);
	_cleanup_close_ int version = -1;

	*use = (struct image_use){.root = -1, .hold = -1};
	if (image < 0)
		return is_missing(name, why);
	version = lock_current(image, use, why);
	if (version >= 0)
		use->root = open_root(registry, name, use->version, version, why);
	if (use->root >= 0)
		return true;
	failure_prefix(why, "image '%s'", name);
	image_use_close(use);
	return false;
}

void image_use_close(struct image_use *use)
{
	cleanup_close(&use->root);
	cleanup_close(&use->hold);
	use->root = use->hold = -1;
}

/* helper/storage/image.c - the data of a container in an ext4 image of the size of its quota. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/storage/ext4.h"
#include "helper/storage/ext4_tools.h"
#include "helper/storage/kinds.h"
#include "helper/storage/loop.h"
#include "policy/policy.h"

#define IMAGE_NAME "layer.ext4"
#define NEW_NAME   ".new-layer.ext4"

/* The kernel lets go of a loop device a moment after the last process of a container. */
#define LOCK_PATIENCE_MS 3000
#define LOCK_NAP_MS      20

static int cannot_make(const struct image_wish *wish, struct failure *why)
{
	return fail_fd(why, FAILURE_SYSTEM, errno, "cannot make %s", wish->path);
}

/* Whatever stops this, there is no image, or a whole one that is on disk. */
static int make_image(int container, const struct image_wish *wish, struct failure *why)
{
	_cleanup_close_ int image = -1, folder = -1;
	uint64_t inodes = wish->inodes ? ext4_inodes_for(wish->disk, wish->inodes) : 0;

	if (unlinkat(container, NEW_NAME, 0) < 0 && errno != ENOENT)
		return cannot_make(wish, why);
	image =
	    openat(container, NEW_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (image < 0 || ftruncate(image, (off_t)wish->disk) < 0)
		return cannot_make(wish, why);
	if (!ext4_make(image, wish->path, ext4_blocks_for(wish->disk), inodes, why)) {
		(void)unlinkat(container, NEW_NAME, 0);
		return -1;
	}
	folder = openat(container, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || fsync(image) < 0 ||
	    renameat(container, NEW_NAME, container, IMAGE_NAME) < 0 || fsync(folder) < 0)
		return cannot_make(wish, why);
	return take_fd(&image);
}

static int open_file(int container, const struct image_wish *wish, struct failure *why)
{
	_cleanup_close_ int image =
	    openat(container, IMAGE_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (image < 0 && errno == ENOENT && wish->may_make)
		return make_image(container, wish, why);
	if (image < 0)
		return fail_fd(why, FAILURE_DATA, errno, "cannot open %s", wish->path);
	if (fstat(image, &status) < 0 || !S_ISREG(status.st_mode))
		return fail_fd(why, FAILURE_DATA, 0, "%s is not a file", wish->path);
	return take_fd(&image);
}

static bool try_lock(int image)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(image, F_OFD_SETLK, &whole) == 0;
}

/*
 * Two mounts of one file through two devices destroy it. So either it is attached already, when a
 * login outlived its container for a moment: then that device is mounted once more, which for the
 * kernel is the same file system. Or it is locked here, before it is looked at; the lock belongs to
 * the open file description, which the loop device keeps until the last mount is gone.
 */
static bool find_or_lock(int image, const struct image_wish *wish, struct loop *loop,
			 struct failure *why)
{
	const struct timespec nap = {.tv_nsec = LOCK_NAP_MS * 1000000L};

	for (unsigned waited = 0;; waited += LOCK_NAP_MS) {
		if (!loop_find(image, IMAGE_NAME, loop, why))
			return false;
		if (loop->fd >= 0 || try_lock(image))
			return true;
		if (errno != EAGAIN && errno != EACCES)
			return fail(why, FAILURE_SYSTEM, errno, "cannot lock %s", wish->path);
		if (waited >= LOCK_PATIENCE_MS)
			return fail(why, FAILURE_BUSY, 0,
				    "%s is locked by another program or machine: mounted twice it "
				    "would be destroyed",
				    wish->path);
		(void)nanosleep(&nap, NULL);
	}
}

static bool read_facts(int image, const struct image_wish *wish, struct ext4_facts *facts,
		       struct failure *why)
{
	unsigned char superblock[EXT4_SUPERBLOCK_BYTES];
	ssize_t length = pread(image, superblock, sizeof(superblock), EXT4_SUPERBLOCK_AT);

	if (length < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read %s", wish->path);
	return (length == (ssize_t)sizeof(superblock) && ext4_read(superblock, facts)) ||
	       ext4_damaged(wish->path, "it holds no ext4 file system", why);
}

/* Is the policy's quota one that this image can be given? Nothing has been changed yet. */
static bool vet_size(const struct image_wish *wish, const struct stat *status,
		     const struct ext4_facts *facts, struct failure *why)
{
	uint64_t size = (uint64_t)status->st_size, inodes = facts->inodes;
	char have[32], asked[32];

	policy_limit_format(LIMIT_DISK, size, have, sizeof(have));
	policy_limit_format(LIMIT_DISK, wish->disk, asked, sizeof(asked));
	if (size > wish->disk)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "%s has a size of %s and cannot shrink to disk = %s: set disk to at "
			    "least %s, or remove the container",
			    wish->path, have, asked, have);
	if (ext4_blocks_for(wish->disk) > facts->blocks)
		inodes = ext4_inodes_grown(facts, wish->disk);
	if (wish->inodes && !ext4_inodes_hold(inodes, wish->inodes))
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "%s has %llu inodes with disk = %s, which cannot be cut to inodes = "
			    "%llu: set inodes to at least that, or remove the container",
			    wish->path, (unsigned long long)inodes, asked,
			    (unsigned long long)wish->inodes);
	return true;
}

/* One that was cut short is done again: the file has its size then, the file system not yet. */
static bool grow(int image, const struct image_wish *wish, const struct stat *status,
		 struct failure *why)
{
	if (!ext4_check(image, wish->path, true, why))
		return false;
	if ((uint64_t)status->st_size < wish->disk && ftruncate(image, (off_t)wish->disk) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot grow %s", wish->path);
	return ext4_grow(image, wish->path, ext4_blocks_for(wish->disk), why);
}

/*
 * A journal that is not empty is the mount's to replay; errors are e2fsck's to repair. What is
 * mounted already is neither repaired nor grown.
 */
static bool make_ready(int image, const struct image_wish *wish, bool is_mounted,
		       struct failure *why)
{
	struct ext4_facts facts;
	struct stat status;

	if (!read_facts(image, wish, &facts, why))
		return false;
	if (facts.block_bytes != EXT4_BLOCK_BYTES)
		return ext4_damaged(wish->path, "it was not made by Carrel", why);
	if (fstat(image, &status) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot look at %s", wish->path);
	if (wish->disk && !vet_size(wish, &status, &facts, why))
		return false;
	if (is_mounted)
		return true;
	if (wish->disk && facts.blocks < ext4_blocks_for(wish->disk))
		return grow(image, wish, &status, why);
	return !facts.needs_check || ext4_check(image, wish->path, false, why);
}

/*
 * noinit_itable: what was never used need not be written to a file that is sparse. discard: what is
 * deleted inside is given back to the host.
 */
static bool set_options(int context, const char *device)
{
	return fsconfig(context, FSCONFIG_SET_STRING, "source", device, 0) == 0 &&
	       fsconfig(context, FSCONFIG_SET_STRING, "errors", "remount-ro", 0) == 0 &&
	       fsconfig(context, FSCONFIG_SET_FLAG, "noinit_itable", NULL, 0) == 0 &&
	       fsconfig(context, FSCONFIG_SET_FLAG, "discard", NULL, 0) == 0;
}

/* Not nosuid: what a container's root changed of its image is in there as well. */
static int mount_device(const struct loop *loop, const struct image_wish *wish, struct failure *why)
{
	_cleanup_close_ int context = fsopen("ext4", FSOPEN_CLOEXEC);
	_cleanup_close_ int mount = -1;

	if (context < 0 || !set_options(context, loop->device))
		return fail_fd(why, FAILURE_UNSUPPORTED, errno,
			       "cannot mount %s: the kernel's ext4 does not take it", wish->path);
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		int error = errno;

		(void)ext4_damaged(wish->path, "it cannot be mounted", why);
		why->error = error;
		failure_prefix(why, "%s", strerror(error));
		return -1;
	}
	mount = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV);
	if (mount < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot mount %s", wish->path);
	return take_fd(&mount);
}

int image_open(int container, const char *name, const struct image_wish *wish, struct failure *why)
{
	_cleanup_close_ int image = open_file(container, wish, why);
	struct loop loop = {.fd = -1};
	int mount = -1;

	if (image >= 0 && find_or_lock(image, wish, &loop, why) &&
	    make_ready(image, wish, loop.fd >= 0, why) &&
	    (loop.fd >= 0 || loop_attach(image, &loop, why)))
		mount = mount_device(&loop, wish, why);
	cleanup_close(&loop.fd);
	if (mount < 0 && image >= 0)
		failure_prefix(why, "the data of container '%s'", name);
	return mount;
}

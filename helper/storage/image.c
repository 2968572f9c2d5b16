/* helper/storage/image.c - the data of a container in an ext4 image of the size of its quota. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "helper/storage/ext4.h"
#include "helper/storage/ext4_tools.h"
#include "helper/storage/kinds.h"
#include "helper/storage/loop.h"
#include "helper/storage/spare.h"

#define ENTRY "layer.ext4"

/* What a login waits for mkfs, e2fsck or resize2fs: less than PAM modules wait for the helper. */
#define LOGIN_PATIENCE_S 20

/* linux/ext4.h is not for users. */
#ifndef EXT4_IOC_RESIZE_FS
#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)
#endif

/* Less than this on the host's file system is as good as nothing. */
#define HOST_FULL_BYTES (UINT64_C(4) << 20)

/* The kernel lets go of a loop device a moment after the last process of a container. */
#define LOCK_PATIENCE_MS 3000
#define LOCK_NAP_MS      20

/* One image, and the device under it while it is mounted. */
struct image {
	const struct storage_place *place;
	const struct storage_wish *wish;
	char path[4096]; /* for messages */
	int fd;
	struct loop loop;
};

static unsigned patience(const struct storage_place *place)
{
	return place->is_patient ? 0 : LOGIN_PATIENCE_S;
}

static bool host_is_full(int fd)
{
	struct statvfs space;

	return fstatvfs(fd, &space) == 0 &&
	       (uint64_t)space.f_bavail * space.f_frsize < HOST_FULL_BYTES;
}

/* Puts the true cause before what a program said of it. Always false. */
static bool blame_host(int fd, struct failure *why)
{
	if (host_is_full(fd))
		failure_prefix(why, "the file system of state_dir is full, make room there");
	return false;
}

static bool fill_new(int fd, const char *path, const struct storage_place *place,
		     const struct storage_wish *wish, struct failure *why)
{
	uint64_t inodes = wish->inodes ? ext4_inodes_for(wish->disk, wish->inodes) : 0;

	if (ftruncate(fd, (off_t)wish->disk) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make %s", path);
	return (ext4_make(fd, path, ext4_blocks_for(wish->disk), inodes, patience(place), why) &&
		(fsync(fd) == 0 || fail(why, FAILURE_SYSTEM, errno, "cannot write %s", path))) ||
	       blame_host(fd, why);
}

static bool make(const struct storage_place *place, const char *entry,
		 const struct storage_wish *wish, struct failure *why)
{
	_cleanup_close_ int fd =
	    openat(place->folder, entry, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", place->path, entry);
	if (fd < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make %s", path);
	if (fill_new(fd, path, place, wish, why))
		return true;
	(void)unlinkat(place->folder, entry, 0);
	return false;
}

static bool open_file(struct image *image, const char *entry, struct failure *why)
{
	struct stat status;

	(void)snprintf(image->path, sizeof(image->path), "%s/%s", image->place->path, entry);
	image->fd =
	    openat(image->place->folder, entry, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (image->fd < 0)
		return fail(why, errno == ENOENT ? FAILURE_MISSING : FAILURE_DATA, errno,
			    "cannot open %s", image->path);
	if (fstat(image->fd, &status) < 0 || !S_ISREG(status.st_mode))
		return fail(why, FAILURE_DATA, 0, "%s is not a file", image->path);
	return true;
}

static bool try_lock(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

/*
 * Two mounts of one file through two devices destroy it. So either it is attached already, when a
 * login outlived its container for a moment: then that device is mounted once more, which for the
 * kernel is the same file system. Or it is locked here, before it is looked at; the lock belongs to
 * the open file description, which the loop device keeps until the last mount is gone.
 */
static bool find_or_lock(struct image *image, struct failure *why)
{
	const struct timespec nap = {.tv_nsec = LOCK_NAP_MS * 1000000L};

	for (unsigned waited = 0;; waited += LOCK_NAP_MS) {
		if (!loop_find(image->fd, ENTRY, &image->loop, why))
			return false;
		if (image->loop.fd >= 0 || try_lock(image->fd))
			return true;
		if (errno != EAGAIN && errno != EACCES)
			return fail(why, FAILURE_SYSTEM, errno, "cannot lock %s", image->path);
		if (waited >= LOCK_PATIENCE_MS)
			return fail(why, FAILURE_BUSY, 0,
				    "%s is locked by another program or machine: mounted twice it "
				    "would be destroyed",
				    image->path);
		(void)nanosleep(&nap, NULL);
	}
}

static bool read_facts(const struct image *image, struct ext4_facts *facts, struct failure *why)
{
	unsigned char superblock[EXT4_SUPERBLOCK_BYTES];
	ssize_t length = pread(image->fd, superblock, sizeof(superblock), EXT4_SUPERBLOCK_AT);

	if (length < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read %s", image->path);
	if (length != (ssize_t)sizeof(superblock) || !ext4_read(superblock, facts))
		return ext4_damaged(image->path, "it holds no ext4 file system", why);
	return facts->block_bytes == EXT4_BLOCK_BYTES ||
	       ext4_damaged(image->path, "it was not made by Carrel", why);
}

/* Is the policy's quota one that this image can be given? Nothing has been changed yet. */
static bool vet_size(const struct image *image, const struct stat *status,
		     const struct ext4_facts *facts, struct failure *why)
{
	const struct storage_wish *wish = image->wish;
	uint64_t size = (uint64_t)status->st_size, inodes = facts->inodes;
	char have[32], asked[32];

	policy_limit_format(LIMIT_DISK, size, have, sizeof(have));
	policy_limit_format(LIMIT_DISK, wish->disk, asked, sizeof(asked));
	if (size > wish->disk)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "%s has a size of %s and cannot shrink to disk = %s: set disk to at "
			    "least %s, or remove the container",
			    image->path, have, asked, have);
	if (ext4_blocks_for(wish->disk) > facts->blocks)
		inodes = ext4_inodes_grown(facts, wish->disk);
	if (wish->inodes && !ext4_inodes_hold(inodes, wish->inodes))
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "%s has %llu inodes with disk = %s, which cannot be cut to inodes = "
			    "%llu: set inodes to at least that, or remove the container",
			    image->path, (unsigned long long)inodes, asked,
			    (unsigned long long)wish->inodes);
	return true;
}

/* One that was cut short is done again: the file has its size then, the file system not yet. */
static bool grow_file(const struct image *image, struct failure *why)
{
	struct stat status;

	if (fstat(image->fd, &status) < 0 || ((uint64_t)status.st_size < image->wish->disk &&
					      ftruncate(image->fd, (off_t)image->wish->disk) < 0))
		return fail(why, FAILURE_SYSTEM, errno, "cannot grow %s", image->path);
	return true;
}

static bool grow_unmounted(const struct image *image, struct failure *why)
{
	unsigned limit = patience(image->place);

	return (ext4_check(image->fd, image->path, true, limit, why) && grow_file(image, why) &&
		ext4_grow(image->fd, image->path, ext4_blocks_for(image->wish->disk), limit,
			  why)) ||
	       blame_host(image->fd, why);
}

/*
 * ext4_resize_begin() asks for CAP_SYS_RESOURCE, which not every machine leaves to its root: asked
 * first for the size that it has, so that the file is not made larger in vain.
 */
static bool grow_mounted(const struct image *image, int mount, struct failure *why)
{
	_cleanup_close_ int folder = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t blocks = ext4_blocks_for(image->wish->disk);
	struct ext4_facts facts;

	if (!read_facts(image, &facts, why))
		return false;
	if (folder >= 0 && ioctl(folder, EXT4_IOC_RESIZE_FS, &facts.blocks) == 0) {
		if (!grow_file(image, why))
			return false;
		if (loop_resize(&image->loop) && ioctl(folder, EXT4_IOC_RESIZE_FS, &blocks) == 0)
			return true;
	}
	return fail(why, FAILURE_SYSTEM, errno,
		    "%s cannot grow while it is in use%s: it does at the container's next start "
		    "('carrel stop %s')",
		    image->path, errno == EPERM ? ", for which CAP_SYS_RESOURCE is missing" : "",
		    image->place->name);
}

/*
 * A journal that is not empty is the mount's to replay; errors are e2fsck's to repair. What is
 * mounted already is not repaired, and not grown here; *grows says whether it should.
 */
static bool make_ready(const struct image *image, bool *grows, struct failure *why)
{
	const struct storage_wish *wish = image->wish;
	struct ext4_facts facts;
	struct stat status;

	*grows = false;
	if (!read_facts(image, &facts, why))
		return false;
	if (fstat(image->fd, &status) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot look at %s", image->path);
	if (wish->disk && !vet_size(image, &status, &facts, why))
		return false;
	*grows = wish->disk && facts.blocks < ext4_blocks_for(wish->disk);
	if (image->loop.fd >= 0)
		return true;
	if (*grows)
		return grow_unmounted(image, why);
	return !facts.needs_check ||
	       ext4_check(image->fd, image->path, false, patience(image->place), why);
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

static int mount_device(const struct image *image, struct failure *why)
{
	_cleanup_close_ int context = fsopen("ext4", FSOPEN_CLOEXEC);
	_cleanup_close_ int mount = -1;

	if (context < 0 || !set_options(context, image->loop.device))
		return fail_fd(why, FAILURE_UNSUPPORTED, errno,
			       "cannot mount %s: the kernel's ext4 does not take it", image->path);
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		int error = errno;

		(void)ext4_damaged(image->path, "it cannot be mounted", why);
		why->error = error;
		failure_prefix(why, "%s", strerror(error));
		return -1;
	}
	mount = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV);
	if (mount < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot mount %s", image->path);
	return take_fd(&mount);
}

static void image_close(struct image *image)
{
	cleanup_close(&image->loop.fd);
	cleanup_close(&image->fd);
}

/* With *grows: it was mounted by somebody else, and is smaller than what is asked for. */
static int mount_image(struct image *image, const char *entry, bool *grows, struct failure *why)
{
	if (!open_file(image, entry, why) || !find_or_lock(image, why) ||
	    !make_ready(image, grows, why) ||
	    (image->loop.fd < 0 && !loop_attach(image->fd, &image->loop, why)))
		return -1;
	return mount_device(image, why);
}

/* The file system has no room but its own, of which some was kept back. */
static void lend(const struct storage_place *place, int mount)
{
	if (!place->lent)
		return;
	*place->lent = spare_is_needed(mount);
	if (*place->lent)
		spare_give(mount);
	else
		spare_keep(mount);
}

static int open_image(const struct storage_place *place, const char *entry,
		      const struct storage_wish *wish, struct failure *why)
{
	struct image image = {.place = place, .wish = wish, .fd = -1, .loop = {.fd = -1}};
	bool grows;
	int mount = mount_image(&image, entry, &grows, why);

	if (mount < 0)
		failure_prefix(why, "the data of container '%s'", place->name);
	else
		lend(place, mount);
	image_close(&image);
	return mount;
}

static bool apply(const struct storage_place *place, const struct storage_wish *wish,
		  struct failure *why)
{
	struct image image = {.place = place, .wish = wish, .fd = -1, .loop = {.fd = -1}};
	bool grows = false, was_mounted;
	_cleanup_close_ int mount = mount_image(&image, ENTRY, &grows, why);
	bool applied;

	was_mounted = image.loop.fd >= 0;
	applied = mount >= 0 && (!was_mounted || !grows || grow_mounted(&image, mount, why));
	if (!applied)
		failure_prefix(why, "the data of container '%s'", place->name);
	image_close(&image);
	return applied;
}

static int look(const struct storage_place *place, const char *entry, struct failure *why)
{
	const struct storage_wish as_it_is = {0};
	_cleanup_close_ int mount = open_image(place, entry, &as_it_is, why);
	int layer = mount < 0 ? -1 : openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (mount >= 0 && layer < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open the data of '%s'",
			       place->name);
	return layer;
}

/* It is mounted, and no id of the inside is mapped to ours there: looked at anew, it is. */
static void take_back(const struct storage_place *place, const struct storage_wish *wish)
{
	struct failure ignored;
	_cleanup_close_ int layer = look(place, ENTRY, &ignored);

	(void)wish;
	if (layer >= 0)
		spare_keep(layer);
}

static bool remove_image(const struct storage_place *place, const char *entry, struct failure *why)
{
	return unlinkat(place->folder, entry, 0) == 0 || errno == ENOENT ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot remove %s/%s", place->path, entry);
}

static bool vet_wish(const struct policy *policy, const struct storage_wish *wish,
		     struct failure *why)
{
	if (!wish->disk && wish->inodes)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "policy '%s' asks for inodes without disk: without project quotas only "
			    "a disk of its own has inodes of its own; set disk too",
			    policy->name);
	if (wish->inodes && !ext4_inodes_for(wish->disk, wish->inodes))
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "policy '%s' asks for inodes = %llu, too few for its disk: %llu is the "
			    "least",
			    policy->name, (unsigned long long)wish->inodes,
			    (unsigned long long)ext4_inodes_least(wish->disk));
	return true;
}

/* What an image needs of the machine, each with what to do where it is missing. */
static bool can_hold(int state, const struct config *config, const struct policy *policy,
		     const struct storage_wish *wish, struct failure *why)
{
	(void)state;
	(void)config;
	if (!vet_wish(policy, wish, why))
		return false;
	if (!ext4_tools_exist())
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "policy '%s' asks for disk, which needs mkfs.ext4, e2fsck and "
			    "resize2fs in /sbin: install e2fsprogs",
			    policy->name);
	if (!loop_exists())
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "policy '%s' asks for disk, which needs loop devices: there is no "
			    "/dev/loop-control (modprobe loop)",
			    policy->name);
	return true;
}

/* Of the host's point of view: what the file takes, and may take. */
static bool facts(const struct storage_place *place, struct storage_facts *facts,
		  struct failure *why)
{
	struct stat status;

	if (fstatat(place->folder, ENTRY, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot look at %s/" ENTRY, place->path);
	*facts = (struct storage_facts){.disk_bytes = (uint64_t)status.st_blocks * 512,
					.disk_limit_bytes = (uint64_t)status.st_size,
					.inodes = UINT64_MAX,
					.inode_limit = UINT64_MAX};
	return true;
}

const struct storage_ops storage_image = {
    .kind = STORAGE_IMAGE,
    .entry = ENTRY,
    .can_hold = can_hold,
    .make = make,
    .open = open_image,
    .take_back = take_back,
    .apply = apply,
    .look = look,
    .remove = remove_image,
    .facts = facts,
};

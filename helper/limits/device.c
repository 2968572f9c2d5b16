/* helper/limits/device.c - from a descriptor to the MAJOR:MINOR that the kernel throttles. */
#include "helper/limits/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "helper/limits/control_file.h"
#include "helper/limits/mountinfo.h"

#define MOUNTINFO_LIMIT (16U << 20)

void device_mount_source(char *mountinfo, unsigned long id, const char **source, const char **type)
{
	struct mount_line line;

	*source = NULL;
	*type = NULL;
	while (mountinfo_next(&mountinfo, &line))
		if (line.id == id) {
			*source = line.source;
			*type = line.type;
			return;
		}
}

/* A rate on one of several disks would not be the file system's. */
static bool has_one_disk(int fd, struct failure *why)
{
	struct btrfs_ioctl_fs_info_args info = {0};
	char self[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	_cleanup_close_ int readable = -1;

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	readable = open(self, O_RDONLY | O_CLOEXEC);
	if (readable < 0 || ioctl(readable, BTRFS_IOC_FS_INFO, &info) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot ask btrfs for its disks");
	if (info.num_devices != 1)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "cannot hold a rate on a btrfs of %llu disks: the kernel limits each "
			    "disk alone; remove read_rate and write_rate or use one disk",
			    (unsigned long long)info.num_devices);
	return true;
}

/*
 * A file system without a disk of its own number. By the mount's id, not by st_dev: each btrfs
 * subvolume shows another number there than mountinfo does.
 */
static bool disk_by_mount(int fd, dev_t *disk, struct failure *why)
{
	_cleanup_free_ char *mountinfo = NULL;
	const char *source, *type;
	struct statfs fs = {0};
	struct statx facts;
	struct stat status;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &facts) < 0 || fstatfs(fd, &fs) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot look at the file system");
	mountinfo = file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_LIMIT, NULL, why);
	if (!mountinfo)
		return false;
	device_mount_source(mountinfo, (unsigned long)facts.stx_mnt_id, &source, &type);
	if (!source)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "cannot tell which disk a rate is for: the file system is not among "
			    "the mounts");
	if (source[0] != '/' || stat(source, &status) < 0 || !S_ISBLK(status.st_mode))
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "cannot hold a rate on %s ('%s'): it has no disk of this machine; "
			    "remove read_rate and write_rate or move state_dir to a local disk",
			    type, source);
	if (fs.f_type == BTRFS_SUPER_MAGIC && !has_one_disk(fd, why))
		return false;
	*disk = status.st_rdev;
	return true;
}

/* Throttling knows whole disks only: writing a partition's number is ENODEV or EINVAL. */
static bool whole_disk(dev_t disk, struct limit_device *device, struct failure *why)
{
	char path[64], text[32];

	*device = (struct limit_device){major(disk), minor(disk)};
	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", device->major,
		       device->minor);
	if (access(path, F_OK) < 0)
		return true;
	/* The link of a partition leads to a folder inside its disk's. */
	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev", device->major,
		       device->minor);
	if (!control_read(AT_FDCWD, path, text, sizeof(text)) ||
	    sscanf(text, "%u:%u", &device->major, &device->minor) != 2)
		return fail(why, FAILURE_SYSTEM, errno, "cannot find the disk of partition %u:%u",
			    major(disk), minor(disk));
	return true;
}

bool device_of_disk(int fd, struct limit_device *device, struct failure *why)
{
	struct stat status;
	dev_t disk;

	if (fd < 0)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "cannot hold a rate: the disk that it is for is not known");
	if (fstat(fd, &status) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot look at the file system");
	disk = status.st_dev;
	if (major(disk) == 0 && !disk_by_mount(fd, &disk, why))
		return false;
	return whole_disk(disk, device, why);
}

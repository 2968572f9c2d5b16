/* helper/storage/btrfs_calls.c - subvolumes and qgroups of btrfs, by descriptor. */
#include "helper/storage/btrfs_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/files.h"

#define QGROUPS      "/sys/fs/btrfs/%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x"
#define UNKNOWN      UINT64_MAX
#define NUMBER_BYTES 64

/* The folder of the file system's qgroups in sysfs, which is there while quotas are. -1: off */
static int open_qgroups(int fd)
{
	struct btrfs_ioctl_fs_info_args info = {0};
	const unsigned char *id = info.fsid;
	char path[96];
	int length;

	if (ioctl(fd, BTRFS_IOC_FS_INFO, &info) < 0)
		return -1;
	length =
	    snprintf(path, sizeof(path), QGROUPS, id[0], id[1], id[2], id[3], id[4], id[5], id[6],
		     id[7], id[8], id[9], id[10], id[11], id[12], id[13], id[14], id[15]);
	(void)snprintf(path + length, sizeof(path) - (size_t)length, "/qgroups");
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static uint64_t read_number(int dir, const char *name)
{
	struct failure ignored;
	_cleanup_free_ char *text = file_read_at(dir, name, NUMBER_BYTES, NULL, &ignored);
	char *end;
	uint64_t number;

	if (!text)
		return UNKNOWN;
	errno = 0;
	number = strtoull(text, &end, 10);
	return errno == 0 && end != text ? number : UNKNOWN;
}

enum btrfs_quota btrfs_quota_state(int fd)
{
	_cleanup_close_ int qgroups = -1;
	struct statfs system;

	if (fstatfs(fd, &system) < 0 || system.f_type != BTRFS_SUPER_MAGIC)
		return BTRFS_QUOTA_NONE;
	qgroups = open_qgroups(fd);
	if (qgroups < 0 || read_number(qgroups, "enabled") == 0)
		return BTRFS_QUOTA_OFF;
	/* Not there before Linux 6.1: as far as is known, it is right. */
	return read_number(qgroups, "inconsistent") == 1 ? BTRFS_QUOTA_INCONSISTENT
							 : BTRFS_QUOTA_ON;
}

void btrfs_quota_rescan(int fd)
{
	struct btrfs_ioctl_quota_rescan_args arguments = {0};

	(void)ioctl(fd, BTRFS_IOC_QUOTA_RESCAN, &arguments);
}

static bool set_name(struct btrfs_ioctl_vol_args_v2 *arguments, const char *entry)
{
	if ((size_t)snprintf(arguments->name, sizeof(arguments->name), "%s", entry) <
	    sizeof(arguments->name))
		return true;
	errno = ENAMETOOLONG;
	return false;
}

bool btrfs_subvolume_make(int folder, const char *entry)
{
	struct btrfs_ioctl_vol_args_v2 arguments = {0};

	return set_name(&arguments, entry) &&
	       ioctl(folder, BTRFS_IOC_SUBVOL_CREATE_V2, &arguments) == 0;
}

bool btrfs_subvolume_copy(int subvolume, int folder, const char *entry)
{
	struct btrfs_ioctl_vol_args_v2 arguments = {.fd = subvolume};

	return set_name(&arguments, entry) &&
	       ioctl(folder, BTRFS_IOC_SNAP_CREATE_V2, &arguments) == 0;
}

bool btrfs_subvolume_remove(int folder, const char *entry)
{
	struct btrfs_ioctl_vol_args_v2 arguments = {0};

	return set_name(&arguments, entry) &&
	       ioctl(folder, BTRFS_IOC_SNAP_DESTROY_V2, &arguments) == 0;
}

bool btrfs_is_subvolume(int fd)
{
	struct statfs system;
	struct stat status;

	return fstatfs(fd, &system) == 0 && system.f_type == BTRFS_SUPER_MAGIC &&
	       fstat(fd, &status) == 0 && status.st_ino == BTRFS_FIRST_FREE_OBJECTID;
}

bool btrfs_limit_set(int subvolume, uint64_t bytes)
{
	/* Id 0: the subvolume's own. All ones take a limit away (btrfs_limit_qgroup()). */
	struct btrfs_ioctl_qgroup_limit_args arguments = {
	    .lim = {.flags = BTRFS_QGROUP_LIMIT_MAX_RFER, .max_rfer = bytes ? bytes : UINT64_MAX}};

	return ioctl(subvolume, BTRFS_IOC_QGROUP_LIMIT, &arguments) == 0;
}

bool btrfs_limit_get(int subvolume, uint64_t *used, uint64_t *limit)
{
	/* With tree id 0 the kernel fills in the one that the descriptor is of. */
	struct btrfs_ioctl_ino_lookup_args lookup = {.objectid = BTRFS_FIRST_FREE_OBJECTID};
	_cleanup_close_ int qgroups = open_qgroups(subvolume);
	_cleanup_close_ int own = -1;
	char name[32];

	if (qgroups < 0 || ioctl(subvolume, BTRFS_IOC_INO_LOOKUP, &lookup) < 0)
		return false;
	(void)snprintf(name, sizeof(name), "0_%llu", (unsigned long long)lookup.treeid);
	own = openat(qgroups, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (own < 0)
		return false;
	*used = read_number(own, "referenced");
	*limit = (read_number(own, "limit_flags") & BTRFS_QGROUP_LIMIT_MAX_RFER)
		     ? read_number(own, "max_referenced")
		     : UNKNOWN;
	if (*limit == 0)
		*limit = UNKNOWN;
	return *used != UNKNOWN;
}

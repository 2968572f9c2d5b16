/* helper/admin/doctor_storage.c - is state_dir a place where containers can be kept? */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "helper/admin/doctor.h"
#include "helper/admin/table.h"

#define SPACE_LOW  (UINT64_C(1) << 30)
#define SPACE_NONE (UINT64_C(64) << 20)
#define INODES_LOW 100000
#define CIFS_SUPER 0xff534d42
#define FUSE_SUPER 0x65735546
#define NOT_FOR_LAYERS                                                                             \
	"it cannot hold the containers' layers; set state_dir to a local ext4, xfs or btrfs"

#define IMAGES_ONLY                                                                                \
	"only policies with 'disk' work there, since their data are in an image; it cannot hold "  \
	"folders, images of systems, nor take a state back: a local ext4, xfs or btrfs can"

static const struct {
	unsigned long magic;
	enum grade grade;
	const char *name, *what;
} unsuitable[] = {
    {NFS_SUPER_MAGIC, GRADE_WARNING, "NFS", IMAGES_ONLY},
    {CIFS_SUPER, GRADE_WARNING, "CIFS", IMAGES_ONLY},
    {SMB2_SUPER_MAGIC, GRADE_WARNING, "SMB", IMAGES_ONLY},
    {FUSE_SUPER, GRADE_WARNING, "FUSE", IMAGES_ONLY},
    {OVERLAYFS_SUPER_MAGIC, GRADE_PROBLEM, "overlayfs", NOT_FOR_LAYERS},
    {TMPFS_MAGIC, GRADE_WARNING, "tmpfs", "everything in the containers is gone at reboot"},
    {RAMFS_MAGIC, GRADE_PROBLEM, "ramfs", NOT_FOR_LAYERS},
};

static void check_kind(int dir, const char *path, struct report *report)
{
	struct statfs system;

	if (fstatfs(dir, &system) < 0)
		return;
	for (size_t i = 0; i < ARRAY_LENGTH(unsuitable); i++) {
		if ((unsigned long)system.f_type != unsuitable[i].magic)
			continue;
		report_add(report, unsuitable[i].grade, "state_dir", "%s is on %s: %s", path,
			   unsuitable[i].name, unsuitable[i].what);
		return;
	}
	report_add(report, GRADE_OK, "state_dir", "%s is on a local file system", path);
}

static void check_flags(const struct statvfs *space, const char *path, struct report *report)
{
	if (space->f_flag & ST_RDONLY)
		report_add(report, GRADE_PROBLEM, "state_dir",
			   "%s is mounted read-only; mount it rw", path);
	if (space->f_flag & ST_NOEXEC)
		report_add(report, GRADE_PROBLEM, "state_dir",
			   "%s is mounted noexec: nothing in a container could run; mount it exec",
			   path);
}

static void check_space(const struct statvfs *space, const char *path, struct report *report)
{
	uint64_t bytes = (uint64_t)space->f_bavail * space->f_frsize;
	enum grade grade = bytes < SPACE_NONE  ? GRADE_PROBLEM
			   : bytes < SPACE_LOW ? GRADE_WARNING
					       : GRADE_OK;
	char human[16];

	format_bytes(bytes, human);
	report_add(report, grade, "space", "%s has %s free%s", path, human,
		   grade == GRADE_OK ? "" : "; make room, or containers cannot be written to");
	if (space->f_files && space->f_favail < INODES_LOW)
		report_add(report, GRADE_WARNING, "space", "%s has only %llu inodes left", path,
			   (unsigned long long)space->f_favail);
}

bool doctor_state_place(const struct config *config, char *path, size_t size)
{
	char *slash;

	(void)snprintf(path, size, "%s", config->state_dir);
	if (access(path, F_OK) == 0 || errno != ENOENT)
		return true;
	slash = strrchr(path, '/');
	if (!slash)
		return false;
	slash[slash == path] = '\0'; /* the parent of "/x" is "/" */
	return access(path, F_OK) == 0;
}

void doctor_storage(const struct config *config, struct report *report)
{
	char path[4096];
	_cleanup_close_ int dir = -1;
	struct statvfs space;
	struct stat status;

	if (!config)
		return; /* carrel.conf is broken: doctor_policies has said so */
	if (!doctor_state_place(config, path, sizeof(path))) {
		report_add(report, GRADE_PROBLEM, "state_dir",
			   "%s cannot be made: the directory above it is missing; is something not "
			   "mounted?",
			   config->state_dir);
		return;
	}
	dir = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &status) < 0 || fstatvfs(dir, &space) < 0) {
		report_add(report, GRADE_PROBLEM, "state_dir", "cannot open %s: %s", path,
			   strerror(errno));
		return;
	}
	if (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)))
		report_add(report, GRADE_PROBLEM, "state_dir",
			   "%s must be root's and not writable by group or others", path);
	check_kind(dir, path, report);
	check_flags(&space, path, report);
	check_space(&space, path, report);
}

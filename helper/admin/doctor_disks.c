/* helper/admin/doctor_disks.c - what can hold a container to its disk, and is it too much? */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/doctor.h"
#include "helper/admin/table.h"
#include "helper/registry/registry.h"
#include "helper/storage/btrfs_calls.h"
#include "helper/storage/ext4_tools.h"
#include "helper/storage/kinds.h"
#include "helper/storage/loop.h"
#include "helper/storage/project_quota.h"

#define TOPIC "disk quotas"

static bool has_images(struct report *report)
{
	if (!ext4_tools_exist())
		report_add(report, GRADE_WARNING, TOPIC,
			   "disk and inodes cannot be held: install e2fsprogs");
	else if (!loop_exists())
		report_add(report, GRADE_WARNING, TOPIC,
			   "disk and inodes cannot be held: there is no /dev/loop-control "
			   "(modprobe loop)");
	else
		return true;
	return false;
}

static void check_btrfs(int state, struct report *report)
{
	switch (btrfs_quota_state(state)) {
	case BTRFS_QUOTA_NONE:
		report_add(report, GRADE_WARNING, TOPIC,
			   "storage = btrfs needs state_dir on btrfs, and it is not");
		break;
	case BTRFS_QUOTA_OFF:
		report_add(report, GRADE_WARNING, TOPIC,
			   "storage = btrfs needs quotas: btrfs quota enable");
		break;
	case BTRFS_QUOTA_INCONSISTENT:
		report_add(report, GRADE_WARNING, TOPIC,
			   "the counts of btrfs are inconsistent, and containers are refused until "
			   "'btrfs quota rescan' is done");
		break;
	case BTRFS_QUOTA_ON:
		report_add(report, GRADE_OK, TOPIC,
			   "disk can be held by btrfs; df inside shows the whole file system");
		break;
	}
}

/* Only where a policy asks for disk is a lack a problem, and doctor_policies tells that. */
static void check_kind(int state, const struct config *config, struct report *report)
{
	bool by_project = config->storage == STORAGE_PROJECT || config->storage == STORAGE_AUTO;
	struct failure why;

	if (config->storage == STORAGE_PLAIN) {
		report_add(report, GRADE_OK, TOPIC, "storage = plain holds no disk and no inodes");
	} else if (by_project && project_quota_in_force(state, &why)) {
		report_add(report, GRADE_OK, TOPIC,
			   "disk and inodes can be held by project quotas");
	} else if (config->storage == STORAGE_PROJECT) {
		report_failure(report, GRADE_WARNING, TOPIC, &why);
	} else if (config->storage == STORAGE_BTRFS) {
		check_btrfs(state, report);
	} else if (has_images(report)) {
		report_add(report, GRADE_OK, TOPIC, "disk and inodes can be held by images");
	}
}

/* Adds what its disk may become. */
static void add_promise(int containers, const char *name, uint64_t *promised)
{
	_cleanup_close_ int folder = dir_open_at(containers, name, true);
	const struct storage_place place = {.folder = folder, .path = name, .name = name};
	const struct storage_ops *kind;
	struct stored_record record;
	struct storage_facts facts;
	struct failure ignored;

	if (folder < 0 || !stored_read_at(folder, name, &record, &ignored))
		return;
	kind = storage_kind_named(record.storage);
	if (!kind || !kind->facts || !kind->facts(&place, &facts, &ignored) ||
	    facts.disk_limit_bytes == UINT64_MAX)
		return;
	*promised += facts.disk_limit_bytes;
}

/* Nothing is wrong with it until the disk is full; then it is wrong for all at once. */
static void check_promises(int state, struct report *report)
{
	int containers = dir_open_at(state, "containers", false);
	_cleanup_closedir_ DIR *stream = containers < 0 ? NULL : fdopendir(containers);
	uint64_t bytes = 0, size;
	const struct dirent *entry;
	struct statvfs space;
	char promised[16], has[16];

	while (stream && (entry = readdir(stream)))
		if (name_is_valid(entry->d_name))
			add_promise(containers, entry->d_name, &bytes);
	if (bytes == 0 || fstatvfs(state, &space) < 0)
		return;
	size = (uint64_t)space.f_blocks * space.f_frsize;
	format_bytes(bytes, promised);
	format_bytes(size, has);
	if (bytes > size)
		report_add(
		    report, GRADE_WARNING, TOPIC,
		    "%s of disk are promised to containers, and state_dir has %s: when it is "
		    "full, all get errors; watch its space",
		    promised, has);
	else
		report_add(report, GRADE_OK, TOPIC,
			   "%s of disk are promised to containers, of %s that state_dir has",
			   promised, has);
}

void doctor_disks(const struct config *config, struct report *report)
{
	char path[4096];
	_cleanup_close_ int state = -1;

	if (!config || !doctor_state_place(config, path, sizeof(path)))
		return; /* doctor_storage has said so */
	state = dir_open_at(AT_FDCWD, path, false);
	if (state < 0)
		return;
	check_kind(state, config, report);
	check_promises(state, report);
}

/* helper/admin/image_erofs.c - turn a finished image into one compressed, read-only file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/image_build.h"
#include "helper/admin/image_tool.h"
#include "helper/images/versions.h"

#define MKFS         "/usr/bin/mkfs.erofs"
#define MKFS_PACKAGE "erofs-utils"
#define FILE_WORD    "Processing "

struct counting {
	struct image_build *build;
	uint64_t done;
};

static bool take_line(void *context, const char *line, struct failure *why)
{
	struct counting *counting = context;
	const struct tree_copy *counts = &counting->build->counts;
	const char *name = strstr(line, FILE_WORD);

	if (!name)
		return true;
	return progress_tell(&counting->build->progress, ++counting->done,
			     counts->files + counts->directories + counts->links,
			     name + strlen(FILE_WORD), why);
}

bool image_erofs_check(struct failure *why)
{
	const struct tool tool = {.path = MKFS, .package = MKFS_PACKAGE};

	return tool_check(&tool, why);
}

bool image_erofs_make(struct image_build *build, struct failure *why)
{
	struct counting counting = {.build = build};
	char file[IMAGE_PATH_SIZE], directory[IMAGE_PATH_SIZE];
	/* Clusters of 64 KiB: a third smaller than single pages, and Linux 5.13 reads them. */
	char *const arguments[] = {
	    (char[]){"mkfs.erofs"},
	    (char[]){"-zlz4hc"},
	    (char[]){"-C65536"},
	    (char[]){"--preserve-mtime"},
	    file,
	    directory,
	    NULL,
	};
	const struct tool tool = {.path = MKFS,
				  .package = MKFS_PACKAGE,
				  .arguments = arguments,
				  .input = -1,
				  .line = take_line,
				  .context = &counting};
	struct stat status;

	image_build_path(build, IMAGE_EROFS, file);
	image_build_path(build, IMAGE_ROOTFS, directory);
	progress_step(&build->progress, "compress the files");
	if (!tool_run(&tool, build->place, &build->progress, why))
		return false;
	if (fstatat(build->version, IMAGE_EROFS, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(build->version, IMAGE_EROFS, 0400, 0) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot stat " IMAGE_EROFS);
	build->bytes = (uint64_t)status.st_size;
	return tree_remove_at(build->version, IMAGE_ROOTFS, why);
}

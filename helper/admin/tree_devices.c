/* helper/admin/tree_devices.c - take the device nodes out of a tree that tar has made. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "helper/admin/admin.h"
#include "helper/storage/tree_copy.h"

#define DEPTH_MAX 200

static bool remove_below(int dir, unsigned depth, struct tree_copy *counts, struct failure *why);

static bool look_at(int dir, const char *name, unsigned depth, struct tree_copy *counts,
		    struct failure *why)
{
	_cleanup_close_ int below = -1;
	struct stat status;

	if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot stat %s", name);
	if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
		(void)complain("left out: %s: a device node; containers get their own /dev", name);
		counts->left_out++;
		return unlinkat(dir, name, 0) == 0 ||
		       fail(why, FAILURE_SYSTEM, errno, "cannot remove %s", name);
	}
	if (!S_ISDIR(status.st_mode)) {
		counts->files++;
		return true;
	}
	counts->directories++;
	if (depth == DEPTH_MAX)
		return fail(why, FAILURE_DATA, 0, "%s is nested too deeply", name);
	below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (below < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open %s", name);
	return remove_below(below, depth + 1, counts, why);
}

static bool remove_below(int dir, unsigned depth, struct tree_copy *counts, struct failure *why)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	if (!stream)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read a directory");
	while (errno = 0, entry = readdir(stream)) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!look_at(dir, entry->d_name, depth, counts, why))
			return false;
	}
	return errno == 0 || fail(why, FAILURE_SYSTEM, errno, "cannot read a directory");
}

bool tree_remove_devices(int dir, struct tree_copy *counts, struct failure *why)
{
	return remove_below(dir, 0, counts, why);
}

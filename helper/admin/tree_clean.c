/* helper/admin/tree_clean.c - take out of an unpacked tree what does not belong into an image. */
#include "helper/admin/tree_clean.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/storage/file_copy.h"

#define DEPTH_MAX 200

static bool remove_device(int dir, const char *name, struct tree_copy *counts, struct failure *why)
{
	counts->left_out++;
	counts->tell(counts->context, name, "a device node; containers get their own /dev");
	return unlinkat(dir, name, 0) == 0 ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot remove %s", name);
}

static bool strip_attributes(int file, const char *name, struct failure *why)
{
	char names[8192];
	ssize_t length = flistxattr(file, names, sizeof(names));

	if (length < 0)
		return errno == ENOTSUP ||
		       fail(why, FAILURE_SYSTEM, errno, "cannot list the attributes of %s", name);
	for (char *at = names; at < names + length; at += strlen(at) + 1)
		if (file_attribute_stays(at, false) && fremovexattr(file, at) < 0 &&
		    errno != ENODATA)
			return fail(why, FAILURE_SYSTEM, errno, "cannot take %s off %s", at, name);
	return true;
}

static bool clean_below(int dir, unsigned depth, struct tree_copy *counts, struct failure *why);

static bool clean_file(int file, const char *name, const struct stat *status,
		       struct tree_copy *counts, struct failure *why)
{
	counts->files++;
	counts->bytes += (uint64_t)status->st_size;
	return strip_attributes(file, name, why);
}

static bool clean_entry(int dir, const char *name, unsigned depth, struct tree_copy *counts,
			struct failure *why)
{
	_cleanup_close_ int entry = -1;
	struct stat status;

	if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot stat %s", name);
	if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))
		return remove_device(dir, name, counts, why);
	counts->unmapped += status.st_uid > TREE_ID_MAX || status.st_gid > TREE_ID_MAX;
	if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
		counts->links++;
		return true;
	}
	if (depth == DEPTH_MAX)
		return fail(why, FAILURE_DATA, 0, "%s is nested too deeply", name);
	if (counts->tick && !counts->tick(counts->context, name, why))
		return false;
	entry = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (entry < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open %s", name);
	if (S_ISREG(status.st_mode))
		return clean_file(entry, name, &status, counts, why);
	counts->directories++;
	return strip_attributes(entry, name, why) && clean_below(entry, depth + 1, counts, why);
}

static bool clean_below(int dir, unsigned depth, struct tree_copy *counts, struct failure *why)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	if (!stream)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read a directory");
	while (errno = 0, entry = readdir(stream)) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!clean_entry(dir, entry->d_name, depth, counts, why))
			return false;
	}
	return errno == 0 || fail(why, FAILURE_SYSTEM, errno, "cannot read a directory");
}

bool tree_clean(int dir, struct tree_copy *counts, struct failure *why)
{
	return strip_attributes(dir, "its top", why) && clean_below(dir, 0, counts, why);
}

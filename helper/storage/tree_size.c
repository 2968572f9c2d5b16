/* helper/storage/tree_size.c - how large a tree is, as far as one wants to know. */
#include "helper/storage/tree_size.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

/* As deep as trees are copied. */
#define DEPTH_MAX 200

struct measure {
	const struct tree_size *enough;
	struct tree_size *size;
};

static bool has_enough(const struct measure *measure)
{
	return measure->enough && (measure->size->bytes > measure->enough->bytes ||
				   measure->size->entries > measure->enough->entries);
}

static bool add_below(const struct measure *measure, int dir, unsigned depth);

static bool add(const struct measure *measure, int dir, const char *name, unsigned depth)
{
	_cleanup_close_ int below = -1;
	struct stat status;

	if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	measure->size->entries++;
	measure->size->bytes += (uint64_t)status.st_blocks * 512 /
				(S_ISDIR(status.st_mode) ? 1 : (uint64_t)status.st_nlink);
	if (!S_ISDIR(status.st_mode) || depth == DEPTH_MAX)
		return true;
	below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return below >= 0 && add_below(measure, below, depth + 1);
}

static bool add_below(const struct measure *measure, int dir, unsigned depth)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	if (!stream)
		return false;
	while (!has_enough(measure) && (errno = 0, entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    !add(measure, dir, entry->d_name, depth))
			return false;
	return has_enough(measure) || errno == 0;
}

bool tree_size(int dir, const struct tree_size *enough, struct tree_size *size)
{
	const struct measure measure = {.enough = enough, .size = size};

	memset(size, 0, sizeof(*size));
	return add_below(&measure, dir, 0);
}

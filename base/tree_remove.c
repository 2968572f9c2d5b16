/* base/tree_remove.c - remove a directory tree that somebody hostile may have made. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"

/*
 * A tree can be nested far deeper than we have descriptors or stack. Directories below this depth
 * are moved up to the top of the tree, where the next pass finds them.
 */
#define MAX_DEPTH 48

struct removal {
	int top;        /* the directory that is being removed */
	unsigned moved; /* how many directories were moved up to it, ever */
	struct failure *why;
};

static bool empty_directory(struct removal *removal, int fd, unsigned depth);

/* RESOLVE_NO_XDEV also stops at a bind mount of the same file system, which st_dev does not show.
 */
static int open_inside(int parent, const char *name)
{
	const struct open_how how = {
	    .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
	    .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, parent, name, &how, sizeof(how));
}

static bool cannot_remove(struct removal *removal, const char *name)
{
	if (errno == EXDEV || errno == EBUSY)
		return fail(removal->why, FAILURE_BUSY, 0,
			    "cannot remove '%s': something is mounted there", name);
	return fail(removal->why, errno == ENOENT ? FAILURE_MISSING : FAILURE_SYSTEM, errno,
		    "cannot remove '%s'", name);
}

static bool move_to_top(struct removal *removal, int parent, const char *name)
{
	char aside[sizeof(".removed-") + 3 * sizeof(unsigned)];
	int result;

	do {
		(void)snprintf(aside, sizeof(aside), ".removed-%u", removal->moved++);
		result = renameat2(parent, name, removal->top, aside, RENAME_NOREPLACE);
	} while (result < 0 && errno == EEXIST);
	if (result < 0)
		return fail(removal->why, FAILURE_SYSTEM, errno,
			    "cannot move the deeply nested '%s' up to remove it", name);
	return true;
}

static bool remove_directory(struct removal *removal, int parent, const char *name, unsigned depth)
{
	int fd;

	if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
		return true;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return cannot_remove(removal, name);
	if (depth > MAX_DEPTH)
		return move_to_top(removal, parent, name);

	fd = open_inside(parent, name);
	if (fd < 0)
		return cannot_remove(removal, name);
	if (!empty_directory(removal, fd, depth))
		return false;
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0)
		return cannot_remove(removal, name);
	return true;
}

static bool remove_entry(struct removal *removal, int parent, const struct dirent *entry,
			 unsigned depth)
{
	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return true;
	if (entry->d_type != DT_DIR) {
		if (unlinkat(parent, entry->d_name, 0) == 0)
			return true;
		if (errno != EISDIR) /* d_type may be unknown, or out of date by now */
			return cannot_remove(removal, entry->d_name);
	}
	return remove_directory(removal, parent, entry->d_name, depth);
}

/* Takes the descriptor. */
static bool empty_directory(struct removal *removal, int fd, unsigned depth)
{
	_cleanup_closedir_ DIR *stream = fdopendir(fd);
	const struct dirent *entry;

	if (!stream) {
		cleanup_close(&fd);
		return fail(removal->why, FAILURE_SYSTEM, errno, "cannot read a directory");
	}
	while (errno = 0, entry = readdir(stream))
		if (!remove_entry(removal, fd, entry, depth + 1))
			return false;
	if (errno != 0)
		return fail(removal->why, FAILURE_SYSTEM, errno, "cannot read a directory");
	return true;
}

bool tree_remove_at(int dir, const char *name, struct failure *why)
{
	_cleanup_close_ int top = -1;
	struct removal removal = {.why = why};
	unsigned moved;

	top = open_inside(dir, name);
	if (top < 0)
		return cannot_remove(&removal, name);
	removal.top = top;
	do {
		int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		moved = removal.moved;
		if (fd < 0)
			return cannot_remove(&removal, name);
		if (!empty_directory(&removal, fd, 0)) {
			failure_prefix(why, "%s", name);
			return false;
		}
	} while (removal.moved != moved);
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0)
		return cannot_remove(&removal, name);
	return true;
}

/* helper/storage/tree_copy.c - walk a tree by its descriptors and make the same one elsewhere. */
#include "helper/storage/tree_copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "helper/storage/file_copy.h"

/* Each level holds two descriptors and a page of stack. */
#define DEPTH_MAX 200

/* A file with several names, and the first of them below the copy's top. */
struct known_link {
	dev_t device;
	ino_t inode;
	char *path;
};

struct walk {
	int top;    /* of the copy */
	dev_t home; /* the file system that is copied */
	const struct stat *excluded;
	struct tree_copy *counts;
	struct known_link *known;
	size_t known_count, known_size;
	char path[PATH_MAX]; /* of the entry at hand, from the top */
	unsigned depth;
	struct failure *why;
};

static bool trouble(struct walk *walk, const char *what)
{
	return fail(walk->why, FAILURE_SYSTEM, errno, "cannot %s %s", what, walk->path);
}

static bool leave_out(struct walk *walk, const char *what)
{
	walk->counts->tell(walk->counts->context, walk->path, what);
	walk->counts->left_out++;
	return true;
}

/* The name under which this file was copied before; NULL when it was not. */
static const char *find_known(const struct walk *walk, const struct stat *status)
{
	for (size_t i = walk->known_count; i-- > 0;)
		if (walk->known[i].inode == status->st_ino &&
		    walk->known[i].device == status->st_dev)
			return walk->known[i].path;
	return NULL;
}

static bool remember(struct walk *walk, const struct stat *status)
{
	if (walk->known_count == walk->known_size) {
		size_t size = walk->known_size ? walk->known_size * 2 : 64;
		struct known_link *known = reallocarray(walk->known, size, sizeof(*known));

		if (!known)
			return trouble(walk, "remember the links of");
		walk->known = known;
		walk->known_size = size;
	}
	walk->known[walk->known_count] = (struct known_link){
	    .device = status->st_dev, .inode = status->st_ino, .path = strdup(walk->path)};
	if (!walk->known[walk->known_count].path)
		return trouble(walk, "remember the links of");
	walk->known_count++;
	return true;
}

static bool copy_regular(struct walk *walk, int from, const struct stat *status, int to,
			 const char *name)
{
	const char *known = status->st_nlink > 1 ? find_known(walk, status) : NULL;
	_cleanup_close_ int in = -1, out = -1;

	if (known) {
		walk->counts->links++;
		return linkat(walk->top, known, to, name, 0) == 0 || trouble(walk, "link");
	}
	/* Opened anew below the same parent, then compared: it may have been swapped meanwhile. */
	in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (in < 0 || !file_is_same(in, status))
		return trouble(walk, "read");
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0 || !file_copy_data(in, out, (uint64_t)status->st_size))
		return trouble(walk, "copy");
	if (!file_copy_attributes(in, out, status, walk->counts->is_layer))
		return trouble(walk, "copy the attributes of");
	walk->counts->files++;
	walk->counts->bytes += (uint64_t)status->st_size;
	return status->st_nlink < 2 || remember(walk, status);
}

static bool copy_symlink(struct walk *walk, int from, const struct stat *status, int to,
			 const char *name)
{
	const struct timespec times[2] = {status->st_atim, status->st_mtim};
	char target[PATH_MAX];
	ssize_t length = readlinkat(from, name, target, sizeof(target) - 1);

	if (length < 0)
		return trouble(walk, "read the link");
	target[length] = '\0';
	if (symlinkat(target, to, name) < 0 ||
	    fchownat(to, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return trouble(walk, "copy the link");
	walk->counts->links++;
	return true;
}

/* A pipe, a socket, or overlayfs's mark that a file of the image was removed. */
static bool copy_node(struct walk *walk, const struct stat *status, int to, const char *name)
{
	const struct timespec times[2] = {status->st_atim, status->st_mtim};

	if (mknodat(to, name, (status->st_mode & S_IFMT) | 0600, 0) < 0 ||
	    fchownat(to, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(to, name, status->st_mode & 07777, 0) < 0 ||
	    utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return trouble(walk, "copy the node");
	walk->counts->files++;
	return true;
}

static bool is_whiteout(const struct stat *status)
{
	return S_ISCHR(status->st_mode) && status->st_rdev == makedev(0, 0);
}

static bool copy_entries(struct walk *walk, int from, int to);

static bool copy_directory(struct walk *walk, int from, const struct stat *status, int to,
			   const char *name)
{
	_cleanup_close_ int in = -1, out = -1;

	if (status->st_dev != walk->home)
		return leave_out(walk, "another file system is mounted there");
	if (walk->excluded && status->st_dev == walk->excluded->st_dev &&
	    status->st_ino == walk->excluded->st_ino)
		return leave_out(walk, "Carrel keeps its own data there");
	if (++walk->depth > DEPTH_MAX)
		return fail(walk->why, FAILURE_DATA, 0, "%s is nested too deeply", walk->path);
	in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0 || !file_is_same(in, status))
		return trouble(walk, "open");
	if (mkdirat(to, name, 0700) < 0)
		return trouble(walk, "make");
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out < 0)
		return trouble(walk, "open the copy of");
	if (!copy_entries(walk, in, out))
		return false;
	/* After what is in it: entries that are made change the times of their directory. */
	if (!file_copy_attributes(in, out, status, walk->counts->is_layer))
		return trouble(walk, "copy the attributes of");
	walk->counts->directories++;
	walk->depth--;
	return true;
}

static bool is_late(const struct timespec *until)
{
	struct timespec now;

	if (!until || clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return false;
	return now.tv_sec > until->tv_sec ||
	       (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec);
}

static bool copy_entry(struct walk *walk, int from, int to, const char *name)
{
	struct stat status;

	if (is_late(walk->counts->until))
		return fail(walk->why, FAILURE_BUSY, 0, "it takes too long");
	if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return trouble(walk, "stat");
	if (walk->counts->tick && !walk->counts->tick(walk->counts->context, walk->path, walk->why))
		return false;
	walk->counts->unmapped += status.st_uid > TREE_ID_MAX || status.st_gid > TREE_ID_MAX;
	switch (status.st_mode & S_IFMT) {
	case S_IFREG:
		return copy_regular(walk, from, &status, to, name);
	case S_IFDIR:
		return copy_directory(walk, from, &status, to, name);
	case S_IFLNK:
		return copy_symlink(walk, from, &status, to, name);
	case S_IFIFO:
		return copy_node(walk, &status, to, name);
	case S_IFSOCK:
		return walk->counts->is_layer ? copy_node(walk, &status, to, name)
					      : leave_out(walk, "a socket");
	default:
		if (walk->counts->is_layer && is_whiteout(&status))
			return copy_node(walk, &status, to, name);
		return leave_out(walk, "a device node; containers get their own /dev");
	}
}

static bool copy_entries(struct walk *walk, int from, int to)
{
	size_t length = strlen(walk->path);
	_cleanup_closedir_ DIR *stream = NULL;
	const struct dirent *entry;
	int again = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	stream = again < 0 ? NULL : fdopendir(again);
	if (!stream)
		return trouble(walk, "read");
	while (errno = 0, entry = readdir(stream)) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if ((size_t)snprintf(walk->path + length, sizeof(walk->path) - length, "%s%s",
				     length ? "/" : "",
				     entry->d_name) >= sizeof(walk->path) - length)
			return fail(walk->why, FAILURE_DATA, ENAMETOOLONG, "%s", walk->path);
		if (!copy_entry(walk, from, to, entry->d_name))
			return false;
		walk->path[length] = '\0';
	}
	return errno == 0 || trouble(walk, "read");
}

bool tree_copy(int from, int to, const struct stat *excluded, struct tree_copy *counts,
	       struct failure *why)
{
	struct walk walk = {.top = to, .excluded = excluded, .counts = counts, .why = why};
	struct stat status;
	bool copied;

	if (fstat(from, &status) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot stat the source");
	walk.home = status.st_dev;
	copied = copy_entries(&walk, from, to) &&
		 (file_copy_attributes(from, to, &status, counts->is_layer) ||
		  trouble(&walk, "copy the attributes"));
	for (size_t i = 0; i < walk.known_count; i++)
		free(walk.known[i].path);
	free(walk.known);
	return copied;
}

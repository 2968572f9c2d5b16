/* helper/init/skel.c - homes: from the layer, filled from /etc/skel the first time. */
#include "helper/init/skel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/failure.h"
#include "base/files.h"
#include "base/kernel_calls.h"

#define SKEL_DEPTH 16

struct owner {
	uid_t uid;
	gid_t gid;
};

static bool copy_tree(int from, int to, const struct owner *owner, int depth);

static bool copy_content(int from, int to)
{
	char buffer[16384];
	ssize_t length;

	while ((length = read(from, buffer, sizeof(buffer))) != 0) {
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0 || !file_write_all(to, buffer, (size_t)length))
			return false;
	}
	return true;
}

static bool copy_file(int from, const char *name, int to, const struct owner *owner, mode_t mode)
{
	_cleanup_close_ int source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int target = -1;

	if (source < 0)
		return errno == EACCES; /* skel may hold what the container's root cannot read */
	target = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return target >= 0 && copy_content(source, target) &&
	       fchown(target, owner->uid, owner->gid) == 0 && fchmod(target, mode & 0777) == 0;
}

static bool copy_folder(int from, const char *name, int to, const struct owner *owner, mode_t mode,
			int depth)
{
	_cleanup_close_ int source =
	    openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int target = -1;

	if (source < 0)
		return errno == EACCES;
	if (depth == 0) {
		errno = ELOOP;
		return false;
	}
	if (mkdirat(to, name, 0700) < 0)
		return false;
	target = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return target >= 0 && copy_tree(source, target, owner, depth - 1) &&
	       fchown(target, owner->uid, owner->gid) == 0 && fchmod(target, mode & 0777) == 0;
}

static bool copy_link(int from, const char *name, int to, const struct owner *owner)
{
	char content[4096];
	ssize_t length = readlinkat(from, name, content, sizeof(content) - 1);

	if (length < 0)
		return false;
	content[length] = '\0';
	return symlinkat(content, to, name) == 0 &&
	       fchownat(to, name, owner->uid, owner->gid, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool copy_entry(int from, const char *name, int to, const struct owner *owner, int depth)
{
	struct stat status;

	if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (S_ISREG(status.st_mode))
		return copy_file(from, name, to, owner, status.st_mode);
	if (S_ISDIR(status.st_mode))
		return copy_folder(from, name, to, owner, status.st_mode, depth);
	if (S_ISLNK(status.st_mode))
		return copy_link(from, name, to, owner);
	return true;
}

static bool copy_tree(int from, int to, const struct owner *owner, int depth)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int fd = dup(from);

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		cleanup_close(&fd);
		return false;
	}
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!copy_entry(from, entry->d_name, to, owner, depth))
			return false;
	}
	return true;
}

bool skel_copy(int target, uid_t uid, gid_t gid)
{
	const struct owner owner = {uid, gid};
	_cleanup_close_ int skel = open("/etc/skel", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (skel < 0)
		return errno == ENOENT; /* a host or an image without a skel gives empty homes */
	return copy_tree(skel, target, &owner, SKEL_DEPTH);
}

bool home_make(int layer, const char *user, uid_t uid, gid_t gid)
{
	_cleanup_close_ int homes = -1;
	_cleanup_close_ int home = -1;
	struct failure ignored;
	char aside[300];

	homes = openat(layer, "home", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (homes < 0)
		return false;
	if (faccessat(homes, user, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	if (errno != ENOENT)
		return false;
	(void)snprintf(aside, sizeof(aside), ".new-%s", user);
	(void)tree_remove_at(homes, aside, &ignored);
	if (mkdirat(homes, aside, 0700) < 0)
		return false;
	home = openat(homes, aside, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return home >= 0 && skel_copy(home, uid, gid) && fchown(home, uid, gid) == 0 &&
	       renameat2(homes, aside, homes, user, RENAME_NOREPLACE) == 0;
}

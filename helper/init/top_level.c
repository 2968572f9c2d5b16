/* helper/init/top_level.c - show in a new root what another one has at its top level. */
#include "helper/init/top_level.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/init/mounts.h"

/* Each may be a mount. A root of earlier can have left any number; a login is not to wait for it.
 */
#define MOST_ENTRIES 1000

static bool show_link(int from, const char *name, const char *path)
{
	char content[PATH_MAX];
	ssize_t length = readlinkat(from, name, content, sizeof(content) - 1);

	if (length < 0)
		return false;
	content[length] = '\0';
	return symlink(content, path) == 0 || errno == EEXIST;
}

static bool show_entry(int from, const char *name)
{
	char path[NAME_MAX + 2];
	struct stat status;

	(void)snprintf(path, sizeof(path), "/%s", name);
	/* EPERM is overlayfs's for a folder that claims to be elsewhere: it shows nobody what is in
	 * it. */
	if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == EPERM;
	if (S_ISLNK(status.st_mode))
		return show_link(from, name, path);
	if ((S_ISDIR(status.st_mode) ? mkdir(path, 0755) : mknod(path, S_IFREG | 0644, 0)) < 0)
		return errno == EEXIST;
	return mount_bind(from, name, path, PLAN_POINT_EXISTS, 0);
}

bool top_level_show(int from)
{
	int folder = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *entries = folder < 0 ? NULL : fdopendir(folder);
	unsigned count = 0;
	struct dirent *entry;

	if (!entries) {
		cleanup_close(&folder);
		return false;
	}
	while (errno = 0, (entry = readdir(entries))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (++count > MOST_ENTRIES) {
			errno = E2BIG;
			return false;
		}
		if (!show_entry(from, entry->d_name))
			return false;
	}
	return errno == 0;
}

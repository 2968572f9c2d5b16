/* helper/admin/class_folder.c - the folder of a group that its members see in /class/GROUP. */
#include "helper/admin/class_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/admin.h"
#include "helper/storage/file_copy.h"

/* Only one push is in a folder at a time; one that was killed leaves this, and the next takes it.
 */
#define NEW_FILE  ".being-pushed"
#define DEPTH_MAX 64

static int make_folder(int parent, const char *name)
{
	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return -1;
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool settle_folder(int folder, const char *group, gid_t gid, struct failure *why)
{
	if (fchown(folder, 0, gid) < 0 || fchmod(folder, 0750) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot give the folder to the group %s",
			    group);
	while (flock(folder, LOCK_EX) < 0)
		if (errno != EINTR)
			return fail(why, FAILURE_SYSTEM, errno, "cannot lock the folder of %s",
				    group);
	return true;
}

int class_folder_open(const struct context *context, const char *group, bool create,
		      struct failure *why)
{
	_cleanup_close_ int all = -1;
	_cleanup_close_ int folder = -1;
	const struct group *entry = getgrnam(group);

	if (!entry || strchr(group, '/') || group[0] == '.' || group[0] == '\0')
		return fail_fd(why, FAILURE_MISSING, 0, "there is no group '%s' (getent group)",
			       group);
	if (mkdirat(context->registry.state, "class", 0755) < 0 && errno != EEXIST)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot make the folder 'class' in %s",
			       context->config->state_dir);
	all = dir_open_at(context->registry.state, "class", true);
	if (all < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open the folder 'class' in %s",
			       context->config->state_dir);
	if (create)
		folder = make_folder(all, group);
	else
		folder = openat(all, group, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return fail_fd(why, errno == ENOENT ? FAILURE_MISSING : FAILURE_SYSTEM,
			       errno == ENOENT ? 0 : errno,
			       errno == ENOENT ? "nothing was pushed to the group %s yet"
					       : "cannot open the folder of the group %s",
			       group);
	return settle_folder(folder, group, entry->gr_gid, why) ? take_fd(&folder) : -1;
}

bool class_path_is_sound(const char *path)
{
	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 0 || path[0] == '.')
			return false;
		path += length;
		if (*path == '/' && *++path == '\0')
			return false;
	}
	return true;
}

static bool put_file(int from, int to, const char *name, const struct stat *status,
		     struct failure *why)
{
	_cleanup_close_ int copy = -1;
	mode_t mode = status->st_mode & 0111 ? 0755 : 0644;

	(void)unlinkat(to, NEW_FILE, 0);
	copy = openat(to, NEW_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (copy >= 0 && file_copy_data(from, copy, (uint64_t)status->st_size) &&
	    fchmod(copy, mode) == 0 && fsync(copy) == 0 && renameat(to, NEW_FILE, to, name) == 0)
		return true;
	(void)fail(why, FAILURE_SYSTEM, errno, "cannot put '%s' there", name);
	(void)unlinkat(to, NEW_FILE, 0);
	return false;
}

static bool put(int from, int to, const char *name, unsigned depth, bool *all, struct failure *why);

static bool put_entries(DIR *dir, int into, unsigned depth, bool *all, struct failure *why)
{
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		_cleanup_close_ int from = -1;

		if (entry->d_name[0] == '.') /* also what version control and editors keep there */
			continue;
		from = openat(dirfd(dir), entry->d_name,
			      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (from < 0) {
			*all = false;
			(void)complain("push: left out: %s: %s", entry->d_name,
				       errno == ELOOP ? "is a symbolic link" : strerror(errno));
		} else if (!put(from, into, entry->d_name, depth + 1, all, why)) {
			return false;
		}
	}
	return true;
}

static bool put_folder(int from, int to, const char *name, unsigned depth, bool *all,
		       struct failure *why)
{
	_cleanup_close_ int into = make_folder(to, name);
	_cleanup_closedir_ DIR *dir = NULL;
	int copy;

	if (depth > DEPTH_MAX)
		return fail(why, FAILURE_LIMIT, 0, "'%s' is more than %d folders deep", name,
			    DEPTH_MAX);
	if (into < 0 || fchmod(into, 0755) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make the folder '%s'", name);
	copy = fcntl(from, F_DUPFD_CLOEXEC, 0);
	dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		cleanup_close(&copy);
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the folder '%s'", name);
	}
	return put_entries(dir, into, depth, all, why);
}

static bool put(int from, int to, const char *name, unsigned depth, bool *all, struct failure *why)
{
	struct stat status;

	if (fstat(from, &status) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot look at '%s'", name);
	if (S_ISREG(status.st_mode))
		return put_file(from, to, name, &status, why);
	if (S_ISDIR(status.st_mode))
		return put_folder(from, to, name, depth, all, why);
	*all = false;
	(void)complain("push: left out: %s: is neither a file nor a folder", name);
	return true;
}

bool class_put(int from, int to, const char *name, bool *all, struct failure *why)
{
	return put(from, to, name, 0, all, why);
}

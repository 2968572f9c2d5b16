/* helper/container/trusted_path.c - open a path of the host without being led astray by its users.
 */
#include "helper/container/trusted_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 16

struct walk {
	int at;              /* the folder reached so far */
	char rest[PATH_MAX]; /* what is still to go */
	int links;
	const char *path; /* as asked, for messages */
};

static bool folder_is_roots(int folder)
{
	struct stat status;

	return fstat(folder, &status) == 0 && status.st_uid == 0 &&
	       !(status.st_mode & (S_IWGRP | S_IWOTH));
}

static bool go_to_root(struct walk *walk, struct failure *why)
{
	cleanup_close(&walk->at);
	walk->at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return walk->at >= 0 || fail(why, FAILURE_SYSTEM, errno, "cannot open /");
}

/* Put a link's content before what is left to walk. */
static bool follow(struct walk *walk, int link, struct failure *why)
{
	char target[PATH_MAX], joined[PATH_MAX];
	ssize_t length = readlinkat(link, "", target, sizeof(target) - 1);

	if (length < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read a link in %s", walk->path);
	target[length] = '\0';
	if (!folder_is_roots(walk->at))
		return fail(why, FAILURE_DATA, 0,
			    "%s goes through a link in a folder that is not only root's: name the "
			    "real path instead",
			    walk->path);
	if (++walk->links > LINKS_MAX)
		return fail(why, FAILURE_DATA, ELOOP, "%s has too many links", walk->path);
	if ((size_t)snprintf(joined, sizeof(joined), "%s/%s", target, walk->rest) >= sizeof(joined))
		return fail(why, FAILURE_DATA, ENAMETOOLONG, "%s is too long", walk->path);
	memcpy(walk->rest, joined, sizeof(joined));
	return target[0] != '/' || go_to_root(walk, why);
}

/* Cut the next component off `rest` into `name`; false at the end. */
static bool next_component(struct walk *walk, char name[NAME_MAX + 1])
{
	char *start = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(start, "/");

	if (length == 0)
		return false;
	if (length > NAME_MAX)
		length = NAME_MAX;
	memcpy(name, start, length);
	name[length] = '\0';
	memmove(walk->rest, start + length, strlen(start + length) + 1);
	return true;
}

static bool step(struct walk *walk, const char *name, struct failure *why)
{
	_cleanup_close_ int next = -1;
	struct stat status;

	if (strcmp(name, ".") == 0)
		return true;
	if (strcmp(name, "..") == 0 && !folder_is_roots(walk->at))
		return fail(why, FAILURE_DATA, 0, "%s contains '..': name the real path instead",
			    walk->path);
	next = openat(walk->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0 || fstat(next, &status) < 0)
		return fail(why,
			    errno == ENOENT || errno == ENOTDIR ? FAILURE_MISSING : FAILURE_SYSTEM,
			    errno, "cannot open %s", walk->path);
	if (S_ISLNK(status.st_mode))
		return follow(walk, next, why);
	cleanup_close(&walk->at);
	walk->at = take_fd(&next);
	return true;
}

int trusted_path_open(const char *path, struct failure *why)
{
	struct walk walk = {.at = -1, .path = path};
	char name[NAME_MAX + 1];

	if (path[0] != '/' || strlen(path) >= sizeof(walk.rest))
		return fail_fd(why, FAILURE_DATA, 0, "'%s' is not an absolute path", path);
	memcpy(walk.rest, path, strlen(path) + 1);
	if (!go_to_root(&walk, why))
		return -1;
	while (next_component(&walk, name))
		if (!step(&walk, name, why)) {
			cleanup_close(&walk.at);
			return -1;
		}
	return walk.at;
}

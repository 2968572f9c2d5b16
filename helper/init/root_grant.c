/* helper/init/root_grant.c - root = yes: let the user become the container's root. */
#include "helper/init/root_grant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"

#define SHADOW_MAX (1024 * 1024)

char *root_unlock(const char *shadow)
{
	const char *root = strncmp(shadow, "root:", 5) == 0 ? shadow : strstr(shadow, "\nroot:");
	const char *field, *end;
	char *unlocked;

	if (!root)
		return NULL;
	field = strchr(root, ':') + 1;
	end = field + strcspn(field, ":\n");
	if (*end != ':' || (*field != '*' && *field != '!'))
		return NULL;
	unlocked = malloc(strlen(shadow) + 1);
	if (unlocked) {
		memcpy(unlocked, shadow, (size_t)(field - shadow));
		memcpy(unlocked + (field - shadow), end, strlen(end) + 1);
	}
	return unlocked;
}

static bool replace(int folder, const char *name, const char *text, mode_t mode)
{
	struct failure why;

	if (file_replace_at(folder, name, text, strlen(text), mode, false, &why))
		return true;
	errno = why.error ? why.error : EIO;
	return false;
}

/* The file is the container's root's: only a regular one is read, and without waiting. */
static bool unlock_root(int etc)
{
	_cleanup_close_ int fd =
	    openat(etc, "shadow", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_free_ char *shadow = NULL, *unlocked = NULL;
	struct failure why;
	struct stat status;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return true;
	shadow = file_read(fd, SHADOW_MAX, NULL, "shadow", &why);
	unlocked = shadow ? root_unlock(shadow) : NULL;
	return !unlocked || replace(etc, "shadow", unlocked, status.st_mode & 0777);
}

static bool free_sudo(int etc)
{
	static const char rule[] =
	    "# Written by Carrel: the policy of this container says root = yes.\n"
	    "ALL ALL=(ALL:ALL) NOPASSWD: ALL\n";
	_cleanup_close_ int folder =
	    openat(etc, "sudoers.d", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (folder < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
	return faccessat(folder, "carrel", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       replace(folder, "carrel", rule, 0440);
}

bool root_grant(void)
{
	_cleanup_close_ int etc = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return etc >= 0 && unlock_root(etc) && free_sudo(etc);
}

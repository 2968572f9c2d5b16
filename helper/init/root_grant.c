/* helper/init/root_grant.c - root = yes: let the user become the container's root. */
#include "helper/init/root_grant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"

#define SHADOW_MAX (1024 * 1024)

/* The line of a user in the text of a shadow file, or NULL. */
static const char *line_of(const char *shadow, const char *user)
{
	size_t length = strlen(user);

	for (const char *line = shadow; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, user, length) == 0 && line[length] == ':')
			return line;
	}
	return NULL;
}

/* Where root's password stands when it is locked, and its length. */
static const char *locked_password(const char *shadow, size_t *length)
{
	const char *root = line_of(shadow, "root");
	const char *password = root ? root + strlen("root:") : NULL;

	*length = password ? strcspn(password, ":\n") : 0;
	if (*length == 0 || password[*length] != ':' || (*password != '*' && *password != '!'))
		return NULL;
	return password;
}

char *root_unlock(const char *shadow, const char *user)
{
	size_t length;
	const char *locked = locked_password(shadow, &length);
	const char *before = locked ? locked : shadow, *after = locked ? locked + length : shadow;
	bool ends = !*shadow || shadow[strlen(shadow) - 1] == '\n';
	char *text;
	int made;

	if (line_of(shadow, user))
		made = asprintf(&text, "%.*s%s", (int)(before - shadow), shadow, after);
	else
		made = asprintf(&text, "%.*s%s%s%s:*:19000:0:99999:7:::\n", (int)(before - shadow),
				shadow, after, ends ? "" : "\n", user);
	return made < 0 ? NULL : text;
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
static bool unlock_root(int etc, const char *user)
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
	unlocked = shadow ? root_unlock(shadow, user) : NULL;
	if (!unlocked)
		return false;
	return strcmp(shadow, unlocked) == 0 ||
	       replace(etc, "shadow", unlocked, status.st_mode & 0777);
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

bool root_grant(const char *user)
{
	_cleanup_close_ int etc = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return etc >= 0 && unlock_root(etc, user) && free_sudo(etc);
}

/* helper/init/set_aside.c - clear the way of a login of what it would wait at. */
#include "helper/init/set_aside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SETTINGS_MAX (1024 * 1024)

/*
 * A FIFO has no end until somebody writes, a device may have none; a socket, a folder and a link
 * to nowhere fail at once. The size of a settings file counts, that of lastlog does not: nobody
 * reads it whole.
 */
static bool can_hold_up(const char *path, const struct stat *status)
{
	if (S_ISCHR(status->st_mode))
		return status->st_rdev != makedev(1, 3); /* /dev/null */
	if (S_ISREG(status->st_mode))
		return strncmp(path, "/etc/", 5) == 0 && status->st_size > SETTINGS_MAX;
	return S_ISFIFO(status->st_mode) || S_ISBLK(status->st_mode);
}

bool set_aside(const char *path)
{
	struct stat status;
	char aside[256];

	if (stat(path, &status) < 0 || !can_hold_up(path, &status))
		return true;
	if ((size_t)snprintf(aside, sizeof(aside), "%s.set-aside", path) >= sizeof(aside)) {
		errno = ENAMETOOLONG;
		return false;
	}
	return rename(path, aside) == 0 || unlink(path) == 0;
}

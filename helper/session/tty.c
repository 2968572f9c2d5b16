/* helper/session/tty.c - the terminal of the host that a login service is on. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/session/session.h"

/* Unix98 terminals have majors 136..143 (Documentation/admin-guide/devices.txt). */
#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST  143

static int open_terminal(const char *name)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
			       .resolve =
				   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	_cleanup_close_ int dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat status;
	int fd;

	fd = (int)syscall(SYS_openat2, dev, name, &how, sizeof(how));
	if (fd >= 0 && (fstat(fd, &status) < 0 || !S_ISCHR(status.st_mode))) {
		cleanup_close(&fd);
		return -1;
	}
	return fd;
}

/*
 * PAM_TTY is what the service says. It is believed only when the service really has that terminal
 * as its standard input, output or error: nobody gets another's terminal by a name.
 */
static bool service_has(pid_t pid, dev_t device)
{
	for (int fd = 0; fd <= 2; fd++) {
		struct stat status;
		char path[48];

		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		if (stat(path, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == device)
			return true;
	}
	return false;
}

/* Without PAM_TTY (su without a login terminal): the pts that standard input is. */
static bool name_from_input(pid_t pid, char *name, size_t size)
{
	struct stat status;
	char path[48];

	(void)snprintf(path, sizeof(path), "/proc/%d/fd/0", pid);
	if (stat(path, &status) < 0 || !S_ISCHR(status.st_mode) ||
	    major(status.st_rdev) < PTS_MAJOR_FIRST || major(status.st_rdev) > PTS_MAJOR_LAST)
		return false;
	(void)snprintf(name, size, "pts/%u",
		       (major(status.st_rdev) - PTS_MAJOR_FIRST) * 256 + minor(status.st_rdev));
	return true;
}

static bool try_terminal(const struct session_request *request, const char *name,
			 struct login_tty *tty)
{
	_cleanup_close_ int fd = open_terminal(name);
	struct stat status;

	if (fd < 0 || strlen(name) >= sizeof(tty->name) || fstat(fd, &status) < 0 ||
	    !service_has(request->caller.pid, status.st_rdev))
		return false;
	/*
	 * The container's own /dev/pts takes no foreign nodes; ttyname(3) also searches /dev, so a
	 * pts of the host appears there under a name of its own.
	 */
	(void)snprintf(tty->name, sizeof(tty->name), "%s", name);
	(void)snprintf(tty->inside, sizeof(tty->inside), "/dev/%s", name);
	for (char *slash = strchr(tty->inside + 5, '/'); slash; slash = strchr(slash, '/'))
		*slash = '-';
	tty->fd = take_fd(&fd);
	return true;
}

void login_tty_find(const struct session_request *request, struct login_tty *tty)
{
	const char *name = request->wire.tty;
	char input[32];

	*tty = (struct login_tty){.fd = -1};
	if (strncmp(name, "/dev/", 5) == 0)
		name += 5;
	if (*name && try_terminal(request, name, tty))
		return;
	if (name_from_input(request->caller.pid, input, sizeof(input)))
		(void)try_terminal(request, input, tty);
}

/*
 * login(1) makes the user the owner of its terminal after it opened the session, and gives up when
 * it cannot: as the container's root it may only chown what already belongs to ids of the
 * container. Other services leave the terminal as it is, and so do we: it belongs to somebody who
 * is still on it.
 */
void login_tty_give(const struct session_request *request, const struct login_tty *tty, uid_t uid,
		    gid_t tty_gid)
{
	char path[48];

	if (tty->fd < 0 || strcmp(request->wire.service, "login") != 0)
		return;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", tty->fd);
	if (chown(path, uid, tty_gid) == 0)
		(void)chmod(path, 0620);
}

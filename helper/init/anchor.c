/* helper/init/anchor.c - the one process of carrel.service, which keeps the delegated cgroup. */
#include "helper/init/anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/failure.h"
#include "base/files.h"

/* The unit's own cgroup below the v2 mount, from the line "0::/path" of /proc/self/cgroup. */
static bool own_cgroup(char *path, size_t size)
{
	_cleanup_free_ char *text = NULL;
	struct failure why;
	char *line, *end;

	text = file_read_at(AT_FDCWD, "/proc/self/cgroup", 65536, NULL, &why);
	line = text ? strstr(text, "0::/") : NULL;
	end = line ? strchr(line, '\n') : NULL;
	if (!end)
		return false;
	*end = '\0';
	return (size_t)snprintf(path, size, "/sys/fs/cgroup%s", line + strlen("0::")) < size;
}

/*
 * Tell systemd that the cgroup is ready for containers (sd_notify(3), its documented protocol): a
 * login that came before the anchor had moved would find processes where there may be none.
 */
static void tell_ready(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	_cleanup_close_ int notify = -1;
	size_t length = path ? strlen(path) : 0;

	if (length < 2 || length >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, length);
	if (address.sun_path[0] == '@')
		address.sun_path[0] = '\0';
	notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify < 0 ||
	    sendto(notify, "READY=1", strlen("READY=1"), MSG_NOSIGNAL, (struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		(void)fprintf(stderr, "carrel-init: cannot notify the service manager: %s\n",
			      strerror(errno));
}

int anchor_main(void)
{
	char path[1024];
	sigset_t end;
	int signal_number;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &end, NULL);
	if (own_cgroup(path, sizeof(path) - 32)) {
		(void)strncat(path, "/anchor", sizeof(path) - strlen(path) - 1);
		if (mkdir(path, 0755) == 0 || errno == EEXIST) {
			(void)strncat(path, "/cgroup.procs", sizeof(path) - strlen(path) - 1);
			if (!file_write_at(AT_FDCWD, path, "0"))
				(void)fprintf(stderr, "carrel-init: cannot move to %s: %s\n", path,
					      strerror(errno));
		}
	}
	tell_ready();
	while (sigwait(&end, &signal_number) != 0)
		;
	return 0;
}

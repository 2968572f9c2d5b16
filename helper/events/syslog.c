/* helper/events/syslog.c - one datagram to the host's syslog, without libc's state. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/events/events.h"

#define LINE_MAX_BYTES 8192 /* what rsyslog takes unless it is told otherwise */

int syslog_connect(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	_cleanup_close_ int log = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (log < 0 || connect(log, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return take_fd(&log);
}

/* "<PRI>Mon dd hh:mm:ss tag: text", the local form of RFC 3164 that syslog(3) of glibc sends. */
bool syslog_send(int socket, int priority, const char *tag, const char *text)
{
	char line[LINE_MAX_BYTES], stamp[32];
	time_t now = time(NULL);
	struct tm parts;
	int length;

	if (socket < 0)
		return false;
	/* localtime_r reads the time zone once; carrel-init did so while it saw the host's. */
	if (!localtime_r(&now, &parts) || strftime(stamp, sizeof(stamp), "%h %e %T", &parts) == 0)
		return false;
	length = snprintf(line, sizeof(line), "<%d>%s %s: %s", priority, stamp, tag, text);
	if (length < 0)
		return false;
	if ((size_t)length >= sizeof(line))
		length = sizeof(line) - 1;
	/* A syslogd that does not read must not hold up a login. */
	return send(socket, line, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT) == length;
}

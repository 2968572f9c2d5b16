/* helper/events/events.c - write an event to syslog and to the file of events. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "base/paths.h"
#include "helper/events/events.h"

#define LINE_MAX_BYTES 8192

int events_open(struct failure *why)
{
	_cleanup_close_ int dir = -1;
	_cleanup_close_ int file = -1;
	struct stat status;

	if (mkdir(CARREL_EVENTS_DIR, 0750) < 0 && errno != EEXIST)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot make " CARREL_EVENTS_DIR);
	dir = open(CARREL_EVENTS_DIR, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open " CARREL_EVENTS_DIR);
	file = openat(
	    dir, CARREL_EVENTS_FILE,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
	if (file < 0 || fstat(file, &status) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno,
			       "cannot open " CARREL_EVENTS_DIR "/" CARREL_EVENTS_FILE);
	if (!S_ISREG(status.st_mode))
		return fail_fd(why, FAILURE_DATA, 0,
			       CARREL_EVENTS_DIR "/" CARREL_EVENTS_FILE " is not a regular file");
	return take_fd(&file);
}

static int priority_of(const struct event *event)
{
	bool bad = event->event && strcmp(event->event, "denied") == 0;

	return LOG_AUTHPRIV | (bad ? LOG_WARNING : LOG_INFO);
}

void event_write(int fd, const struct event *event)
{
	_cleanup_close_ int log = syslog_connect();
	char line[LINE_MAX_BYTES], trouble[128];
	struct timespec now;
	size_t length;

	if (event_format_text(event, line, sizeof(line)))
		(void)syslog_send(log, priority_of(event), "carrel", line);
	if (fd < 0)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	length = event_format_json(event, &now, line, sizeof(line));
	if (length == 0 || write(fd, line, length) == (ssize_t)length)
		return;
	(void)snprintf(trouble, sizeof(trouble), "cannot write to %s/%s: %s", CARREL_EVENTS_DIR,
		       CARREL_EVENTS_FILE, strerror(errno));
	(void)syslog_send(log, LOG_AUTHPRIV | LOG_WARNING, "carrel", trouble);
}

/* helper/events/events.c - write an event to syslog and to the file of events. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "helper/events/events.h"

#define EVENTS_FILE CARREL_EVENTS_DIR "/" CARREL_EVENTS_FILE
#define FILE_FLAGS  (O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* Whoever can rename in this directory could take the record of what they did away. */
static int open_directory(struct failure *why)
{
	_cleanup_close_ int dir = -1;
	struct stat status;
	bool made;

	/* Not dir_make_at: /var/log itself may be a link to a larger disk. */
	made = mkdir(CARREL_EVENTS_DIR, 0700) == 0;
	if (!made && errno != EEXIST)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot make " CARREL_EVENTS_DIR);
	dir = open(CARREL_EVENTS_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || (made && fchmod(dir, 0750) < 0) || fstat(dir, &status) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open " CARREL_EVENTS_DIR);
	if (status.st_uid != geteuid() || (status.st_mode & 022))
		return fail_fd(why, FAILURE_DATA, 0,
			       CARREL_EVENTS_DIR " must be root's, and writable for nobody else");
	return take_fd(&dir);
}

/* The mode of a new file is exact; one that is there may have been made readable for a reader. */
static int open_file(int dir)
{
	_cleanup_close_ int file = -1;

	file = openat(dir, CARREL_EVENTS_FILE, FILE_FLAGS);
	if (file >= 0 || errno != ENOENT)
		return take_fd(&file);
	file = openat(dir, CARREL_EVENTS_FILE, FILE_FLAGS | O_CREAT | O_EXCL, 0640);
	if (file < 0 && errno == EEXIST) /* made by another login, just now */
		return openat(dir, CARREL_EVENTS_FILE, FILE_FLAGS);
	if (file < 0 || fchmod(file, 0640) < 0)
		return -1;
	return take_fd(&file);
}

int events_open(struct failure *why)
{
	_cleanup_close_ int dir = open_directory(why);
	_cleanup_close_ int file = -1;
	struct stat status;

	if (dir < 0)
		return -1;
	file = open_file(dir);
	if (file < 0 || fstat(file, &status) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open " EVENTS_FILE);
	if (!S_ISREG(status.st_mode))
		return fail_fd(why, FAILURE_DATA, 0, EVENTS_FILE " is not a regular file");
	return take_fd(&file);
}

static int priority_of(const struct event *event)
{
	bool bad = event->event && strcmp(event->event, "denied") == 0;

	return LOG_AUTHPRIV | (bad ? LOG_WARNING : LOG_INFO);
}

static size_t format(const struct event *event, bool json, char line[EVENT_LINE_MAX])
{
	struct timespec now;

	if (!json)
		return event_format_text(event, line, EVENT_LINE_MAX);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return event_format_json(event, &now, line, EVENT_LINE_MAX);
}

/* Nobody gets around the record by what they make us write: a reason too long is left out. */
static size_t format_anyhow(const struct event *event, bool json, char line[EVENT_LINE_MAX])
{
	struct event shorter = *event;
	size_t length = format(event, json, line);

	if (length > 0)
		return length;
	shorter.reason = "(too long)";
	return format(&shorter, json, line);
}

void event_write(int fd, const struct event *event)
{
	_cleanup_close_ int log = syslog_connect();
	char line[EVENT_LINE_MAX], trouble[160];
	ssize_t written;
	size_t length;

	if (format_anyhow(event, false, line))
		(void)syslog_send(log, priority_of(event), "carrel", line);
	if (fd < 0)
		return;
	length = format_anyhow(event, true, line);
	written = length > 0 ? write(fd, line, length) : 0;
	if (length > 0 && written == (ssize_t)length)
		return;
	(void)snprintf(trouble, sizeof(trouble), "cannot write an event to %s: %s", EVENTS_FILE,
		       written < 0 ? strerror(errno) : "it was not written whole");
	(void)syslog_send(log, LOG_AUTHPRIV | LOG_WARNING, "carrel", trouble);
}

/* helper/admin/admin_event.c - record what an admin changed, and which admin it was. */
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/admin.h"

/* The login uid that the kernel's audit keeps across su and sudo; (uid_t)-1 when it is unset. */
static uid_t login_uid(void)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int file = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);
	struct failure why;

	if (file >= 0)
		text = file_read(file, 32, NULL, "/proc/self/loginuid", &why);
	return text ? (uid_t)strtoul(text, NULL, 10) : (uid_t)-1;
}

const char *admin_name(void)
{
	const char *sudo_user = getenv("SUDO_USER");
	const struct passwd *entry;
	uid_t uid;

	/* We run as root: whoever set the variable could have written any name as well. */
	if (sudo_user && *sudo_user)
		return sudo_user;
	uid = login_uid();
	entry = uid == (uid_t)-1 ? NULL : getpwuid(uid);
	return entry ? entry->pw_name : "root";
}

void admin_event(const char *container, const char *user, const char *format, ...)
{
	struct event event = EVENT_INIT;
	struct failure why;
	char reason[256];
	va_list arguments;
	int file;

	va_start(arguments, format);
	(void)vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	event.event = "admin";
	event.container = container;
	event.user = user;
	event.admin = admin_name();
	event.reason = reason;
	file = events_open(&why);
	if (file < 0)
		(void)complain("this is recorded in syslog only: %s", why.text);
	event_write(file, &event);
	if (file >= 0)
		(void)close(file);
}

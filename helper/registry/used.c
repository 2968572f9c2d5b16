/* helper/registry/used.c - when a container was last used, in a file that PID 1 can keep open. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/registry/registry.h"

#define LINE_SIZE 48

static void format(uint64_t when, char line[LINE_SIZE])
{
	(void)snprintf(line, LINE_SIZE, "last_used_at=%020" PRIu64 "\n", when);
}

int registry_open_used(const struct registry *registry, const char *name, struct failure *why)
{
	_cleanup_close_ int dir = registry_state_dir(registry, name, false, why);
	_cleanup_close_ int file = -1;
	struct stat status;

	if (dir < 0)
		return -1;
	file = openat(dir, USED_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (file < 0 || fstat(file, &status) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno,
			       "cannot open the record of when '%s' was used", name);
	if (!S_ISREG(status.st_mode))
		return fail_fd(why, FAILURE_DATA, 0,
			       "the record of when '%s' was used is no regular file: remove it "
			       "('" USED_FILE "' beside its record 'stored')",
			       name);
	return take_fd(&file);
}

bool used_write(int file, uint64_t when)
{
	char line[LINE_SIZE];

	format(when, line);
	return pwrite(file, line, strlen(line), 0) == (ssize_t)strlen(line);
}

uint64_t used_read(int dir, const char *path)
{
	_cleanup_close_ int file =
	    openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char line[LINE_SIZE], again[LINE_SIZE];
	ssize_t length = file < 0 ? -1 : read(file, line, sizeof(line) - 1);
	uint64_t when;

	if (length <= 0)
		return 0;
	line[length] = '\0';
	if (sscanf(line, "last_used_at=%20" SCNu64, &when) != 1)
		return 0;
	format(when, again);
	return strcmp(line, again) == 0 ? when : 0;
}

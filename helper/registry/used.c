/* helper/registry/used.c - when a container was last used, in a file that PID 1 can keep open. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/registry/registry.h"

#define LINE_SIZE 48

static void format(uint64_t when, char line[LINE_SIZE])
{
	(void)snprintf(line, LINE_SIZE, "last_used_at=%020" PRIu64 "\n", when);
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

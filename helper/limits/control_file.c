/* helper/limits/control_file.c - read a cgroup's files and open its directories. */
#include "helper/limits/control_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"

bool control_read_fd(int fd, char *text, size_t size)
{
	size_t used = 0;

	while (used < size - 1) {
		ssize_t got = pread(fd, text + used, size - 1 - used, (off_t)used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	text[used] = '\0';
	return true;
}

bool control_read(int dir, const char *file, char *text, size_t size)
{
	_cleanup_close_ int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && control_read_fd(fd, text, size);
}

int control_open_dir(int dir, const char *name)
{
	return openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

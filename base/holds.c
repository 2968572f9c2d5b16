/* base/holds.c - shared locks by the thousand. */
#include "base/holds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"

static int open_file(int dir, unsigned number, int flags)
{
	char name[sizeof("hold-") + 3 * sizeof(number)];

	(void)snprintf(name, sizeof(name), "hold-%u", number);
	return openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
}

int hold_shared(int dir, int gate)
{
	_cleanup_close_ int hold = -1;

	if (flock(gate, LOCK_SH | LOCK_NB) < 0)
		return -1;
	/* Those that start containers have pids one after the other. */
	hold = open_file(dir, (unsigned)getpid() % HOLDS_FILES, O_CREAT);
	if (hold < 0 || flock(hold, LOCK_SH | LOCK_NB) < 0) {
		int error = errno;

		(void)flock(gate, LOCK_UN);
		errno = error;
		return -1;
	}
	(void)flock(gate, LOCK_UN);
	return take_fd(&hold);
}

bool hold_exclusive(int dir, int gate)
{
	if (flock(gate, LOCK_EX | LOCK_NB) < 0)
		return false;
	for (unsigned i = 0; i < HOLDS_FILES; i++) {
		_cleanup_close_ int hold = open_file(dir, i, 0);
		int error;

		if ((hold < 0 && errno == ENOENT) ||
		    (hold >= 0 && flock(hold, LOCK_EX | LOCK_NB) == 0))
			continue;
		error = errno;
		(void)flock(gate, LOCK_UN);
		errno = error;
		return false;
	}
	return true;
}

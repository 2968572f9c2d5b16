/* helper/admin/leftovers.c - take directories away in a way that can be interrupted anywhere. */
#include "helper/admin/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/files.h"

bool leftover_name(const char *prefix, const char *name, char out[LEFTOVER_NAME_MAX],
		   struct failure *why)
{
	uint32_t number;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return fail(why, FAILURE_SYSTEM, errno, "cannot get random bytes");
	(void)snprintf(out, LEFTOVER_NAME_MAX, "%s%.64s-%08x", prefix, name, number);
	return true;
}

int leftovers_lock(int dir, const char *what, struct failure *why)
{
	_cleanup_close_ int lock = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lock < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open the directory of the %s",
			       what);
	if (flock(lock, LOCK_EX | LOCK_NB) < 0)
		return fail_fd(why, errno == EWOULDBLOCK ? FAILURE_BUSY : FAILURE_SYSTEM,
			       errno == EWOULDBLOCK ? 0 : errno,
			       "another carrel is at work on the %s; wait for it to end", what);
	return take_fd(&lock);
}

static bool is_leftover(const char *name)
{
	return strncmp(name, LEFTOVER_NEW, strlen(LEFTOVER_NEW)) == 0 ||
	       strncmp(name, LEFTOVER_REMOVING, strlen(LEFTOVER_REMOVING)) == 0;
}

bool leftovers_clear(int dir, bool dry_run, void (*tell)(void *context, const char *name),
		     void *context, struct failure *why)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	if (!stream)
		return fail(why, FAILURE_SYSTEM, errno, "cannot look for leftovers");
	while ((entry = readdir(stream))) {
		if (!is_leftover(entry->d_name))
			continue;
		if (tell)
			tell(context, entry->d_name);
		if (!dry_run && !tree_remove_at(dir, entry->d_name, why))
			return false;
	}
	return true;
}

bool remove_by_renaming(int dir, const char *name, struct failure *why)
{
	char doomed[LEFTOVER_NAME_MAX];
	_cleanup_close_ int synced = -1;

	if (!leftover_name(LEFTOVER_REMOVING, name, doomed, why))
		return false;
	if (!rename_to_new_at(dir, name, dir, doomed))
		return fail(why, errno == ENOENT ? FAILURE_MISSING : FAILURE_SYSTEM, errno,
			    "cannot remove '%s'", name);
	/* After a crash the name must not come back with half of the data below it. */
	synced = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (synced < 0 || fsync(synced) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot record the removal of '%s'", name);
	return tree_remove_at(dir, doomed, why);
}

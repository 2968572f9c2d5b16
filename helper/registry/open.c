/* helper/registry/open.c - the registry's directories: make them, vet them, lock in them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "base/paths.h"
#include "helper/registry/registry.h"

#define LOCK_ATTEMPTS 5

/* A directory that others may write could be swapped under us; one of another owner is not ours. */
static bool vet_directory(int dir, const char *path, struct failure *why)
{
	struct stat status;

	if (fstat(dir, &status) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot look at %s", path);
	if (status.st_uid != 0)
		return fail(why, FAILURE_DATA, 0,
			    "%s belongs to uid %u, not to root: run 'chown root:root %s' after "
			    "finding out how that happened",
			    path, status.st_uid, path);
	if (status.st_mode & (S_IWGRP | S_IWOTH))
		return fail(why, FAILURE_DATA, 0,
			    "%s is writable by group or others: run 'chmod go-w %s'", path, path);
	return true;
}

static int open_vetted(int parent, const char *name, mode_t mode, struct failure *why)
{
	_cleanup_close_ int dir = -1;

	dir = dir_open_at(parent, name, true);
	if (dir < 0 && errno == ENOENT) {
		if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
			return fail_fd(why, FAILURE_SYSTEM, errno, "cannot make the directory %s",
				       name);
		dir = dir_open_at(parent, name, true);
	}
	if (dir < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open the directory %s", name);
	if (!vet_directory(dir, name, why))
		return -1;
	return take_fd(&dir);
}

/*
 * state_dir itself is only made when its parent is there: a missing mount point must not be
 * papered over with an empty directory on the root file system.
 */
static int open_state(const char *path, struct failure *why)
{
	int dir = open_vetted(AT_FDCWD, path, 0711, why);

	if (dir < 0)
		failure_prefix(why, "state_dir");
	return dir;
}

int registry_open_run(struct failure *why)
{
	return open_vetted(AT_FDCWD, CARREL_RUN, 0711, why);
}

bool registry_open(const char *state_dir, struct registry *registry, struct failure *why)
{
	static const char *const runtime[] = {"blocks", "seccomp", "ns"};

	*registry = (struct registry){-1, -1, -1, -1, -1};
	registry->run = registry_open_run(why);
	if (registry->run < 0)
		return false;
	registry->run_containers = open_vetted(registry->run, "containers", 0700, why);
	for (size_t i = 0; i < ARRAY_LENGTH(runtime) && registry->run_containers >= 0; i++)
		if (mkdirat(registry->run, runtime[i], 0700) < 0 && errno != EEXIST) {
			fail(why, FAILURE_SYSTEM, errno, "cannot make " CARREL_RUN "/%s",
			     runtime[i]);
			registry_close(registry);
			return false;
		}
	if (registry->run_containers >= 0)
		registry->state = open_state(state_dir, why);
	if (registry->state >= 0)
		registry->state_containers = open_vetted(registry->state, "containers", 0700, why);
	if (registry->state_containers >= 0)
		registry->state_images = open_vetted(registry->state, "images", 0700, why);
	if (registry->state_images >= 0)
		return true;
	if (registry->state >= 0)
		failure_prefix(why, "state_dir '%s'", state_dir);
	registry_close(registry);
	return false;
}

void registry_close(struct registry *registry)
{
	int *all[] = {&registry->run, &registry->run_containers, &registry->state,
		      &registry->state_containers, &registry->state_images};

	for (size_t i = 0; i < ARRAY_LENGTH(all); i++) {
		cleanup_close(all[i]);
		*all[i] = -1;
	}
}

static uint64_t monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/*
 * flock has no timed form, and a signal handler as a timer would be global state: ask, sleep a
 * little, ask again. Holders keep it for milliseconds, except while a container stops.
 */
static bool lock_within(int fd, unsigned patience_ms)
{
	uint64_t deadline = monotonic_ms() + patience_ms;
	struct timespec pause = {.tv_nsec = 1000000};

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		if (monotonic_ms() >= deadline) {
			errno = EWOULDBLOCK;
			return false;
		}
		(void)nanosleep(&pause, NULL);
		if (pause.tv_nsec < 16000000)
			pause.tv_nsec *= 2;
	}
	return true;
}

/* `carrel gc` takes the folder of a container that is no more away, with the lock that it holds. */
static bool is_gone(int lock)
{
	struct stat status;

	return fstat(lock, &status) == 0 && status.st_nlink == 0;
}

int registry_lock(const struct registry *registry, const char *name, unsigned patience_ms,
		  struct failure *why)
{
	for (int attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
		_cleanup_close_ int dir = -1;
		_cleanup_close_ int lock = -1;

		dir = open_vetted(registry->run_containers, name, 0700, why);
		if (dir < 0)
			return -1;
		lock = openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (lock < 0 && errno == ENOENT)
			continue;
		if (lock < 0)
			return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open the lock of '%s'",
				       name);
		if (!lock_within(lock, patience_ms))
			return fail_fd(why, errno == EWOULDBLOCK ? FAILURE_BUSY : FAILURE_SYSTEM,
				       errno,
				       "container '%s' is being started or stopped by somebody "
				       "else for more than %u seconds; see 'carrel show %s'",
				       name, patience_ms / 1000, name);
		if (!is_gone(lock))
			return take_fd(&lock);
	}
	return fail_fd(why, FAILURE_BUSY, 0, "the run-time folder of '%s' comes and goes", name);
}

int registry_state_dir(const struct registry *registry, const char *name, bool create,
		       struct failure *why)
{
	int dir;

	if (create)
		return open_vetted(registry->state_containers, name, 0700, why);
	dir = dir_open_at(registry->state_containers, name, true);
	if (dir < 0)
		return fail_fd(why, errno == ENOENT ? FAILURE_MISSING : FAILURE_SYSTEM, errno,
			       "cannot open the stored container '%s'", name);
	return dir;
}

int registry_snapshots_dir(const struct registry *registry, const char *name, bool create,
			   struct failure *why)
{
	_cleanup_close_ int all = -1;
	int dir;

	if (create) {
		all = open_vetted(registry->state, "snapshots", 0700, why);
		return all < 0 ? -1 : open_vetted(all, name, 0700, why);
	}
	all = dir_open_at(registry->state, "snapshots", true);
	dir = all < 0 ? -1 : dir_open_at(all, name, true);
	if (dir < 0)
		return fail_fd(why, errno == ENOENT ? FAILURE_MISSING : FAILURE_SYSTEM, errno,
			       "cannot open the snapshots of '%s'", name);
	return dir;
}

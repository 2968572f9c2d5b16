/* helper/accounts/etc_snapshot.c - generations of a snapshot of /etc, shared by all containers. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "base/holds.h"
#include "helper/accounts/accounts.h"
#include "helper/accounts/etc_copy.h"
#include "helper/accounts/etc_fingerprint.h"

/*
 * In the store:
 *   etc-<16 hex>/etc  a generation, complete, named by its fingerprint
 *   etc-new-<16 hex>  one that is being built or removed: whoever has the lock may remove it
 *   etc.lock          held while a generation is looked for, built or removed
 *   etc.stamp         "<generation> <boot id>"; its mtime is when /etc was last looked at
 *
 * Users of a generation have a hold (base/holds.h) of the directory that its etc is in, which is
 * the gate, too. Of etc itself anybody in a container can take a lock, and so keep others from it.
 */
#define LOCK_NAME    "etc.lock"
#define STAMP_NAME   "etc.stamp"
#define NEW_PREFIX   "etc-new-"
#define NAME_PREFIX  "etc-"
#define CONTENT_NAME "etc"
#define HEX_DIGITS   16
#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX  64

/* How often a snapshot is begun anew because /etc changed meanwhile. */
#define BUILD_ATTEMPTS 3

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct generation {
	char name[sizeof(NEW_PREFIX) + HEX_DIGITS];
};

/* A generation that is not removed while it is held; both -1 when there is none. */
struct held {
	int dir, hold;
};

#define HELD_NONE                                                                                  \
	{                                                                                          \
		-1, -1                                                                             \
	}

static void let_go(struct held *held)
{
	cleanup_close(&held->dir);
	cleanup_close(&held->hold);
}

#define _cleanup_held_ __attribute__((cleanup(let_go)))

struct snapshot_store {
	int fd;
	char *boot; /* files may be empty after a crash: no boot trusts what another one wrote */
};

static struct generation name_generation(const char *prefix, uint64_t number)
{
	struct generation generation;

	(void)snprintf(generation.name, sizeof(generation.name), "%s%016" PRIx64, prefix, number);
	return generation;
}

static bool is_generation(const char *name)
{
	const size_t prefix = strlen(NAME_PREFIX);

	return strncmp(name, NAME_PREFIX, prefix) == 0 &&
	       strspn(name + prefix, "0123456789abcdef") == HEX_DIGITS &&
	       name[prefix + HEX_DIGITS] == '\0';
}

/*
 * Open a generation and keep it from being removed. Whoever removes one may have come between
 * the open and the lock: then the name is no longer that of the directory.
 */
static bool hold_generation(int store, const char *name, struct held *held)
{
	_cleanup_close_ int dir = openat(store, name, DIR_FLAGS);
	_cleanup_close_ int hold = dir < 0 ? -1 : hold_shared(dir, dir);
	struct stat opened, named;

	if (hold < 0 || fstat(dir, &opened) < 0 ||
	    fstatat(store, name, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	    opened.st_dev != named.st_dev || opened.st_ino != named.st_ino)
		return false;
	*held = (struct held){take_fd(&dir), take_fd(&hold)};
	return true;
}

static bool is_recent(const struct timespec *then, unsigned seconds)
{
	struct timespec now;
	time_t age;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0 ||
	    __builtin_sub_overflow(now.tv_sec, then->tv_sec, &age))
		return false;
	if (now.tv_nsec < then->tv_nsec)
		age--;
	return age >= 0 && age < (time_t)seconds;
}

/* The generation that the stamp names, when it was looked at in this boot and recently. */
static bool hold_checked(const struct snapshot_store *store, unsigned recheck_seconds,
			 struct held *held)
{
	_cleanup_close_ int fd = openat(store->fd, STAMP_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char text[sizeof(struct generation) + 1 + BOOT_ID_MAX], *rest = text, *name;
	struct stat status;
	ssize_t length;

	if (fd < 0 || fstat(fd, &status) < 0 || !is_recent(&status.st_mtim, recheck_seconds))
		return false;
	length = read(fd, text, sizeof(text) - 1);
	if (length < 0)
		return false;
	text[length] = '\0';
	name = strsep(&rest, " ");
	return rest && is_generation(name) && strcmp(rest, store->boot) == 0 &&
	       hold_generation(store->fd, name, held);
}

/* Data reaches the disk when it will: a stamp that a crash leaves is of another boot. */
static bool write_stamp(const struct snapshot_store *store, const char *name, struct failure *why)
{
	char text[sizeof(struct generation) + 1 + BOOT_ID_MAX];
	int length = snprintf(text, sizeof(text), "%s %s", name, store->boot);

	if (length < 0 || (size_t)length >= sizeof(text))
		return fail(why, FAILURE_DATA, 0, "%s is too long", BOOT_ID_PATH);
	return file_replace_at(store->fd, STAMP_NAME, text, (size_t)length, 0600, false, why);
}

static bool build_aside(const struct snapshot_store *store, int etc, const char *aside,
			uint64_t *number, struct failure *why)
{
	_cleanup_close_ int generation = -1, content = -1;

	if (mkdirat(store->fd, aside, 0700) == 0)
		generation = openat(store->fd, aside, DIR_FLAGS);
	if (generation >= 0 && mkdirat(generation, CONTENT_NAME, 0700) == 0)
		content = openat(generation, CONTENT_NAME, DIR_FLAGS);
	if (content < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make a snapshot of /etc");
	if (!etc_copy(etc, content, store->boot, number, why))
		return false;
	if (fchmod(content, 0755) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make a snapshot of /etc");
	return true;
}

/*
 * Build until the copy is what /etc was before. When it never is, because somebody writes all the
 * time, the last one must do until the next check: its name tells that it is not what /etc is.
 */
static bool build_stable(const struct snapshot_store *store, int etc, const char *aside,
			 uint64_t *number, struct failure *why)
{
	for (int attempt = 0; attempt < BUILD_ATTEMPTS; attempt++) {
		uint64_t before;

		if (attempt > 0 && !tree_remove_at(store->fd, aside, why))
			return false;
		if (!etc_fingerprint(etc, store->boot, &before, why) ||
		    !build_aside(store, etc, aside, number, why))
			return false;
		if (*number == before)
			break;
	}
	return true;
}

static bool build(const struct snapshot_store *store, int etc, struct generation *built,
		  struct failure *why)
{
	struct generation aside;
	struct failure ignored;
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return fail(why, FAILURE_SYSTEM, errno, "cannot name a snapshot of /etc");
	aside = name_generation(NEW_PREFIX, number);
	if (!build_stable(store, etc, aside.name, &number, why)) {
		(void)tree_remove_at(store->fd, aside.name, &ignored);
		return false;
	}
	*built = name_generation(NAME_PREFIX, number);
	if (renameat(store->fd, aside.name, store->fd, built->name) == 0)
		return true;
	/* While it was built /etc became again what an existing generation shows. */
	if (errno != EEXIST && errno != ENOTEMPTY)
		return fail(why, FAILURE_SYSTEM, errno, "cannot name the snapshot of /etc '%s'",
			    built->name);
	(void)tree_remove_at(store->fd, aside.name, &ignored);
	return true;
}

/*
 * The new name before the removal: an interrupted one must not leave half a generation under a
 * name that a later fingerprint finds.
 */
static void remove_unused(int store, const char *name)
{
	_cleanup_close_ int fd = openat(store, name, DIR_FLAGS);
	struct generation aside;
	struct failure ignored;

	if (fd < 0 || !hold_exclusive(fd, fd))
		return;
	(void)snprintf(aside.name, sizeof(aside.name), "%s%s", NEW_PREFIX,
		       name + strlen(NAME_PREFIX));
	(void)tree_remove_at(store, aside.name, &ignored);
	if (renameat(store, name, store, aside.name) == 0)
		(void)tree_remove_at(store, aside.name, &ignored);
}

/*
 * Remove what others left and the generations that nobody uses, except `newest`. What cannot be
 * removed costs space and is tried again at the next check: it is no reason to refuse a login.
 */
static void tidy(int store, const char *newest)
{
	_cleanup_closedir_ DIR *stream = NULL;
	_cleanup_close_ int fd = openat(store, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	struct failure ignored;

	stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream)
		return;
	(void)take_fd(&fd);
	while ((entry = readdir(stream))) {
		const char *name = entry->d_name;

		if (strncmp(name, NEW_PREFIX, strlen(NEW_PREFIX)) == 0)
			(void)tree_remove_at(store, name, &ignored);
		else if (is_generation(name) && strcmp(name, newest) != 0)
			remove_unused(store, name);
	}
}

/* Look at /etc, and build a generation when none shows what it is now. The lock is held. */
static bool hold_current(const struct snapshot_store *store, int etc, struct held *held,
			 struct failure *why)
{
	struct generation generation;
	uint64_t number;
	bool found;

	if (!etc_fingerprint(etc, store->boot, &number, why))
		return false;
	generation = name_generation(NAME_PREFIX, number);
	found = hold_generation(store->fd, generation.name, held);
	tidy(store->fd, generation.name); /* before a new one needs the space */
	if (!found) {
		if (!build(store, etc, &generation, why))
			return false;
		found = hold_generation(store->fd, generation.name, held);
	}
	if (!found)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open the snapshot of /etc '%s'",
			    generation.name);
	return write_stamp(store, generation.name, why);
}

static int lock_store(int store, struct failure *why)
{
	_cleanup_close_ int fd = -1;
	int result;

	fd = openat(store, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open the lock of the snapshots");
	do
		result = flock(fd, LOCK_EX);
	while (result < 0 && errno == EINTR);
	if (result < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot lock the snapshots of /etc");
	return take_fd(&fd);
}

int etc_snapshot_open(int etc, int store, unsigned recheck_seconds, int *in_use_fd,
		      struct failure *why)
{
	_cleanup_free_ char *boot =
	    file_read_at(AT_FDCWD, BOOT_ID_PATH, BOOT_ID_MAX - 1, NULL, why);
	const struct snapshot_store place = {store, boot};
	_cleanup_held_ struct held held = HELD_NONE;
	_cleanup_close_ int lock = -1;
	bool found;
	int snapshot;

	*in_use_fd = -1;
	if (!boot)
		return -1;
	found = hold_checked(&place, recheck_seconds, &held);
	if (!found) {
		lock = lock_store(store, why);
		if (lock < 0)
			return -1;
		/* Who had the lock before has perhaps done it all. */
		found = hold_checked(&place, recheck_seconds, &held) ||
			hold_current(&place, etc, &held, why);
	}
	if (!found)
		return -1;
	snapshot = openat(held.dir, CONTENT_NAME, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (snapshot < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open the snapshot of /etc");
	*in_use_fd = take_fd(&held.hold);
	return snapshot;
}

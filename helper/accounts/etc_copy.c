/* helper/accounts/etc_copy.c - copy the readable part of /etc. */
#include "helper/accounts/etc_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "helper/accounts/etc_fingerprint.h"
#include "helper/accounts/etc_listing.h"

#define TOTAL_MAX_MIB 64
#define TOTAL_MAX     ((size_t)TOTAL_MAX_MIB * 1024 * 1024)
#define ENTRY_COST    ((size_t)512) /* at least, so that the number of entries has an end too */

/* Containers have the ids below this one: the owner of anything else has no name in them. */
#define IDS_INSIDE 65536u

struct copy {
	size_t bytes;
	uint64_t fingerprint;
	struct failure *why;
};

/* A directory on the way, and its copy. */
struct level {
	const struct etc_dir *from;
	uint64_t path;
	int to;
};

static bool cannot_copy(struct copy *copy, const char *name)
{
	return fail(copy->why, FAILURE_SYSTEM, errno, "cannot copy '%s' into the snapshot of /etc",
		    name);
}

static bool charge(struct copy *copy, size_t bytes)
{
	copy->bytes += bytes > ENTRY_COST ? bytes : ENTRY_COST;
	if (copy->bytes <= TOTAL_MAX)
		return true;
	return fail(copy->why, FAILURE_UNSUPPORTED, 0,
		    "what all users can read in /etc is more than %d MiB, too much for the host "
		    "image; move large data elsewhere",
		    TOTAL_MAX_MIB);
}

static uid_t owner_inside(uid_t id)
{
	return id < IDS_INSIDE ? id : 0;
}

/* The owner first: chown(2) may take bits of the mode away. */
static bool set_owner_and_mode(int fd, const struct stat *status)
{
	return fchown(fd, owner_inside(status->st_uid), owner_inside(status->st_gid)) == 0 &&
	       fchmod(fd, status->st_mode & 0777) == 0;
}

static bool same_time(const struct timespec *one, const struct timespec *other)
{
	return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

static bool is_same(const struct stat *now, const struct stat *before)
{
	return now->st_dev == before->st_dev && now->st_ino == before->st_ino &&
	       now->st_mode == before->st_mode && now->st_uid == before->st_uid &&
	       now->st_gid == before->st_gid && now->st_size == before->st_size &&
	       same_time(&now->st_mtim, &before->st_mtim) &&
	       same_time(&now->st_ctim, &before->st_ctim);
}

static void count_in(struct copy *copy, const struct level *level, const struct etc_entry *entry)
{
	copy->fingerprint += print_entry(level->path, entry->name, &entry->status);
}

static bool write_file(struct copy *copy, int to, const char *name, const struct stat *status,
		       const char *text, size_t length)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, status->st_mtim};
	_cleanup_close_ int fd = -1;

	if (!charge(copy, length))
		return false;
	fd = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || !file_write_all(fd, text, length) || !set_owner_and_mode(fd, status) ||
	    futimens(fd, times) < 0)
		return cannot_copy(copy, name);
	return true;
}

/*
 * Between stat and read somebody may take the right to read away and then write the secret: what
 * was read counts when the file is afterwards what it was when it was listed. A file that cannot
 * be had just now is not counted in, so that the next check tries again.
 */
static bool copy_file(struct copy *copy, const struct level *level, const struct etc_entry *entry)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	struct stat status;
	size_t length;
	bool hidden;

	if (!etc_file_open(level->from, entry, &fd, &hidden, copy->why))
		return false;
	if (hidden)
		count_in(copy, level, entry);
	if (fd < 0)
		return true;
	text = file_read(fd, ETC_FILE_MAX, &length, entry->name, copy->why);
	if (!text && copy->why->error == ENOMEM)
		return false;
	if (!text || fstat(fd, &status) < 0 || !is_same(&status, &entry->status))
		return true;
	count_in(copy, level, entry);
	return write_file(copy, level->to, entry->name, &status, text, length);
}

static bool copy_link(struct copy *copy, const struct level *level, const struct etc_entry *entry)
{
	const int dir = dirfd(level->from->stream);
	char target[PATH_MAX];
	struct stat status;
	ssize_t length = readlinkat(dir, entry->name, target, sizeof(target));

	if (length <= 0 || (size_t)length >= sizeof(target) ||
	    fstatat(dir, entry->name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !is_same(&status, &entry->status))
		return true;
	count_in(copy, level, entry);
	target[length] = '\0';
	if (!charge(copy, 0))
		return false;
	if (symlinkat(target, level->to, entry->name) < 0 ||
	    fchownat(level->to, entry->name, owner_inside(status.st_uid),
		     owner_inside(status.st_gid), AT_SYMLINK_NOFOLLOW) < 0)
		return cannot_copy(copy, entry->name);
	return true;
}

static bool copy_content(struct copy *copy, const struct level *level);

static bool copy_directory(struct copy *copy, const struct level *level,
			   const struct etc_entry *entry)
{
	_cleanup_etc_dir_ struct etc_dir from = {0};
	_cleanup_close_ int to = -1;

	if (!etc_dir_enter(level->from, entry, &from, copy->why))
		return false;
	if (!from.stream)
		return true;
	copy->fingerprint += print_entry(level->path, entry->name, &from.status);
	if (!charge(copy, 0))
		return false;
	if (mkdirat(level->to, entry->name, 0700) < 0)
		return cannot_copy(copy, entry->name);
	to = openat(level->to, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return cannot_copy(copy, entry->name);
	if (!copy_content(copy, &(struct level){&from, print_path(level->path, entry->name), to}))
		return false;
	return set_owner_and_mode(to, &from.status) || cannot_copy(copy, entry->name);
}

static bool copy_entry(struct copy *copy, const struct level *level, const struct etc_entry *entry)
{
	if (S_ISDIR(entry->status.st_mode))
		return copy_directory(copy, level, entry);
	if (S_ISLNK(entry->status.st_mode))
		return copy_link(copy, level, entry);
	return copy_file(copy, level, entry);
}

static bool copy_content(struct copy *copy, const struct level *level)
{
	struct etc_entry entry;

	while (etc_dir_next(level->from, &entry, copy->why)) {
		if (!entry.name)
			return true;
		if (!copy_entry(copy, level, &entry))
			return false;
	}
	return false;
}

bool etc_copy(int etc, int to, const char *epoch, uint64_t *fingerprint, struct failure *why)
{
	_cleanup_etc_dir_ struct etc_dir top = {0};
	const uint64_t start = print_start(epoch);
	struct copy copy = {.fingerprint = start, .why = why};

	if (!etc_dir_open(&top, etc, why) || !copy_content(&copy, &(struct level){&top, start, to}))
		return false;
	for (size_t i = 0; i < etc_replacement_count; i++)
		if (symlinkat(etc_replacements[i].target, to, etc_replacements[i].name) < 0)
			return cannot_copy(&copy, etc_replacements[i].name);
	*fingerprint = copy.fingerprint;
	return true;
}

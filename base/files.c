/* base/files.c - read and write whole small files by descriptor. */
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files of the kernel say that they are empty: what stat tells is a first guess, no more. */
#define FIRST_GUESS 4096

/* What is opened may have been put there to keep us waiting: a pipe must not block the open. */
#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)

/* How often a replacement starts again because another one of the same name got in between. */
#define REPLACE_ATTEMPTS 16

static size_t first_size(int fd, size_t limit)
{
	struct stat status;
	size_t size = FIRST_GUESS;

	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
	    (uintmax_t)status.st_size < limit)
		size = (size_t)status.st_size + 1;
	return size < limit + 1 ? size : limit + 1;
}

/* The number of bytes read, or -1; one byte more than `limit` tells that there is more. */
static ssize_t read_into(int fd, char **text, size_t limit)
{
	size_t size = first_size(fd, limit), used = 0;

	*text = malloc(size + 1);
	if (!*text)
		return -1;
	while (used <= limit) {
		ssize_t got;

		if (used == size) {
			char *larger;

			size = size <= limit / 2 ? size * 2 : limit + 1;
			larger = realloc(*text, size + 1);
			if (!larger)
				return -1;
			*text = larger;
		}
		got = pread(fd, *text + used, size - used, (off_t)used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	(*text)[used] = '\0';
	return (ssize_t)used;
}

char *file_read(int fd, size_t limit, size_t *length, const char *what, struct failure *why)
{
	_cleanup_free_ char *text = NULL;
	ssize_t used;

	if (limit > SSIZE_MAX - 2)
		limit = SSIZE_MAX - 2;
	used = read_into(fd, &text, limit);
	if (used < 0) {
		(void)fail(why, FAILURE_SYSTEM, errno, "cannot read %s", what);
		return NULL;
	}
	if ((size_t)used > limit) {
		(void)fail(why, FAILURE_DATA, 0, "%s is larger than %zu bytes", what, limit);
		return NULL;
	}
	if (length)
		*length = (size_t)used;
	return take_ptr(text);
}

char *file_read_at(int dir, const char *path, size_t limit, size_t *length, struct failure *why)
{
	_cleanup_close_ int fd = -1;

	fd = openat(dir, path, READ_FLAGS);
	if (fd < 0) {
		(void)fail(why, errno == ENOENT ? FAILURE_MISSING : FAILURE_SYSTEM, errno,
			   "cannot open %s", path);
		return NULL;
	}
	return file_read(fd, limit, length, path, why);
}

bool file_write_all(int fd, const void *data, size_t length)
{
	const char *next = data;

	while (length > 0) {
		ssize_t put = write(fd, next, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		next += put;
		length -= (size_t)put;
	}
	return true;
}

bool file_write_at(int dir, const char *path, const char *text)
{
	_cleanup_close_ int fd = -1;
	size_t length = strlen(text);
	ssize_t put;

	fd = openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd < 0)
		return false;
	do
		put = write(fd, text, length);
	while (put < 0 && errno == EINTR);
	if (put < 0)
		return false;
	if ((size_t)put != length) {
		errno = EIO;
		return false;
	}
	return true;
}

/*
 * A file without a name gets one only when it is complete, so that two writers at once never
 * rename each other's half. Where that cannot be (no O_TMPFILE in the file system, or a root
 * without /proc, as while a container is built) the name comes first.
 */
static int open_new(int dir, const char *aside, bool *nameless)
{
	int fd = -1;

	*nameless = access("/proc/self/fd", X_OK) == 0;
	if (*nameless)
		fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0 || (*nameless && errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	*nameless = false;
	if (unlinkat(dir, aside, 0) < 0 && errno != ENOENT)
		return -1;
	return openat(dir, aside, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* linkat(2) with AT_EMPTY_PATH asks for CAP_DAC_READ_SEARCH, the way through /proc does not. */
static bool give_name(int fd, int dir, const char *aside)
{
	char self[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

	if (unlinkat(dir, aside, 0) < 0 && errno != ENOENT)
		return false;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, dir, aside, AT_SYMLINK_FOLLOW) == 0;
}

static bool sync_directory(int dir)
{
	_cleanup_close_ int readable = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return readable >= 0 && fsync(readable) == 0;
}

struct content {
	const void *data;
	size_t length;
	mode_t mode;
	bool sync;
};

/* Another writer took the name `aside` from us or put its own file there: start again. */
static bool lost_race(void)
{
	return errno == EEXIST || errno == ENOENT;
}

static bool replace_once(int dir, const char *name, const char *aside,
			 const struct content *content, bool *again)
{
	_cleanup_close_ int fd = -1;
	bool nameless;

	*again = false;
	fd = open_new(dir, aside, &nameless);
	if (fd < 0) {
		*again = errno == EEXIST;
		return false;
	}
	if (file_write_all(fd, content->data, content->length) && fchmod(fd, content->mode) == 0 &&
	    (!content->sync || fsync(fd) == 0)) {
		if ((!nameless || give_name(fd, dir, aside)) &&
		    renameat(dir, aside, dir, name) == 0)
			return true;
		*again = lost_race();
	}
	if (!*again) {
		int cause = errno;

		(void)unlinkat(dir, aside, 0);
		errno = cause;
	}
	return false;
}

bool file_replace_at(int dir, const char *name, const void *data, size_t length, mode_t mode,
		     bool sync, struct failure *why)
{
	const struct content content = {data, length, mode, sync};
	char aside[NAME_MAX + 1];
	bool done = false, again = true;
	int used;

	used = snprintf(aside, sizeof(aside), ".new-%s", name);
	if (used < 0 || (size_t)used >= sizeof(aside) || strchr(name, '/'))
		return fail(why, FAILURE_SYSTEM, EINVAL, "cannot write a file named '%s'", name);

	for (int attempt = 0; !done && again && attempt < REPLACE_ATTEMPTS; attempt++)
		done = replace_once(dir, name, aside, &content, &again);
	if (!done)
		return fail(why, FAILURE_SYSTEM, errno, "cannot write %s", name);
	if (sync && !sync_directory(dir))
		return fail(why, FAILURE_SYSTEM, errno, "cannot sync the directory of %s", name);
	return true;
}

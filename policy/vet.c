/* policy/vet.c - open what only root can have written, and read it once. */
#include "policy/vet.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "policy/policy.h"

#define LARGEST_FILE ((size_t)1 << 20)

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a named pipe";
	case S_IFSOCK:
		return "a socket";
	case S_IFLNK:
		return "a symbolic link";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return "something else";
	}
}

/* Whoever can write here decides about every login. ACLs show in the group bits as well. */
static bool check_owner(const struct stat *info, const char *what, struct failure *why)
{
	if (info->st_uid != 0)
		return fail(why, FAILURE_POLICY, 0,
			    "%s belongs to user %lu; it must be root's (chown root)", what,
			    (unsigned long)info->st_uid);
	if (info->st_mode & (S_IWGRP | S_IWOTH))
		return fail(why, FAILURE_POLICY, 0,
			    "%s can be written by others than root (mode %04o); chmod go-w it",
			    what, (unsigned)(info->st_mode & 07777));
	return true;
}

bool vet_directory(int dir, const char *what, struct failure *why)
{
	struct stat info;

	if (fstat(dir, &info) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot examine %s", what);
	if (!S_ISDIR(info.st_mode))
		return fail(why, FAILURE_POLICY, 0, "%s is %s, not a directory", what,
			    S_ISREG(info.st_mode) ? "a file" : kind_of(info.st_mode));
	return check_owner(&info, what, why);
}

static bool vet_file(int fd, const char *shown, struct failure *why)
{
	struct stat info;

	if (fstat(fd, &info) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot examine %s", shown);
	if (!S_ISREG(info.st_mode))
		return fail(why, FAILURE_POLICY, 0,
			    "%s is %s; it must be a regular file, replace or remove it", shown,
			    kind_of(info.st_mode));
	if (!check_owner(&info, shown, why))
		return false;
	if (info.st_size > (off_t)LARGEST_FILE)
		return fail(why, FAILURE_POLICY, 0,
			    "%s has %lld bytes; a policy file has at most %zu", shown,
			    (long long)info.st_size, LARGEST_FILE);
	return true;
}

static int refuse_open(int error, const char *shown, const char *wanted, struct failure *why)
{
	if (error == ELOOP)
		return fail_fd(why, FAILURE_POLICY, 0,
			       "%s is a symbolic link; put the %s itself there", shown, wanted);
	if (error == ENOTDIR)
		return fail_fd(why, FAILURE_POLICY, 0,
			       "%s is not a directory itself; replace or remove it", shown);
	return fail_fd(why, error == ENOENT ? FAILURE_MISSING : FAILURE_SYSTEM, error,
		       "cannot open %s", shown);
}

int vet_open_file(int dir, const char *name, const char *shown, struct failure *why)
{
	_cleanup_close_ int fd = -1;

	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	/* ENXIO: a socket, or a device without a driver. */
	if (fd < 0 && errno == ENXIO)
		return fail_fd(why, FAILURE_POLICY, 0,
			       "%s is a socket or a device; it must be a regular file, replace or "
			       "remove it",
			       shown);
	if (fd < 0)
		return refuse_open(errno, shown, "file", why);
	return vet_file(fd, shown, why) ? take_fd(&fd) : -1;
}

int vet_open_directory(int dir, const char *name, struct failure *why)
{
	_cleanup_close_ int fd = -1;

	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return refuse_open(errno, name, "directory", why);
	return vet_directory(fd, name, why) ? take_fd(&fd) : -1;
}

char *vet_read(int fd, size_t *length, const char *shown, struct failure *why)
{
	_cleanup_free_ char *text = NULL;
	const char *nul;
	unsigned line = 1;

	text = file_read(fd, LARGEST_FILE, length, shown, why);
	if (!text)
		return NULL;
	nul = memchr(text, '\0', *length);
	if (!nul)
		return take_ptr(text);
	for (const char *at = text; at < nul; at++)
		line += *at == '\n';
	(void)fail(why, FAILURE_POLICY, 0,
		   "%s:%u: there is a NUL byte; the file must be plain text", shown, line);
	return NULL;
}

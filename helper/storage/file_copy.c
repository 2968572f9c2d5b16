/* helper/storage/file_copy.c - copy one file's content and attributes between open descriptors. */
#include "helper/storage/file_copy.h"

#include <errno.h>
#include <fnmatch.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"

bool file_is_same(int fd, const struct stat *status)
{
	struct stat now;

	if (fstat(fd, &now) < 0)
		return false;
	if (now.st_dev == status->st_dev && now.st_ino == status->st_ino)
		return true;
	errno = ESTALE;
	return false;
}

/* By hand, for pairs of file systems between which copy_file_range(2) does not work. */
static ssize_t copy_by_hand(int from, int to, off_t *offset, size_t length)
{
	char buffer[65536];
	ssize_t got =
	    pread(from, buffer, length < sizeof(buffer) ? length : sizeof(buffer), *offset);

	if (got <= 0)
		return got;
	if (lseek(to, *offset, SEEK_SET) < 0 || !file_write_all(to, buffer, (size_t)got))
		return -1;
	*offset += got;
	return got;
}

static bool copy_range(int from, int to, off_t offset, off_t end)
{
	bool by_hand = false;

	while (offset < end) {
		size_t length = (size_t)(end - offset);
		off_t out = offset;
		ssize_t copied = by_hand ? copy_by_hand(from, to, &offset, length)
					 : copy_file_range(from, &offset, to, &out, length, 0);

		if (copied > 0)
			continue;
		if (copied == 0 && by_hand)
			return true; /* it has become shorter meanwhile */
		if (copied < 0 && (by_hand || (errno != EXDEV && errno != EINVAL &&
					       errno != EOPNOTSUPP && errno != ENOSYS)))
			return false;
		by_hand = true;
	}
	return true;
}

bool file_copy_data(int from, int to, uint64_t size)
{
	off_t end = (off_t)size, hole = 0;

	if (size == 0 || ioctl(to, FICLONE, from) == 0)
		return true;
	for (off_t data = 0; data < end; data = hole) {
		data = lseek(from, data, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break; /* nothing but a hole is left */
		hole = data < 0 ? end : lseek(from, data, SEEK_HOLE);
		if (data < 0) /* the file system knows no holes */
			data = 0;
		if (hole < 0 || !copy_range(from, to, data, hole < end ? hole : end))
			return false;
	}
	return ftruncate(to, end) == 0;
}

bool file_attribute_stays(const char *name, bool overlay)
{
	static const char *const patterns[] = {"trusted.*",       "security.selinux",
					       "security.ima",    "security.evm",
					       "security.SMACK*", "security.apparmor"};

	if (!overlay && fnmatch("user.overlay.*", name, 0) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LENGTH(patterns); i++)
		if (fnmatch(patterns[i], name, 0) == 0)
			return true;
	return false;
}

static bool copy_extended(int from, int to, bool overlay)
{
	_cleanup_free_ char *value = malloc(XATTR_SIZE_MAX);
	_cleanup_free_ char *names = malloc(XATTR_LIST_MAX);
	ssize_t length;

	if (!value || !names)
		return false;
	length = flistxattr(from, names, XATTR_LIST_MAX);
	if (length < 0)
		return errno == ENOTSUP;
	for (char *name = names; name < names + length; name += strlen(name) + 1) {
		ssize_t size;

		if (file_attribute_stays(name, overlay))
			continue;
		size = fgetxattr(from, name, value, XATTR_SIZE_MAX);
		if (size < 0 || fsetxattr(to, name, value, (size_t)size, 0) < 0)
			return false;
	}
	return true;
}

bool file_copy_attributes(int from, int to, const struct stat *status, bool overlay)
{
	const struct timespec times[2] = {status->st_atim, status->st_mtim};

	/* In this order: a change of owner takes away set-user-ID bits and file capabilities. */
	return fchown(to, status->st_uid, status->st_gid) == 0 &&
	       fchmod(to, status->st_mode & 07777) == 0 && copy_extended(from, to, overlay) &&
	       futimens(to, times) == 0;
}

/* helper/init/account_step.c - bring a user's entries into the container's passwd and group. */
#include "helper/init/account_step.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"

#define ACCOUNT_FILE_MAX (1024 * 1024)

/*
 * In a container with root = yes these files are its root's: they may be anything. Only a regular
 * file is read, without waiting (O_NONBLOCK), and only up to a size.
 */
static char *read_old(int folder, const char *name)
{
	_cleanup_close_ int fd =
	    openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct failure why;
	struct stat status;
	char *text;

	if (fd < 0)
		return errno == ENOENT ? strdup("") : NULL;
	if (fstat(fd, &status) < 0)
		return NULL;
	if (!S_ISREG(status.st_mode)) {
		errno = EINVAL;
		return NULL;
	}
	text = file_read(fd, ACCOUNT_FILE_MAX, NULL, name, &why);
	if (!text)
		errno = why.error ? why.error : EFBIG;
	return text;
}

static bool write_new(int folder, const char *name, const char *old_text, const char *text)
{
	struct failure why;

	if (strcmp(old_text, text) == 0)
		return true;
	if (file_replace_at(folder, name, text, strlen(text), 0644, false, &why))
		return true;
	errno = why.error ? why.error : EIO;
	return false;
}

bool account_merge(const char *folder, const struct account *account)
{
	static const struct id_map every_gid = {.lines = {{0, 0, UINT32_MAX}}, .count = 1};
	_cleanup_close_ int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *old_passwd = NULL, *old_group = NULL, *passwd = NULL, *group = NULL;
	struct failure why;

	if (dir < 0)
		return false;
	old_passwd = read_old(dir, "passwd");
	old_group = old_passwd ? read_old(dir, "group") : NULL;
	if (!old_group)
		return false;
	passwd = passwd_merge(old_passwd, account, NULL, NULL, &why);
	group = passwd ? group_merge(old_group, account, &every_gid, &why) : NULL;
	if (!group) {
		errno = why.error ? why.error : EINVAL;
		return false;
	}
	return write_new(dir, "passwd", old_passwd, passwd) &&
	       write_new(dir, "group", old_group, group);
}

/* helper/registry/record_file.c - read a record from its file. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper/registry/record.h"

bool record_load(int dir, const char *path, struct record *record, bool *found, struct failure *why)
{
	const struct open_how how = {
	    .flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH,
	};
	_cleanup_close_ int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	ssize_t length;

	record->failed = false;
	record->length = record->next = 0;
	record->text[0] = '\0';
	*found = fd >= 0;
	if (fd < 0)
		return errno == ENOENT ||
		       fail(why, FAILURE_SYSTEM, errno, "cannot open the record %s", path);
	/* A file of the disk gives what it has at once: signals do not cut a read short. */
	length = read(fd, record->text, sizeof(record->text));
	if (length < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the record %s", path);
	if (length == (ssize_t)sizeof(record->text))
		return fail(why, FAILURE_DATA, 0, "the record %s is larger than %d bytes", path,
			    RECORD_SIZE - 1);
	record->length = (size_t)length;
	record->text[length] = '\0';
	return true;
}

/* helper/registry/process.c - read the start time of a process. */
#include "helper/registry/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"

uint64_t process_parse_start_ticks(const char *stat_text)
{
	const char *field = strrchr(stat_text, ')');

	/* After the name: state is field 3, the start time field 22. */
	for (int skip = 2; field && skip < 22; skip++) {
		field = strchr(field, ' ');
		if (field)
			field++;
	}
	return field ? strtoull(field, NULL, 10) : 0;
}

uint64_t process_start_ticks(pid_t pid)
{
	char state;

	return process_look(pid, &state);
}

/* include/uapi/linux/magic.h of Linux 6.9; before, all pidfds had the inode of anonymous files. */
#define PID_FS_MAGIC 0x50494446

uint64_t process_pidfd_inode(int pidfd)
{
	struct statfs fs;
	struct stat status;

	if (sizeof(status.st_ino) < sizeof(uint64_t) || fstatfs(pidfd, &fs) < 0 ||
	    (uint64_t)fs.f_type != PID_FS_MAGIC || fstat(pidfd, &status) < 0)
		return 0;
	return status.st_ino;
}

uint64_t process_look(pid_t pid, char *state)
{
	const char *name_end;
	_cleanup_close_ int fd = -1;
	char path[32], text[1024];
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	length = read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	name_end = strrchr(text, ')');
	*state = name_end && name_end[1] == ' ' ? name_end[2] : '?';
	return process_parse_start_ticks(text);
}

/* helper/init/terminals.c - find and write to the terminals of a container. */
#include "helper/init/terminals.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Unix98 terminals have majors 136..143 (Documentation/admin-guide/devices.txt). */
#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST  143

bool terminal_write(int terminal, const char *text)
{
	return terminal >= 0 && isatty(terminal) && write(terminal, text, strlen(text)) > 0;
}

bool terminal_write_number(int number, const char *text)
{
	_cleanup_close_ int terminal = -1;
	char path[32];

	(void)snprintf(path, sizeof(path), "/dev/pts/%d", number);
	terminal = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	return terminal_write(terminal, text);
}

int terminal_of(pid_t pid)
{
	_cleanup_close_ int file = -1;
	char path[48], text[1024];
	const char *rest;
	unsigned device, major;
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	length = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
	if (length <= 0)
		return -1;
	text[length] = '\0';
	/* "pid (name) state ppid pgrp session tty_nr": the name may hold anything (proc(5)). */
	rest = strrchr(text, ')');
	if (!rest || sscanf(rest, ") %*c %*d %*d %*d %u", &device) != 1)
		return -1;
	major = device >> 8 & 0xfff;
	if (major < PTS_MAJOR_FIRST || major > PTS_MAJOR_LAST)
		return -1;
	return (int)((major - PTS_MAJOR_FIRST) * 256 +
		     ((device & 0xff) | (device >> 12 & 0xfff00)));
}

int terminal_number(const char *path)
{
	static const char prefix[] = "/dev/pts-";

	return strncmp(path, prefix, strlen(prefix)) == 0 ? atoi(path + strlen(prefix)) : -1;
}

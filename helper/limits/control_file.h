/* helper/limits/control_file.h - the small text files in a cgroup directory. */
#ifndef CARREL_HELPER_LIMITS_CONTROL_FILE_H
#define CARREL_HELPER_LIMITS_CONTROL_FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Read at most size - 1 bytes of `file` below `dir` into `text` and terminate it. What does not fit
 * is cut off. Never follows a link. False with errno.
 */
bool control_read(int dir, const char *file, char *text, size_t size);

/* The same from an open descriptor, from its start. */
bool control_read_fd(int fd, char *text, size_t size);

/* Open one directory below `dir` as O_PATH; a link is refused. -1 with errno. */
int control_open_dir(int dir, const char *name);

#endif

/* base/files.h - read and write whole small files by descriptor. */
#ifndef CARREL_BASE_FILES_H
#define CARREL_BASE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/failure.h"

/*
 * Read a whole file from its descriptor's start into a new NUL-terminated buffer (caller frees).
 * More than `limit` bytes is an error. *length may be NULL. `what` names the file in messages.
 * NULL with *why filled on failure.
 */
char *file_read(int fd, size_t limit, size_t *length, const char *what, struct failure *why);

/* The same for a path below a directory descriptor; the last component must not be a link. */
char *file_read_at(int dir, const char *path, size_t limit, size_t *length, struct failure *why);

/* Write all of it, going on after short writes and signals. False with errno set on failure. */
bool file_write_all(int fd, const void *data, size_t length);

/* Write a control file of the kernel (cgroup, uid_map) in one write(2). False with errno set. */
bool file_write_at(int dir, const char *path, const char *text);

/*
 * Put new content in place of a file at once: written beside it as ".new-NAME", optionally synced
 * (data, then the directory), then renamed over it. A reader sees the old content or the new, also
 * when two write at once. `mode` is exact, whatever the umask.
 */
bool file_replace_at(int dir, const char *name, const void *data, size_t length, mode_t mode,
		     bool sync, struct failure *why);

/*
 * mkdir with exactly `mode`, and of every missing parent with 0755, whatever the umask. `path` is
 * absolute or below `dir`, without ".."; no component may be a link. What exists stays as it is.
 */
bool dir_make_at(int dir, const char *path, mode_t mode, struct failure *why);

/*
 * Open a directory for fd-relative use (O_PATH when `path_only`); no component may be a link
 * (openat2, RESOLVE_NO_SYMLINKS|RESOLVE_NO_MAGICLINKS). -1 with errno on failure.
 */
int dir_open_at(int dir, const char *path, bool path_only);

/*
 * Rename to a name that nothing has yet; false with errno (EEXIST) otherwise. File systems that do
 * not know RENAME_NOREPLACE (renameat2(2): FUSE, NFS, CIFS) are asked first instead, so that there
 * only a lock of the caller's keeps two from taking the same name.
 */
bool rename_to_new_at(int from_dir, const char *from, int to_dir, const char *to);

/*
 * Remove a directory and everything below it, however deep, never following a link. Anything that
 * is mounted in it stops the removal with FAILURE_BUSY.
 */
bool tree_remove_at(int dir, const char *name, struct failure *why);

#endif

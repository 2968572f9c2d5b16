/* helper/accounts/etc_listing.h - the part of /etc that every user may read, entry by entry. */
#ifndef CARREL_HELPER_ETC_LISTING_H
#define CARREL_HELPER_ETC_LISTING_H

#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/failure.h"

/* What is larger is data, not configuration. */
#define ETC_FILE_MAX ((size_t)4 * 1024 * 1024)

/* A directory that is being listed; etc_dir_close when done. */
struct etc_dir {
	DIR *stream;
	const char *name; /* "" for /etc itself */
	unsigned depth;   /* 0 for /etc itself */
	struct stat status;
};

/* `name` lives until the next entry of the same directory is asked for. */
struct etc_entry {
	const char *name;
	struct stat status; /* a directory, a regular file or a link */
};

/*
 * A file in the place of one that tells about the host. Links to such a file stand in every
 * snapshot, also where the host has none.
 */
struct etc_replacement {
	const char *name, *target;
};
extern const struct etc_replacement etc_replacements[];
extern const size_t etc_replacement_count;

/* Begin with /etc itself, by a descriptor that may be O_PATH. False with *why when not all users
 * may read it. */
bool etc_dir_open(struct etc_dir *dir, int etc, struct failure *why);

/*
 * The next entry that may be shown, judged by its name and what stat says now; a NULL name at the
 * end. What is then opened must be judged again by its descriptor: etc_dir_enter and
 * etc_file_open do. False with *why when the directory cannot be read.
 */
bool etc_dir_next(const struct etc_dir *dir, struct etc_entry *entry, struct failure *why);

/*
 * Open a directory that was listed. `child->stream` is NULL when it is not for all users, is the
 * mount point of another file system or has gone. `entry` must outlive `child`.
 */
bool etc_dir_enter(const struct etc_dir *dir, const struct etc_entry *entry, struct etc_dir *child,
		   struct failure *why);

/*
 * Open a regular file that was listed, for reading. *fd is -1 when it is not for all users, then
 * *hidden is true, or when it has gone or cannot be opened just now.
 */
bool etc_file_open(const struct etc_dir *dir, const struct etc_entry *entry, int *fd, bool *hidden,
		   struct failure *why);

void etc_dir_close(struct etc_dir *dir);
#define _cleanup_etc_dir_ __attribute__((cleanup(etc_dir_close)))

#endif

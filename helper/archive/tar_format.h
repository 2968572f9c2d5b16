/* helper/archive/tar_format.h - one member of a tar archive, as bytes and as facts. Pure. */
#ifndef CARREL_HELPER_ARCHIVE_TAR_FORMAT_H
#define CARREL_HELPER_ARCHIVE_TAR_FORMAT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"

/* POSIX.1-2001 (pax), with SCHILY.xattr.* and GNU.sparse 1.0 as GNU tar and libarchive have them.
 */
#define TAR_BLOCK   512U
#define TAR_PAX_MAX (1U << 20) /* of extended records for one member */

enum tar_type {
	TAR_FILE = '0',
	TAR_LINK = '1',
	TAR_SYMLINK = '2',
	TAR_CHARACTER = '3',
	TAR_BLOCK_DEVICE = '4',
	TAR_DIRECTORY = '5',
	TAR_FIFO = '6',
};

struct tar_attribute {
	const char *name;
	const void *value;
	size_t length;
};
#define TAR_ATTRIBUTES_MAX 64

struct tar_entry {
	enum tar_type type;
	char path[PATH_MAX], target[PATH_MAX]; /* target: of a link of either kind */
	mode_t mode;                           /* 07777 */
	uint32_t uid, gid;
	uint64_t size;      /* of the data that follow */
	uint64_t real_size; /* of the file: differs when `is_sparse` */
	bool is_sparse;     /* the data begin with a map of what is not a hole */
	int64_t seconds;    /* of the last change */
	uint32_t nanoseconds;
	unsigned major, minor;
	struct tar_attribute attributes[TAR_ATTRIBUTES_MAX];
	size_t attribute_count;
};

/* A growing piece of the archive. */
struct tar_bytes {
	char *data; /* owner: caller, free(3) */
	size_t length, size;
	bool failed; /* out of memory, or more than TAR_PAX_MAX */
};

/* Append the header blocks of a member, extended ones first where they are needed. */
void tar_encode(const struct tar_entry *entry, struct tar_bytes *out);

/*
 * Decode one header block. *kind is its type flag: an enum tar_type, 'x' or 'g' for extended
 * records of entry->size bytes to follow, or '\0' for the block of zeros that ends the archive.
 * Values in the entry that extended records may override are set afterwards by tar_apply. False
 * with *why when it is none.
 */
bool tar_decode(const unsigned char block[TAR_BLOCK], struct tar_entry *entry, char *kind,
		struct failure *why);

/*
 * Apply extended records to the entry; its attributes point into `records`, which has a NUL after
 * it. No records (length 0) have to be applied, too: afterwards only a file has a size,
 * and only a sparse one a real_size of its own. False with *why.
 */
bool tar_apply(char *records, size_t length, struct tar_entry *entry, struct failure *why);

/*
 * May this be made below a folder: neither absolute nor with ".." in it? The path without "./" in
 * front and without slashes at the end, "" for the folder itself; NULL when it may not. Changes
 * `path`.
 */
char *tar_safe_path(char *path);

#endif

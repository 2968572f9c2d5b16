/* helper/storage/ext4_tools.h - make, check and grow an ext4 file system in a file. */
#ifndef CARREL_HELPER_STORAGE_EXT4_TOOLS_H
#define CARREL_HELPER_STORAGE_EXT4_TOOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

/*
 * Each runs a program of e2fsprogs on the file `image` (open for reading and writing) and waits for
 * it; `path` names the file in messages. The file system must not be mounted. What is not done in
 * `patience_s` seconds (0: wait for ever) is FAILURE_BUSY: it is ended, except for resize2fs, which
 * goes on by itself with the lock that `image` carries (fcntl(2), F_OFD_SETLK), since it must not
 * be interrupted.
 */

/* Are they all on this machine? */
bool ext4_tools_exist(void);

/* A new, empty file system of `blocks` blocks (ext4.h) with `inodes` inodes, 0 for mkfs' choice. */
bool ext4_make(int image, const char *path, uint64_t blocks, uint64_t inodes, unsigned patience_s,
	       struct failure *why);

/*
 * Repair what can be repaired without asking; `all` also when it says that it is clean. False with
 * FAILURE_DATA when somebody has to look at it.
 */
bool ext4_check(int image, const char *path, bool all, unsigned patience_s, struct failure *why);

/* Grow it to `blocks` blocks, for which the file has the room; `all` of it was just checked. */
bool ext4_grow(int image, const char *path, uint64_t blocks, unsigned patience_s,
	       struct failure *why);

/* FAILURE_DATA: `what` is wrong with the image at `path`, which is left as it is. Returns false. */
bool ext4_damaged(const char *path, const char *what, struct failure *why);

#endif

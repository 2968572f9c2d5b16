/* helper/storage/kinds.h - the ways to keep the data of one container, for storage.c to choose
 * from.
 */
#ifndef CARREL_HELPER_STORAGE_KINDS_H
#define CARREL_HELPER_STORAGE_KINDS_H

#include <stdint.h>

#include "base/failure.h"

/*
 * Open the folder `layer` below the container's, made when missing, in which the host's file system
 * is the only bound. Returns a detached mount; -1 with *why.
 */
int plain_open(int container, const char *name, struct failure *why);

/* What is asked of an image. */
struct image_wish {
	const char *path; /* of the image file, for messages */
	uint64_t disk;    /* bytes; 0: as it is */
	uint64_t inodes;  /* 0: as mkfs chooses */
	bool may_make;    /* false: the container has data, so a missing file is an error */
};

/*
 * Open the file system in the file `layer.ext4` of the container's folder: made, grown, checked and
 * mounted through a loop device that is let go with the last mount of it. Returns a detached mount;
 * -1 with *why.
 */
int image_open(int container, const char *name, const struct image_wish *wish, struct failure *why);

#endif

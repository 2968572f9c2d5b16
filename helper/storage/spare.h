/* helper/storage/spare.h - room that a file system of one container keeps back for its next start.
 */
#ifndef CARREL_HELPER_STORAGE_SPARE_H
#define CARREL_HELPER_STORAGE_SPARE_H

#include <stdbool.h>

/*
 * A start makes files in the container's data (overlayfs its work folders, PID 1 mount points and
 * accounts). Where those are full it would fail, and whoever filled them could not get in to make
 * room. A file system that is a container's own has no limit that could be raised for the while, so
 * that a few files are kept in it, and removed when there is nothing else left.
 *
 * `layer` is the top folder, O_PATH will do. All is as far as it goes: a start that has too little
 * room says so itself.
 */

/* Is there less room than is kept back? */
bool spare_is_needed(int layer);

/* Make what is missing. Cheap when there is nothing. */
void spare_keep(int layer);

/* Remove them. On disk when this returns: ext4 gives blocks out again after a commit only. */
void spare_give(int layer);

#endif

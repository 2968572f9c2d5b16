/* helper/images/versions.h - how the versions of an image lie on disk. */
#ifndef CARREL_HELPER_IMAGES_VERSIONS_H
#define CARREL_HELPER_IMAGES_VERSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

/*
 * state_dir/images/NAME/
 *   current      link whose content is the number of the version that the next start takes
 *   previous     the same for the one before it, kept for a way back; missing when there is none
 *   N/           a version: info, lock, and either rootfs/ or rootfs.erofs
 * Before there were versions, rootfs/ and info stood in NAME/ itself: that is version 0, which is
 * current as long as there is no link `current`.
 *
 * Who uses a version has a hold of it, past the gate `lock` (base/holds.h); who removes it has to
 * be the only one.
 */
#define IMAGE_CURRENT      "current"
#define IMAGE_PREVIOUS     "previous"
#define IMAGE_ROOTFS       "rootfs"
#define IMAGE_EROFS        "rootfs.erofs"
#define IMAGE_VERSION_MAX  999999u
#define IMAGE_VERSION_NAME 12 /* room for the number as text */

struct image_info {
	uint64_t created_at; /* seconds since the epoch, 0 when unknown */
	uint64_t bytes;      /* of the files, or of rootfs.erofs; 0 when unknown */
	char source[1024];   /* what it was made from */
	char machine[65];    /* as uname(2) has it; "" when unknown */
};

/* What the file `info` of a version says; what it does not say is 0 or "". */
void image_info_read(int version, struct image_info *info);
bool image_info_write(int version, const struct image_info *info, struct failure *why);

/* The folder of a version of the image whose folder is `image` (O_PATH). -1 with errno. */
int image_version_open(int image, uint32_t number);

/*
 * The number in the link `name` (IMAGE_CURRENT, IMAGE_PREVIOUS). *found is false when there is no
 * such version; false with FAILURE_DATA and *why when the link is not one of ours.
 */
bool image_link_read(int image, const char *name, uint32_t *number, bool *found,
		     struct failure *why);

/* Let the link be about that version, at once, and on disk; version 0 is known by no `current`. */
bool image_link_write(int image, const char *name, uint32_t number, struct failure *why);

/* The numbers of all versions, ascending; free the array. */
bool image_version_list(int image, uint32_t **numbers, size_t *count, struct failure *why);

/* Does the folder of a version have what a container is made of? */
bool image_version_is_whole(int version);

/*
 * Take a hold of a version, shared or exclusive, without waiting; closing lets go. -1 with errno,
 * EWOULDBLOCK when others are in the way, ENOENT when the version is being or has been removed.
 */
int image_version_lock(int version, bool exclusive);

/* Digits only, without a leading zero, at most IMAGE_VERSION_MAX. */
bool image_version_parse(const char *text, uint32_t *number);

#endif

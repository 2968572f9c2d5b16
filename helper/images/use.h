/* helper/images/use.h - the current version of an image, opened for a container. */
#ifndef CARREL_HELPER_IMAGES_USE_H
#define CARREL_HELPER_IMAGES_USE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"
#include "helper/registry/registry.h"

struct image_use {
	uint32_t version;
	int root; /* O_PATH of its root directory, to be cloned; owned */
	int hold; /* as long as it is open the version is not removed: for PID 1 to keep; owned */
};

/*
 * Open what the next container of image `name` is made of. An erofs image is mounted, once for all
 * (erofs_mount.h). False with *why: FAILURE_MISSING when there is no such image, FAILURE_DATA when
 * it is damaged, FAILURE_UNSUPPORTED when this machine cannot run or mount it.
 */
bool image_use_open(const struct registry *registry, const char *name, struct image_use *use,
		    struct failure *why);
void image_use_close(struct image_use *use);

/* Would image_use_open find a version of the image in the folder `images`? Mounts nothing. */
bool image_use_check(int images, const char *name, struct failure *why);

/* Can images with that machine (uname(2); "" for unknown) run here? FAILURE_UNSUPPORTED if not. */
bool image_machine_check(const char *machine, struct failure *why);

#endif

/* helper/admin/image_store.h - the images below state_dir/images and who uses them. */
#ifndef CARREL_HELPER_ADMIN_IMAGE_STORE_H
#define CARREL_HELPER_ADMIN_IMAGE_STORE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"
#include "helper/registry/registry.h"
#include "helper/storage/tree_copy.h"

struct image_info {
	uint64_t created_at; /* seconds since the epoch, 0 when unknown */
	char source[1024];   /* what it was made from */
};

/* state_dir/images/NAME/info. An image without a readable one has created_at 0 and source "". */
void image_info_read(const struct registry *registry, const char *name, struct image_info *info);
bool image_info_write(int image, const struct image_info *info, struct failure *why);

/* Names of the images, sorted; free each and the array. */
bool image_names(const struct registry *registry, char ***names, size_t *count,
		 struct failure *why);

/*
 * How many containers, stored or running, use the image; their names, as many as fit, go to `users`
 * as "alice, bob, ...".
 */
bool image_users(const struct registry *registry, const char *name, size_t *count, char *users,
		 size_t size, struct failure *why);

/* Fill the new directory `rootfs` from a directory or a tar file. */
bool image_fill(const struct registry *registry, int rootfs, const char *source,
		struct tree_copy *counts, struct failure *why);

/* Is it a root file system: /etc, and /usr or /bin/sh, and open to all users? */
bool image_check(int rootfs, struct failure *why);

#endif

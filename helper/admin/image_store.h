/* helper/admin/image_store.h - the images below state_dir/images and who uses them. */
#ifndef CARREL_HELPER_ADMIN_IMAGE_STORE_H
#define CARREL_HELPER_ADMIN_IMAGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"
#include "helper/registry/registry.h"
#include "helper/storage/tree_copy.h"

/* Names of the images in a folder (O_PATH), sorted; free each and the array. */
bool image_names(int folder, char ***names, size_t *count, struct failure *why);

/*
 * How many containers, stored or running, use the image; their names, as many as fit, go to `users`
 * as "alice, bob, ...".
 */
bool image_users(const struct registry *registry, const char *name, size_t *count, char *users,
		 size_t size, struct failure *why);

/* Is there such a version, complete? FAILURE_MISSING if not. */
bool image_version_check(int image, uint32_t number, struct failure *why);

/* Make the version current, and what was current previous. The caller holds the lock. */
bool image_switch(int image, uint32_t number, struct failure *why);

/* How many running containers are made of the image, and how many of that version of it. */
bool image_running(const struct registry *registry, const char *name, size_t *count,
		   struct failure *why);
bool image_version_users(const struct registry *registry, const char *name, uint32_t version,
			 size_t *count, struct failure *why);

/*
 * Remove a version of the image whose folder is `image`, whatever is linked to it. FAILURE_BUSY
 * when a container runs from it. The caller holds the lock of the images.
 */
bool image_version_remove(const struct registry *registry, const char *name, int image,
			  uint32_t number, struct failure *why);

/*
 * Remove what nobody needs any more of an image: what was interrupted, versions that are neither
 * current nor previous nor in use, mounts that no container uses. `tell` (or NULL) is called with
 * each before it goes; with dry_run nothing is done. The caller holds the lock of the images.
 */
bool image_clear_unused(const struct registry *registry, const char *name, bool dry_run,
			void (*tell)(void *context, const char *kind, const char *name),
			void *context, struct failure *why);

/* The same for all images; nothing when another carrel is at work on them, which does it itself. */
bool images_clear_unused(const struct registry *registry, bool dry_run,
			 void (*tell)(void *context, const char *kind, const char *name),
			 void *context, struct failure *why);

#endif

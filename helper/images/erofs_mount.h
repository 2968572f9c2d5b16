/* helper/images/erofs_mount.h - an erofs file, mounted once for all containers of its image. */
#ifndef CARREL_HELPER_IMAGES_EROFS_MOUNT_H
#define CARREL_HELPER_IMAGES_EROFS_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"
#include "helper/registry/registry.h"

/*
 * A mount is kept at /run/carrel/images/NAME/VERSION-FILE, in the mount namespace of the login
 * services, where FILE tells this file from any other that was ever called so. All containers get
 * clones of it and so share its super block and pages. It is there from the first start until
 * erofs_mount_drop, or the machine's end.
 */

/* The root of the kept mount of `file`, which is mounted when it is not yet: O_PATH, -1 with *why.
 */
int erofs_mount_kept(const struct registry *registry, const char *image, uint32_t version, int file,
		     struct failure *why);

/*
 * Unmount what is kept of the image and may go: `may_go` gets the number of the version. What
 * containers have of it stays theirs. `tell` is called for each; nothing is done with dry_run.
 */
bool erofs_mount_drop(const struct registry *registry, const char *image, bool dry_run,
		      bool (*may_go)(void *context, uint32_t version),
		      void (*tell)(void *context, const char *name), void *context,
		      struct failure *why);

/* The two ways to mount a file, for erofs_mount_kept and its tests: detached, -1 with errno. */
int erofs_mount_file(int file); /* Linux 6.12; ENOTBLK when the kernel cannot */
int erofs_mount_loop(int file, struct failure *why);

#endif

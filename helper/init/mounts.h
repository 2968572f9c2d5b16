/* helper/init/mounts.h - the mounting steps of a plan. */
#ifndef CARREL_HELPER_INIT_MOUNTS_H
#define CARREL_HELPER_INIT_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/init/plan.h"

/* All return false with errno. `path` is below the process's root. */

/* fsopen, options "a=b,c", fsmount with MOUNT_ATTR_*; mounted on path, or taken as root for "/". */
bool mount_new(const char *type, const char *options, const char *path, enum plan_mountpoint point,
	       uint64_t attributes);

/* Make the mount point, with its parents, if it is not there. */
bool mount_place(const char *path, enum plan_mountpoint point);

/* Attach a detached mount. */
bool mount_attach(int mount, const char *path, enum plan_mountpoint point);

/* Bind source, relative to the directory `from` (AT_FDCWD for a path), recursively. */
bool mount_bind(int from, const char *source, const char *path, enum plan_mountpoint point,
		uint64_t attributes);

/* Over a folder goes the folder `empty`. What is not there needs no mask. */
bool mount_mask(const char *path, const char *empty);
bool mount_readonly(const char *path);

/* mkdir -p; the last folder gets mode and owner, also when it was there. */
bool folder_make(const char *path, unsigned mode, unsigned uid, unsigned gid);

#endif

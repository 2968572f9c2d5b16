/* helper/container/clones.h - detached copies of mounts, to be attached inside a container. */
#ifndef CARREL_HELPER_CONTAINER_CLONES_H
#define CARREL_HELPER_CONTAINER_CLONES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

/*
 * A detached copy of what is at `path` (relative to dir; the empty path is dir itself), with all
 * mounts below it. Always private: a mount of the container on it must never appear on the host,
 * nor one of the host inside later (mount_namespaces(7), propagation; a copy made by open_tree(2)
 * is otherwise a peer of the original). MOUNT_ATTR_* are set on all of it. -1 with errno.
 */
int clone_mount(int dir, const char *path, uint64_t attributes);

/* The same of the directory `dir`, without what is mounted below it. */
int clone_mount_alone(int dir, uint64_t attributes);

/*
 * Show the ids on disk 0..65535 as those of the user namespace: mount_setattr(2) with
 * MOUNT_ATTR_IDMAP, on a detached mount. False with errno: EINVAL when the file system cannot
 * (Linux 6.1: ext4, xfs, btrfs, erofs and others; tmpfs since 6.3; never overlayfs, NFS).
 */
bool map_mount(int mount, int user_namespace);

#endif

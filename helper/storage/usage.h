/* helper/storage/usage.h - how full the data of a container are. */
#ifndef CARREL_HELPER_STORAGE_USAGE_H
#define CARREL_HELPER_STORAGE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"
#include "helper/registry/registry.h"
#include "policy/policy.h"

/* UINT64_MAX where nothing is known; a limit of UINT64_MAX: there is none. */
struct storage_usage {
	uint64_t disk_bytes, disk_limit_bytes; /* as df inside shows it: what files can fill */
	uint64_t inodes, inode_limit;
};

void storage_usage_clear(struct storage_usage *usage);

/*
 * Is what statfs(2) tells of the data this container's own use and bound? Always of an image, of a
 * project when it has a limit. Otherwise it is the host's file system, which is nobody's inside to
 * know.
 */
bool storage_is_bounded(const struct stored_record *record, const struct policy *policy);

/*
 * By statfs(2) of data that are mounted and bounded. `layer` may be O_PATH; no path is followed.
 * Nothing is known, and false, when the kernel does not say.
 */
bool storage_usage_mounted(int layer, struct storage_usage *usage);

/*
 * Without mounting anything: by the kernel's account of a project or subvolume, whether it runs or
 * not; of an image by its superblock, which is true when it does not run. What cannot be known this
 * way stays unknown; false with *why when the data are not as they should be.
 */
bool storage_usage_stored(const struct registry *registry, const char *name,
			  const struct config *config, const struct stored_record *record,
			  bool runs, struct storage_usage *usage, struct failure *why);

#endif

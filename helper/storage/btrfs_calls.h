/* helper/storage/btrfs_calls.h - subvolumes and qgroups of btrfs, by descriptor. */
#ifndef CARREL_HELPER_STORAGE_BTRFS_CALLS_H
#define CARREL_HELPER_STORAGE_BTRFS_CALLS_H

#include <stdbool.h>
#include <stdint.h>

enum btrfs_quota {
	BTRFS_QUOTA_NONE,         /* not btrfs */
	BTRFS_QUOTA_OFF,          /* nobody has enabled quotas */
	BTRFS_QUOTA_INCONSISTENT, /* the counts are not right until a rescan is done */
	BTRFS_QUOTA_ON,
};

/* How the file system of `fd` (not O_PATH) stands. */
enum btrfs_quota btrfs_quota_state(int fd);

/* Have the counts made anew, in the background; one that runs already will do. */
void btrfs_quota_rescan(int fd);

/* The following return false with errno. `folder` must not be O_PATH. */
bool btrfs_subvolume_make(int folder, const char *entry);
bool btrfs_subvolume_copy(int subvolume, int folder, const char *entry);
bool btrfs_subvolume_remove(int folder, const char *entry);

/* Is the open folder the top of a subvolume? */
bool btrfs_is_subvolume(int fd);

/* What the subvolume may reference; 0: whatever it likes. */
bool btrfs_limit_set(int subvolume, uint64_t bytes);

/* What the subvolume references and may reference (UINT64_MAX: no bound). */
bool btrfs_limit_get(int subvolume, uint64_t *used, uint64_t *limit);

#endif

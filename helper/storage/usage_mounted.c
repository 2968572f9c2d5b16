/* helper/storage/usage_mounted.c - how full the data of a container are, asked of the mount. */
#include <string.h>
#include <sys/vfs.h>

#include "helper/storage/usage.h"

void storage_usage_clear(struct storage_usage *usage)
{
	memset(usage, 0xff, sizeof(*usage)); /* UINT64_MAX: unknown */
}

bool storage_usage_mounted(int layer, struct storage_usage *usage)
{
	struct statfs now;

	storage_usage_clear(usage);
	if (fstatfs(layer, &now) < 0)
		return false;
	usage->disk_bytes = (uint64_t)(now.f_blocks - now.f_bfree) * (uint64_t)now.f_bsize;
	usage->disk_limit_bytes =
	    usage->disk_bytes + (uint64_t)now.f_bavail * (uint64_t)now.f_bsize;
	if (now.f_files) {
		usage->inodes = now.f_files - now.f_ffree;
		usage->inode_limit = now.f_files;
	}
	return true;
}

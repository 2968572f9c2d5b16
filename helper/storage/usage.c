/* helper/storage/usage.c - how full the data of a container are. */
#include "helper/storage/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/storage/ext4.h"
#include "helper/storage/kinds.h"

#define IMAGE_NAME "layer.ext4"

bool storage_is_bounded(const struct stored_record *record, const struct policy *policy)
{
	if (strcmp(record->storage, "image") == 0)
		return true;
	return strcmp(record->storage, "project") == 0 &&
	       policy->limits.value[LIMIT_DISK] < LIMIT_UNLIMITED;
}

static bool read_image(int image, struct storage_usage *usage, struct failure *why)
{
	unsigned char superblock[EXT4_SUPERBLOCK_BYTES];
	struct ext4_facts facts;

	if (pread(image, superblock, sizeof(superblock), EXT4_SUPERBLOCK_AT) !=
		(ssize_t)sizeof(superblock) ||
	    !ext4_read(superblock, &facts))
		return fail(why, FAILURE_DATA, 0, "its " IMAGE_NAME " holds no ext4 file system");
	usage->disk_bytes = facts.used_blocks * facts.block_bytes;
	usage->disk_limit_bytes = (facts.used_blocks + facts.available_blocks) * facts.block_bytes;
	usage->inode_limit = facts.inodes;
	usage->inodes = facts.inodes - facts.free_inodes;
	return true;
}

static bool read_image_of(int container, struct storage_usage *usage, struct failure *why)
{
	_cleanup_close_ int image =
	    openat(container, IMAGE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (image < 0 || fstat(image, &status) < 0)
		return fail(why, FAILURE_DATA, errno, "cannot open its " IMAGE_NAME);
	if (!S_ISREG(status.st_mode))
		return fail(why, FAILURE_DATA, 0, "its " IMAGE_NAME " is not a file");
	return read_image(image, usage, why);
}

bool storage_usage_stored(const struct registry *registry, const char *name,
			  const struct config *config, const struct stored_record *record,
			  bool runs, struct storage_usage *usage, struct failure *why)
{
	const struct storage_ops *ops = storage_kind_named(record->storage);
	_cleanup_close_ int container = -1;
	struct storage_facts facts;
	char path[4096];

	storage_usage_clear(usage);
	if (!ops || !ops->facts || (ops == &storage_image && runs))
		return true;
	container = registry_state_dir(registry, name, false, why);
	if (container < 0)
		return false;
	if (ops == &storage_image)
		return read_image_of(container, usage, why);
	(void)snprintf(path, sizeof(path), "%s/containers/%s", config->state_dir, name);
	if (!ops->facts(&(struct storage_place){.folder = container,
						.path = path,
						.name = name,
						.config = config,
						.is_patient = true},
			&facts, why))
		return false;
	*usage = (struct storage_usage){.disk_bytes = facts.disk_bytes,
					.disk_limit_bytes = facts.disk_limit_bytes,
					.inodes = facts.inodes,
					.inode_limit = facts.inode_limit};
	return true;
}

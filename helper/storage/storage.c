/* helper/storage/storage.c - choose how a container's data are kept, and lay out what is in them.
 */
#include "helper/storage/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/storage/ext4.h"
#include "helper/storage/ext4_tools.h"
#include "helper/storage/kinds.h"
#include "helper/storage/layer.h"
#include "helper/storage/loop.h"

static const struct {
	const char *name;
	mode_t mode;
} folders[] = {
    {"upper", 0755},
    {"work", 0755},
    {"home", 0755},
    {"var-tmp", 01777},
};

/* Makes what is missing, so that a start that was cut short is completed by the next. */
static bool make_folders(int layer, const char *name, struct failure *why)
{
	for (size_t i = 0; i < ARRAY_LENGTH(folders); i++) {
		if (mkdirat(layer, folders[i].name, 0755) < 0) {
			if (errno == EEXIST)
				continue;
			return fail(why, FAILURE_SYSTEM, errno,
				    "cannot make the layer of '%s' in state_dir", name);
		}
		if (fchmodat(layer, folders[i].name, folders[i].mode, 0) < 0)
			return fail(why, FAILURE_SYSTEM, errno,
				    "cannot set the mode of '%s' in the layer of '%s'",
				    folders[i].name, name);
	}
	return true;
}

static uint64_t wanted(const struct policy *policy, enum limit_id id)
{
	return policy->limits.value[id] < LIMIT_UNLIMITED ? policy->limits.value[id] : 0;
}

static bool is_stored_as(const struct stored_record *record, const char *storage)
{
	return strcmp(record->storage, storage) == 0;
}

/* Nothing is stored yet, or it was all given up with `carrel reset --all`. */
static bool is_new(const struct stored_record *record)
{
	return record->version == 0 || !*record->storage;
}

/* Data are never moved from one kind of storage to another behind the admin's back. */
static bool choose(struct stored_record *record, const char *name, const struct policy *policy,
		   struct failure *why)
{
	bool wants_disk = wanted(policy, LIMIT_DISK) != 0;

	if (is_new(record))
		(void)snprintf(record->storage, sizeof(record->storage), "%s",
			       wants_disk ? "image" : "plain");
	if (is_stored_as(record, "plain") && wants_disk)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "container '%s' was stored without a quota before policy '%s' asked "
			    "for disk: save what is needed and run 'carrel remove %s', or take "
			    "the limit away",
			    name, policy->name, name);
	if (!is_stored_as(record, "plain") && !is_stored_as(record, "image"))
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "container '%s' is stored as '%s', which this build cannot open", name,
			    record->storage);
	return true;
}

static int open_image(int folder, const char *folder_path, const char *name,
		      const struct policy *policy, bool may_make, struct failure *why)
{
	char path[4096];
	struct image_wish wish = {.path = path,
				  .disk = wanted(policy, LIMIT_DISK),
				  .inodes = wanted(policy, LIMIT_INODES),
				  .may_make = may_make};

	(void)snprintf(path, sizeof(path), "%s/layer.ext4", folder_path);
	return image_open(folder, name, &wish, why);
}

int storage_open_at(int folder, const char *path, const char *name, const struct config *config,
		    const struct policy *policy, struct stored_record *record, struct failure *why)
{
	bool may_make = is_new(record);
	_cleanup_close_ int mount = -1;

	if (!storage_check(config, policy, why) || !choose(record, name, policy, why))
		return -1;
	if (is_stored_as(record, "image"))
		mount = open_image(folder, path, name, policy, may_make, why);
	else
		mount = plain_open(folder, name, why);
	if (mount < 0 || !layer_settle(folder, mount, path, why) || !make_folders(mount, name, why))
		return -1;
	return take_fd(&mount);
}

int storage_open(const struct registry *registry, const char *name, const struct config *config,
		 const struct policy *policy, struct stored_record *record, struct failure *why)
{
	_cleanup_close_ int folder = registry_state_dir(registry, name, true, why);
	char path[4096];

	if (folder < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/containers/%s", config->state_dir, name);
	return storage_open_at(folder, path, name, config, policy, record, why);
}

/* What an image needs of the machine, each with what to do where it is missing. */
static bool machine_has_images(const struct policy *policy, struct failure *why)
{
	if (!ext4_tools_exist())
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "policy '%s' asks for disk, which needs mkfs.ext4, e2fsck and "
			    "resize2fs in /sbin: install e2fsprogs",
			    policy->name);
	if (!loop_exists())
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "policy '%s' asks for disk, which needs loop devices: there is no "
			    "/dev/loop-control (modprobe loop)",
			    policy->name);
	return true;
}

bool storage_check(const struct config *config, const struct policy *policy, struct failure *why)
{
	uint64_t disk = wanted(policy, LIMIT_DISK), inodes = wanted(policy, LIMIT_INODES);
	enum storage_kind kind = config->storage;

	if (kind != STORAGE_AUTO && kind != STORAGE_PLAIN && kind != STORAGE_IMAGE)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "storage = %s is not in this version: use auto, image or plain",
			    storage_kind_name(kind));
	if (!disk && !inodes)
		return true;
	if (kind == STORAGE_PLAIN)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "policy '%s' asks for %s, which storage = plain cannot hold: use "
			    "storage = auto or remove the limit",
			    policy->name, disk ? "disk" : "inodes");
	if (!disk)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "policy '%s' asks for inodes without disk: only a disk of its own has "
			    "inodes of its own; set disk too",
			    policy->name);
	if (inodes && !ext4_inodes_for(disk, inodes))
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "policy '%s' asks for inodes = %llu, too few for its disk: %llu is the "
			    "least",
			    policy->name, (unsigned long long)inodes,
			    (unsigned long long)ext4_inodes_least(disk));
	return machine_has_images(policy, why);
}

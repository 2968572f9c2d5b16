/* helper/storage/plain.c - the data of a container in an ordinary folder, with no quota. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/storage/storage.h"

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

static int open_layer(int container, const char *name, struct failure *why)
{
	_cleanup_close_ int layer = -1;

	if (mkdirat(container, "layer", 0755) < 0 && errno != EEXIST)
		return fail_fd(why, FAILURE_SYSTEM, errno,
			       "cannot make the layer of '%s' in state_dir", name);
	layer = dir_open_at(container, "layer", false);
	if (layer < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open the layer of '%s'", name);
	return make_folders(layer, name, why) ? take_fd(&layer) : -1;
}

int storage_open(const struct registry *registry, const char *name, const struct config *config,
		 const struct policy *policy, struct stored_record *record, struct failure *why)
{
	struct mount_attr private = {.propagation = MS_PRIVATE};
	_cleanup_close_ int container = -1;
	_cleanup_close_ int layer = -1;
	_cleanup_close_ int mount = -1;

	if (!storage_check(config, policy, why))
		return -1;
	if (record->version == 0)
		memcpy(record->storage, "plain", sizeof("plain"));
	if (strcmp(record->storage, "plain") != 0)
		return fail_fd(why, FAILURE_UNSUPPORTED, 0,
			       "container '%s' is stored as '%s', which this build cannot open",
			       name, record->storage);
	container = registry_state_dir(registry, name, true, why);
	layer = container < 0 ? -1 : open_layer(container, name, why);
	if (layer < 0)
		return -1;
	mount = open_tree(layer, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (mount < 0 || mount_setattr(mount, "", AT_EMPTY_PATH, &private, sizeof(private)) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot mount the layer of '%s'", name);
	return take_fd(&mount);
}

bool storage_check(const struct config *config, const struct policy *policy, struct failure *why)
{
	const uint64_t *value = policy->limits.value;
	bool wants_disk = value[LIMIT_DISK] < LIMIT_UNLIMITED;
	bool wants_inodes = value[LIMIT_INODES] < LIMIT_UNLIMITED;

	if (config->storage != STORAGE_AUTO && config->storage != STORAGE_PLAIN)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "storage = %s is not in this version: use auto or plain",
			    storage_kind_name(config->storage));
	if (wants_disk || wants_inodes)
		return fail(
		    why, FAILURE_UNSUPPORTED, 0,
		    "policy '%s' asks for %s, which this version cannot enforce: remove the "
		    "limit",
		    policy->name, wants_disk ? "disk" : "inodes");
	return true;
}

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
#include "base/kernel_calls.h"
#include "helper/storage/kinds.h"
#include "helper/storage/layer.h"
#include "helper/storage/move.h"

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

/* Nothing is stored yet, or it was all given up with `carrel reset --all`. */
static bool is_new(const struct stored_record *record)
{
	return record->version == 0 || !*record->storage;
}

static const struct storage_ops *ops_of(enum storage_kind kind)
{
	return storage_kind_named(storage_kind_name(kind));
}

/* The first of those that hold anything. NULL with what is in the way of an image, the last resort
 * on most machines. */
static const struct storage_ops *first_that_holds(int state, const struct config *config,
						  const struct policy *policy,
						  const struct storage_wish *wish,
						  struct failure *why)
{
	const struct storage_ops *kind;
	struct failure ignored;

	for (size_t i = 0; (kind = storage_kind_at(i)); i++)
		if (kind->kind != STORAGE_PLAIN &&
		    kind->can_hold(state, config, policy, wish,
				   kind->kind == STORAGE_IMAGE ? why : &ignored))
			return kind;
	return NULL;
}

/*
 * Which kind is to hold the data: `now` (NULL: there are none yet) as long as it can, unless
 * carrel.conf names another. NULL with *why when none can. `state`: anywhere on the file system.
 */
static const struct storage_ops *choose(int state, const struct config *config,
					const struct policy *policy, const struct storage_ops *now,
					const struct storage_wish *wish, struct failure *why)
{
	const struct storage_ops *named = ops_of(config->storage);
	struct failure ignored;

	if (!wish->disk && !wish->inodes)
		return now ? now : &storage_plain;
	if (config->storage != STORAGE_AUTO)
		return named->can_hold(state, config, policy, wish, why) ? named : NULL;
	if (now && now->can_hold(state, config, policy, wish, &ignored))
		return now;
	return first_that_holds(state, config, policy, wish, why);
}

static struct storage_wish wish_of(const struct policy *policy)
{
	return (struct storage_wish){.disk = wanted(policy, LIMIT_DISK),
				     .inodes = wanted(policy, LIMIT_INODES)};
}

/* What the record says must be there: made anew it would look as if all data were lost. */
static bool find_now(const struct storage_place *place, const struct stored_record *record,
		     const struct storage_ops **now, struct failure *why)
{
	bool has;

	*now = NULL;
	if (is_new(record))
		return true;
	*now = storage_kind_named(record->storage);
	if (!*now)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "container '%s' is stored as '%s', which this build cannot open",
			    place->name, record->storage);
	if (!storage_has(place, (*now)->entry, &has, why))
		return false;
	return has ||
	       fail(why, FAILURE_DATA, 0,
		    "%s/%s is missing, where the data of container '%s' were: put it back from a "
		    "backup, or 'carrel remove %s' to start anew",
		    place->path, (*now)->entry, place->name, place->name);
}

/* Made, moved or left where it is: afterwards `kind` has it. */
static bool settle(const struct storage_place *place, const struct storage_ops *now,
		   const struct storage_ops *kind, const struct storage_wish *wish,
		   struct stored_record *record, struct failure *why)
{
	bool has = true;

	if (now && (now != kind || (kind->is_astray && kind->is_astray(place))))
		return storage_move_to(place, kind, wish, record, why);
	if (!now && (!storage_has(place, kind->entry, &has, why) ||
		     (!has && !storage_make_new(place, kind, wish, why))))
		return false;
	(void)snprintf(record->storage, sizeof(record->storage), "%s",
		       storage_kind_name(kind->kind));
	return true;
}

/* Not for a policy that lets its users become root: set-user-ID files are theirs to use then. */
static bool set_flags(int mount, const struct policy *policy, struct failure *why)
{
	struct mount_attr change = {.attr_set = MOUNT_ATTR_NOSUID};

	return policy->root ||
	       mount_setattr(mount, "", AT_EMPTY_PATH, &change, sizeof(change)) == 0 ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot mount a layer nosuid");
}

static int open_place(const struct storage_place *place, const struct policy *policy,
		      struct stored_record *record, struct failure *why)
{
	const struct storage_wish wish = wish_of(policy);
	const struct storage_ops *now, *kind;
	_cleanup_close_ int mount = -1;

	if (!storage_move_settle(place, record, why) || !find_now(place, record, &now, why))
		return -1;
	kind = choose(place->folder, place->config, policy, now, &wish, why);
	if (!kind || !settle(place, now, kind, &wish, record, why))
		return -1;
	mount = kind->open(place, kind->entry, &wish, why);
	if (mount < 0 || !layer_settle(place->folder, mount, place->path, why) ||
	    !make_folders(mount, place->name, why) || !set_flags(mount, policy, why))
		return -1;
	return take_fd(&mount);
}

static int open_stored(const struct registry *registry, const char *name,
		       const struct config *config, const struct policy *policy,
		       struct stored_record *record, bool *lent, struct failure *why)
{
	_cleanup_close_ int folder = registry_state_dir(registry, name, true, why);
	char path[4096];
	const struct storage_place place = {.folder = folder,
					    .path = path,
					    .name = name,
					    .config = config,
					    .is_patient = !lent,
					    .lent = lent};

	if (folder < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/containers/%s", config->state_dir, name);
	return open_place(&place, policy, record, why);
}

int storage_open(const struct registry *registry, const char *name, const struct config *config,
		 const struct policy *policy, struct stored_record *record, bool *lent,
		 struct failure *why)
{
	return open_stored(registry, name, config, policy, record, lent, why);
}

int storage_open_at(int folder, const char *path, const char *name, const struct config *config,
		    const struct policy *policy, struct stored_record *record, struct failure *why)
{
	const struct storage_place place = {
	    .folder = folder, .path = path, .name = name, .config = config, .is_patient = true};

	return open_place(&place, policy, record, why);
}

static bool read_stored(const struct registry *registry, const char *name,
			struct stored_record *record, struct failure *why)
{
	if (!registry_stored(registry, name, record, why))
		return false;
	if (record->version > STORED_VERSION)
		return fail(
		    why, FAILURE_DATA, 0,
		    "container '%s' was stored by a newer Carrel (layout %llu): install that "
		    "version again",
		    name, (unsigned long long)record->version);
	return true;
}

bool storage_settle(const struct registry *registry, const char *name, const struct config *config,
		    const struct policy *policy, struct failure *why)
{
	struct stored_record record;
	_cleanup_close_ int mount = -1;

	if (!read_stored(registry, name, &record, why))
		return false;
	if (is_new(&record))
		return true;
	mount = open_stored(registry, name, config, policy, &record, NULL, why);
	return mount >= 0;
}

void storage_take_back(const struct registry *registry, const char *name,
		       const struct config *config, const struct policy *policy)
{
	struct failure ignored;
	_cleanup_close_ int folder = registry_state_dir(registry, name, false, &ignored);
	const struct storage_wish wish = wish_of(policy);
	const struct storage_ops *kind;
	struct stored_record record;
	char path[4096];
	const struct storage_place place = {
	    .folder = folder, .path = path, .name = name, .config = config};

	if (folder < 0 || !read_stored(registry, name, &record, &ignored))
		return;
	(void)snprintf(path, sizeof(path), "%s/containers/%s", config->state_dir, name);
	kind = storage_kind_named(record.storage);
	if (kind && kind->take_back)
		kind->take_back(&place, &wish);
}

bool storage_apply(const struct registry *registry, const char *name, const struct config *config,
		   const struct policy *policy, struct failure *why)
{
	_cleanup_close_ int folder = registry_state_dir(registry, name, false, why);
	const struct storage_wish wish = wish_of(policy);
	const struct storage_ops *now, *kind;
	struct stored_record record;
	char path[4096];
	const struct storage_place place = {
	    .folder = folder, .path = path, .name = name, .config = config, .is_patient = true};

	if (folder < 0 || !read_stored(registry, name, &record, why))
		return false;
	(void)snprintf(path, sizeof(path), "%s/containers/%s", config->state_dir, name);
	if (!find_now(&place, &record, &now, why))
		return false;
	kind = choose(folder, config, policy, now, &wish, why);
	if (!kind)
		return false;
	if (kind != now)
		return fail(why, FAILURE_BUSY, 0,
			    "the data of container '%s' must be moved from storage %s to %s, for "
			    "which nobody may use them: run 'carrel stop %s' first",
			    name, record.storage, storage_kind_name(kind->kind), name);
	return now->apply(&place, &wish, why);
}

/* state_dir, or while it has not been made yet what it will be made in. O_PATH. */
static int open_state(const struct config *config, struct failure *why)
{
	_cleanup_free_ char *path = strdup(config->state_dir);
	char *slash;
	int state = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (path && state < 0 && errno == ENOENT && (slash = strrchr(path, '/'))) {
		slash[slash == path] = '\0'; /* the parent of "/x" is "/" */
		state = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (state < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno,
			       "cannot open state_dir '%s': is something not mounted?",
			       config->state_dir);
	return state;
}

bool storage_check(const struct config *config, const struct policy *policy, struct failure *why)
{
	const struct storage_wish wish = wish_of(policy);
	_cleanup_close_ int state = -1;

	if (!wish.disk && !wish.inodes)
		return true;
	state = open_state(config, why);
	return state >= 0 && choose(state, config, policy, NULL, &wish, why) != NULL;
}

/* helper/admin/image_unused.c - remove versions of images, when nobody uses them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/image_store.h"
#include "helper/admin/leftovers.h"
#include "helper/images/erofs_mount.h"
#include "helper/images/versions.h"

/* One image that is looked through. */
struct sweep {
	const struct registry *registry;
	const char *name;
	int image;
	bool dry_run;
	void (*tell)(void *context, const char *kind, const char *name);
	void *context;
	struct failure *why;
};

/* Locks the version for its removal: -1 when a container runs from it, or when that is not known.
 */
static int lock_unused(const struct registry *registry, const char *name, int image,
		       uint32_t number, struct failure *why)
{
	_cleanup_close_ int version = image_version_open(image, number);
	_cleanup_close_ int lock = -1;
	size_t count;

	if (version < 0)
		return fail_fd(why, FAILURE_MISSING, errno, "there is no version %u of it", number);
	lock = image_version_lock(version, true);
	if (lock < 0 && errno != ENOENT)
		return fail_fd(why, errno == EWOULDBLOCK ? FAILURE_BUSY : FAILURE_SYSTEM,
			       errno == EWOULDBLOCK ? 0 : errno,
			       "version %u is in use by a container", number);
	/* Containers that an older Carrel has started hold no lock. */
	if (!image_version_users(registry, name, number, &count, why))
		return -1;
	if (count)
		return fail_fd(why, FAILURE_BUSY, 0, "version %u is in use by %zu container%s",
			       number, count, count == 1 ? "" : "s");
	return lock >= 0 ? take_fd(&lock) : dup(image);
}

static bool may_unmount(void *context, uint32_t number)
{
	const struct sweep *sweep = context;
	_cleanup_close_ int lock = -1;
	struct failure why;

	if (sweep->image < 0)
		return true; /* there is no such image any more */
	lock = lock_unused(sweep->registry, sweep->name, sweep->image, number, &why);
	return lock >= 0 || why.kind == FAILURE_MISSING;
}

static void tell_mount(void *context, const char *name)
{
	const struct sweep *sweep = context;
	char path[512];

	if (!sweep->tell)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", sweep->name, name);
	sweep->tell(sweep->context, "mount of an image", path);
}

static bool unmount_unused(struct sweep *sweep)
{
	return erofs_mount_drop(sweep->registry, sweep->name, sweep->dry_run, may_unmount,
				tell_mount, sweep, sweep->why);
}

bool image_version_remove(const struct registry *registry, const char *name, int image,
			  uint32_t number, struct failure *why)
{
	struct sweep sweep = {.registry = registry, .name = name, .image = image, .why = why};
	_cleanup_close_ int lock = lock_unused(registry, name, image, number, why);
	char folder[IMAGE_VERSION_NAME];

	if (lock < 0)
		return false;
	(void)snprintf(folder, sizeof(folder), "%u", number);
	if (!remove_by_renaming(image, number ? folder : IMAGE_ROOTFS, why))
		return false;
	if (number == 0)
		(void)unlinkat(image, "info", 0);
	return unmount_unused(&sweep);
}

static bool is_needed(int image, uint32_t number, struct failure *why)
{
	uint32_t current, previous;
	bool has_current, has_previous;

	/* Where links are damaged nobody knows what is needed. */
	return !image_link_read(image, IMAGE_CURRENT, &current, &has_current, why) ||
	       !image_link_read(image, IMAGE_PREVIOUS, &previous, &has_previous, why) ||
	       !has_current || number == current || (has_previous && number == previous);
}

static bool remove_unused(struct sweep *sweep, uint32_t number)
{
	struct failure busy;
	char name[96];

	if (is_needed(sweep->image, number, &busy))
		return true;
	{
		_cleanup_close_ int lock =
		    lock_unused(sweep->registry, sweep->name, sweep->image, number, &busy);

		if (lock < 0)
			return busy.kind == FAILURE_BUSY ||
			       fail(sweep->why, busy.kind, 0, "%s", busy.text);
	}
	(void)snprintf(name, sizeof(name), "%s/%u", sweep->name, number);
	if (sweep->tell)
		sweep->tell(sweep->context, "image version", name);
	return sweep->dry_run ||
	       image_version_remove(sweep->registry, sweep->name, sweep->image, number, sweep->why);
}

static void tell_part(void *context, const char *name)
{
	const struct sweep *sweep = context;

	if (sweep->tell)
		sweep->tell(sweep->context, "part of an image", name);
}

bool image_clear_unused(const struct registry *registry, const char *name, bool dry_run,
			void (*tell)(void *context, const char *kind, const char *name),
			void *context, struct failure *why)
{
	_cleanup_close_ int image = dir_open_at(registry->state_images, name, true);
	struct sweep sweep = {registry, name, image, dry_run, tell, context, why};
	uint32_t *numbers;
	size_t count;
	bool cleared = true;

	if (image < 0)
		return errno == ENOENT ? unmount_unused(&sweep)
				       : fail(why, FAILURE_SYSTEM, errno, "cannot open it");
	if (!leftovers_clear(image, dry_run, tell_part, &sweep, why) ||
	    !image_version_list(image, &numbers, &count, why))
		return false;
	for (size_t i = 0; i < count && cleared; i++)
		cleared = remove_unused(&sweep, numbers[i]);
	free(numbers);
	return cleared && unmount_unused(&sweep);
}

/* Mounts of images that are gone: somebody removed them by hand. */
static bool clear_mounts(const struct registry *registry, bool dry_run,
			 void (*tell)(void *context, const char *kind, const char *name),
			 void *context, struct failure *why)
{
	_cleanup_close_ int mounts = dir_open_at(registry->run, "images", true);
	char **names;
	size_t count;
	bool cleared = true;

	if (mounts < 0)
		return true; /* nothing has been mounted since the machine started */
	if (!image_names(mounts, &names, &count, why))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (cleared &&
		    faccessat(registry->state_images, names[i], F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			cleared =
			    image_clear_unused(registry, names[i], dry_run, tell, context, why);
		free(names[i]);
	}
	free(names);
	return cleared;
}

bool images_clear_unused(const struct registry *registry, bool dry_run,
			 void (*tell)(void *context, const char *kind, const char *name),
			 void *context, struct failure *why)
{
	_cleanup_close_ int lock = leftovers_lock(registry->state_images, "images", why);
	struct sweep top = {.tell = tell, .context = context};
	bool cleared = true;
	char **names;
	size_t count;

	if (lock < 0)
		return why->kind == FAILURE_BUSY;
	if (!leftovers_clear(registry->state_images, dry_run, tell_part, &top, why) ||
	    !image_names(registry->state_images, &names, &count, why))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (cleared &&
		    !image_clear_unused(registry, names[i], dry_run, tell, context, why)) {
			failure_prefix(why, "image %s", names[i]);
			cleared = false;
		}
		free(names[i]);
	}
	free(names);
	return cleared && clear_mounts(registry, dry_run, tell, context, why);
}

/* helper/admin/image_store.c - the images below state_dir/images and who uses them. */
#include "helper/admin/image_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/images/versions.h"
#include "policy/policy.h"

static int by_name(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

bool image_names(int folder, char ***names, size_t *count, struct failure *why)
{
	int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	*names = NULL;
	*count = 0;
	if (!stream)
		return fail(why, FAILURE_SYSTEM, errno, "cannot list the images");
	while ((entry = readdir(stream))) {
		char **more;

		if (!name_is_valid(entry->d_name))
			continue;
		more = reallocarray(*names, *count + 1, sizeof(**names));
		if (more)
			*names = more;
		if (!more || !(more[*count] = strdup(entry->d_name))) {
			for (size_t i = 0; i < *count; i++)
				free((*names)[i]);
			free(*names);
			return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot list the images");
		}
		++*count;
	}
	if (*count)
		qsort(*names, *count, sizeof(**names), by_name);
	return true;
}

/* True as well when a record cannot be read: it could name any image. */
static bool uses_image(const struct registry *registry, const char *container, const char *image)
{
	struct running_record running;
	struct stored_record stored;
	_cleanup_close_ int init = -1;
	struct failure ignored;

	if (!registry_stored(registry, container, &stored, &ignored) ||
	    !registry_running(registry, container, &running, &init, &ignored))
		return true;
	return (stored.version && strcmp(stored.image, image) == 0) ||
	       (init >= 0 && strcmp(running.image, image) == 0);
}

bool image_users(const struct registry *registry, const char *name, size_t *count, char *users,
		 size_t size, struct failure *why)
{
	char **names;
	size_t name_count, used = 0;

	*count = 0;
	users[0] = '\0';
	if (!registry_names(registry, &names, &name_count, why))
		return false;
	for (size_t i = 0; i < name_count; i++) {
		if (uses_image(registry, names[i], name)) {
			int length = snprintf(users + used, size - used, "%s%s", *count ? ", " : "",
					      names[i]);

			if (length > 0 && (size_t)length < size - used)
				used += (size_t)length;
			++*count;
		}
		free(names[i]);
	}
	free(names);
	return true;
}

/* `version` NULL: any. */
static bool count_running(const struct registry *registry, const char *name,
			  const uint32_t *version, size_t *count, struct failure *why)
{
	char **names;
	size_t name_count;

	*count = 0;
	if (!registry_names(registry, &names, &name_count, why))
		return false;
	for (size_t i = 0; i < name_count; i++) {
		struct running_record running;
		_cleanup_close_ int init = -1;
		struct failure ignored;

		if (registry_running(registry, names[i], &running, &init, &ignored) && init >= 0)
			*count += strcmp(running.image, name) == 0 &&
				  (!version || running.image_version == *version);
		free(names[i]);
	}
	free(names);
	return true;
}

bool image_running(const struct registry *registry, const char *name, size_t *count,
		   struct failure *why)
{
	return count_running(registry, name, NULL, count, why);
}

bool image_version_users(const struct registry *registry, const char *name, uint32_t version,
			 size_t *count, struct failure *why)
{
	return count_running(registry, name, &version, count, why);
}

bool image_version_check(int image, uint32_t number, struct failure *why)
{
	_cleanup_close_ int version = image_version_open(image, number);

	if (version >= 0 && image_version_is_whole(version))
		return true;
	return fail(why, FAILURE_MISSING, 0, "it has no version %u; see carrel image list", number);
}

bool image_switch(int image, uint32_t number, struct failure *why)
{
	struct failure ignored;
	uint32_t current;
	bool found;

	if (image_link_read(image, IMAGE_CURRENT, &current, &found, &ignored) && found &&
	    current != number && image_version_check(image, current, &ignored) &&
	    !image_link_write(image, IMAGE_PREVIOUS, current, why))
		return false;
	return image_link_write(image, IMAGE_CURRENT, number, why);
}

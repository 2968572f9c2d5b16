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
#include "helper/registry/record.h"
#include "policy/policy.h"

void image_info_read(const struct registry *registry, const char *name, struct image_info *info)
{
	_cleanup_close_ int image = dir_open_at(registry->state_images, name, true);
	_cleanup_free_ char *text = NULL;
	struct record record = {0};
	struct failure ignored;

	*info = (struct image_info){0};
	if (image >= 0)
		text = file_read_at(image, "info", RECORD_SIZE - 1, &record.length, &ignored);
	if (!text)
		return;
	memcpy(record.text, text, record.length + 1);
	info->created_at = record_get_number(&record, "created_at", INT64_MAX);
	record_get(&record, "source", info->source, sizeof(info->source));
}

bool image_info_write(int image, const struct image_info *info, struct failure *why)
{
	struct record record = {0};

	record_put_number(&record, "created_at", info->created_at);
	record_put(&record, "source", info->source);
	if (record.failed)
		return fail(why, FAILURE_REQUEST, 0, "the path of the source is too long");
	return file_replace_at(image, "info", record.text, record.length, 0600, true, why);
}

static int by_name(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

bool image_names(const struct registry *registry, char ***names, size_t *count, struct failure *why)
{
	int again = openat(registry->state_images, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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

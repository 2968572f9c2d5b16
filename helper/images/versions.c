/* helper/images/versions.c - how the versions of an image lie on disk. */
#include "helper/images/versions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/holds.h"
#include "helper/registry/record.h"

#define LOCK_NAME "lock"
#define NEW_LINK  ".new-link"

void image_info_read(int version, struct image_info *info)
{
	_cleanup_free_ char *text = NULL;
	struct record record = {0};
	struct failure ignored;

	*info = (struct image_info){0};
	text = file_read_at(version, "info", RECORD_SIZE - 1, &record.length, &ignored);
	if (!text)
		return;
	memcpy(record.text, text, record.length + 1);
	info->created_at = record_get_number(&record, "created_at", INT64_MAX);
	info->bytes = record_get_number(&record, "bytes", INT64_MAX);
	record_get(&record, "source", info->source, sizeof(info->source));
	record_get(&record, "machine", info->machine, sizeof(info->machine));
}

bool image_info_write(int version, const struct image_info *info, struct failure *why)
{
	struct record record = {0};

	record_put_number(&record, "created_at", info->created_at);
	record_put_number(&record, "bytes", info->bytes);
	record_put(&record, "source", info->source);
	record_put(&record, "machine", info->machine);
	if (record.failed)
		return fail(why, FAILURE_REQUEST, 0, "the path of the source is too long");
	return file_replace_at(version, "info", record.text, record.length, 0600, true, why);
}

bool image_version_parse(const char *text, uint32_t *number)
{
	char *end;
	unsigned long value;

	if (*text < '1' || *text > '9' || strlen(text) >= IMAGE_VERSION_NAME)
		return false;
	value = strtoul(text, &end, 10);
	*number = (uint32_t)value;
	return *end == '\0' && value <= IMAGE_VERSION_MAX;
}

int image_version_open(int image, uint32_t number)
{
	char name[IMAGE_VERSION_NAME];

	if (number == 0)
		return dir_open_at(image, ".", true);
	(void)snprintf(name, sizeof(name), "%u", number);
	return dir_open_at(image, name, true);
}

static bool is_there(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool image_link_read(int image, const char *name, uint32_t *number, bool *found,
		     struct failure *why)
{
	char text[IMAGE_VERSION_NAME + 1];
	ssize_t length = readlinkat(image, name, text, sizeof(text) - 1);

	*number = 0;
	if (length < 0 && errno == ENOENT) {
		*found = strcmp(name, IMAGE_CURRENT) == 0 && is_there(image, IMAGE_ROOTFS);
		return true;
	}
	*found = true;
	text[length < 0 ? 0 : length] = '\0';
	if (length >= 0 && (strcmp(text, "0") == 0 || image_version_parse(text, number)))
		return true;
	return fail(why, FAILURE_DATA, length < 0 ? errno : 0,
		    "its link '%s' names no version: choose one with 'carrel image use'", name);
}

bool image_link_write(int image, const char *name, uint32_t number, struct failure *why)
{
	_cleanup_close_ int synced = openat(image, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[IMAGE_VERSION_NAME];

	(void)snprintf(text, sizeof(text), "%u", number);
	(void)unlinkat(image, NEW_LINK, 0);
	if (synced < 0 || symlinkat(text, image, NEW_LINK) < 0 ||
	    renameat(image, NEW_LINK, image, name) < 0 || fsync(synced) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot set its link '%s'", name);
	return true;
}

static int ascending(const void *left, const void *right)
{
	uint32_t one = *(const uint32_t *)left, other = *(const uint32_t *)right;

	return (one > other) - (one < other);
}

static bool add_number(uint32_t **numbers, size_t *count, uint32_t number)
{
	uint32_t *more = reallocarray(*numbers, *count + 1, sizeof(*more));

	if (!more)
		return false;
	more[(*count)++] = number;
	*numbers = more;
	return true;
}

bool image_version_list(int image, uint32_t **numbers, size_t *count, struct failure *why)
{
	int again = openat(image, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;
	bool added = true;

	*numbers = NULL;
	*count = 0;
	if (!stream)
		return fail(why, FAILURE_SYSTEM, errno, "cannot list its versions");
	if (is_there(image, IMAGE_ROOTFS))
		added = add_number(numbers, count, 0);
	while (added && (entry = readdir(stream))) {
		uint32_t number;

		if (image_version_parse(entry->d_name, &number))
			added = add_number(numbers, count, number);
	}
	if (!added) {
		free(*numbers);
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot list its versions");
	}
	if (*count)
		qsort(*numbers, *count, sizeof(**numbers), ascending);
	return true;
}

bool image_version_is_whole(int version)
{
	return is_there(version, IMAGE_ROOTFS) || is_there(version, IMAGE_EROFS);
}

int image_version_lock(int version, bool exclusive)
{
	_cleanup_close_ int lock =
	    openat(version, LOCK_NAME, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	_cleanup_close_ int hold = lock < 0 || exclusive ? -1 : hold_shared(version, lock);
	struct stat status;

	if (lock < 0 || (exclusive ? !hold_exclusive(version, lock) : hold < 0) ||
	    fstat(lock, &status) < 0)
		return -1;
	/* Between the open and the lock its remover may have come and gone. */
	if (status.st_nlink == 0 || !image_version_is_whole(version)) {
		errno = ENOENT;
		return -1;
	}
	return exclusive ? take_fd(&lock) : take_fd(&hold);
}

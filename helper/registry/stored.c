/* helper/registry/stored.c - the record of a stored container, and the list of all names. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "helper/registry/record.h"
#include "helper/registry/registry.h"
#include "policy/policy.h"

/* In one system call to open it, since a list has thousands to read. */
static bool read_stored(int folder, const char *path, const char *name,
			struct stored_record *record, struct failure *why)
{
	struct record raw;
	bool found;

	memset(record, 0, sizeof(*record));
	if (!record_load(folder, path, &raw, &found, why)) {
		failure_prefix(why, "container '%s'", name);
		return false;
	}
	if (!found)
		return true;
	record->version = record_get_number(&raw, "version", 1000);
	record->created_at = record_get_number(&raw, "created_at", UINT64_MAX);
	record->last_used_at = record_get_number(&raw, "last_used_at", UINT64_MAX);
	record_get(&raw, "user", record->user, sizeof(record->user));
	record_get(&raw, "policy", record->policy, sizeof(record->policy));
	record_get(&raw, "image", record->image, sizeof(record->image));
	record_get(&raw, "storage", record->storage, sizeof(record->storage));
	if (raw.failed || record->version == 0)
		return fail(
		    why, FAILURE_DATA, 0,
		    "the record 'stored' of container '%s' is damaged: its data is untouched; "
		    "restore the record from a backup, or 'carrel remove %s' to start anew",
		    name, name);
	return true;
}

bool stored_read_at(int folder, const char *name, struct stored_record *record, struct failure *why)
{
	return read_stored(folder, "stored", name, record, why);
}

bool registry_stored(const struct registry *registry, const char *name,
		     struct stored_record *record, struct failure *why)
{
	char path[80];
	uint64_t used;

	(void)snprintf(path, sizeof(path), "%.64s/stored", name);
	if (!read_stored(registry->state_containers, path, name, record, why))
		return false;
	(void)snprintf(path, sizeof(path), "%.64s/" USED_FILE, name);
	used = record->version ? used_read(registry->state_containers, path) : 0;
	if (used)
		record->last_used_at = used;
	return true;
}

static bool format_stored(const struct stored_record *record, struct record *raw)
{
	memset(raw, 0, sizeof(*raw));
	record_put_number(raw, "version", record->version);
	record_put_number(raw, "created_at", record->created_at);
	record_put_number(raw, "last_used_at", record->last_used_at);
	record_put(raw, "user", record->user);
	record_put(raw, "policy", record->policy);
	record_put(raw, "image", record->image);
	record_put(raw, "storage", record->storage);
	return !raw->failed;
}

/*
 * When the time of the last use is all that is new, it is written over the old one: as long as
 * that, within a sector. So a power cut leaves one or the other without the milliseconds of a sync,
 * which a renamed file needs: else it may be empty afterwards, and then nobody gets in.
 */
static bool write_time_only(int folder, const char *name, const struct stored_record *record,
			    const struct record *raw)
{
	_cleanup_close_ int fd = -1;
	struct stored_record before;
	struct failure ignored;
	struct record text;
	struct stat status;

	if (!stored_read_at(folder, name, &before, &ignored) || before.version == 0)
		return false;
	before.last_used_at = record->last_used_at;
	if (!format_stored(&before, &text) || text.length != raw->length ||
	    memcmp(text.text, raw->text, raw->length) != 0)
		return false;
	fd = openat(folder, "stored", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && fstat(fd, &status) == 0 && (size_t)status.st_size == raw->length &&
	       file_write_all(fd, raw->text, raw->length);
}

bool stored_write_at(int folder, const char *name, const struct stored_record *record,
		     struct failure *why)
{
	struct record raw;

	if (!format_stored(record, &raw))
		return fail(why, FAILURE_DATA, 0, "the record of container '%s' is too long", name);
	return write_time_only(folder, name, record, &raw) ||
	       file_replace_at(folder, "stored", raw.text, raw.length, 0600, true, why);
}

bool registry_write_stored(const struct registry *registry, const char *name,
			   const struct stored_record *record, struct failure *why)
{
	_cleanup_close_ int dir = dir_open_at(registry->state_containers, name, true);

	if (dir < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open the stored container '%s'",
			    name);
	return stored_write_at(dir, name, record, why);
}

struct name_list {
	char **items;
	size_t count, size;
};

static bool add_name(struct name_list *list, const char *name)
{
	if (list->count == list->size) {
		size_t size = list->size ? list->size * 2 : 64;
		char **items = reallocarray(list->items, size, sizeof(*items));

		if (!items)
			return false;
		list->items = items;
		list->size = size;
	}
	list->items[list->count] = strdup(name);
	return list->items[list->count] && ++list->count;
}

static bool add_directory(struct name_list *list, int parent, struct failure *why)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_close_ int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return fail(why, FAILURE_SYSTEM, errno, "cannot list the containers");
	fd = -1;
	while ((entry = readdir(dir)))
		if (name_is_valid(entry->d_name) && !add_name(list, entry->d_name))
			return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot list the containers");
	return true;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void drop_doubles(struct name_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (kept && strcmp(list->items[kept - 1], list->items[i]) == 0)
			free(list->items[i]);
		else
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

bool registry_names(const struct registry *registry, char ***names, size_t *count,
		    struct failure *why)
{
	struct name_list list = {0};

	if (!add_directory(&list, registry->state_containers, why) ||
	    !add_directory(&list, registry->run_containers, why)) {
		for (size_t i = 0; i < list.count; i++)
			free(list.items[i]);
		free(list.items);
		return false;
	}
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), compare_names);
	drop_doubles(&list);
	*names = list.items;
	*count = list.count;
	return true;
}

int registry_open_used(const struct registry *registry, const char *name, struct failure *why)
{
	_cleanup_close_ int dir = registry_state_dir(registry, name, false, why);
	_cleanup_close_ int file = -1;
	struct stat status;

	if (dir < 0)
		return -1;
	file = openat(dir, USED_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (file < 0 || fstat(file, &status) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno,
			       "cannot open the record of when '%s' was used", name);
	if (!S_ISREG(status.st_mode))
		return fail_fd(why, FAILURE_DATA, 0,
			       "the record of when '%s' was used is no regular file: remove it "
			       "('" USED_FILE "' beside its record 'stored')",
			       name);
	return take_fd(&file);
}

/* helper/storage/layer.c - open and copy the data of a container, of whatever kind they are. */
#include "helper/storage/layer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/storage/btrfs_calls.h"
#include "helper/storage/file_copy.h"
#include "helper/storage/kinds.h"
#include "helper/storage/tree_copy.h"

/* What is nested deeper than a copy can be is not worth an exact number. */
#define USAGE_DEPTH_MAX 200

static struct storage_place place_of(const struct store *store)
{
	return (struct storage_place){
	    .folder = store->folder, .path = store->path, .name = store->path, .is_patient = true};
}

static bool copy_folder(const struct store *store, int layer, int to, struct failure *why);
static bool copy_subvolume(const struct store *store, int layer, int to, struct failure *why);
static bool copy_image(const struct store *store, int layer, int to, struct failure *why);

static uint64_t usage_of_folder(const struct store *store);
static uint64_t usage_of_image(const struct store *store);

/* By the names in the record. */
static const struct layer_kind {
	const struct storage_ops *ops;
	bool (*copy)(const struct store *store, int layer, int to, struct failure *why);
	uint64_t (*usage)(const struct store *store);
} kinds[] = {
    {&storage_plain, copy_folder, usage_of_folder},
    {&storage_project, copy_folder, usage_of_folder},
    {&storage_btrfs, copy_subvolume, usage_of_folder},
    {&storage_image, copy_image, usage_of_image},
};

/* NULL with *why; a store without any layer yet has no kind either. */
static const struct layer_kind *kind_of(const struct store *store, struct failure *why)
{
	const char *name = store->record.storage;

	for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
		if (strcmp(storage_kind_name(kinds[i].ops->kind), name) == 0)
			return &kinds[i];
	if (*name)
		(void)fail(why, FAILURE_UNSUPPORTED, 0,
			   "%s is stored as '%s', which this build cannot open", store->path, name);
	else
		(void)fail(why, FAILURE_MISSING, 0, "%s holds no data yet", store->path);
	return NULL;
}

static int look(const struct store *store, const struct layer_kind *kind, struct failure *why)
{
	const struct storage_place place = place_of(store);
	const char *entry = kind->ops->entry;

	if (faccessat(store->folder, entry, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return fail_fd(why, FAILURE_MISSING, 0, "there is no %s/%s", store->path, entry);
	return kind->ops->look(&place, entry, why);
}

int layer_open(const struct store *store, struct failure *why)
{
	const struct layer_kind *kind = kind_of(store, why);

	return kind ? look(store, kind, why) : -1;
}

/* A device node in a layer can only be root's own work on the host: nothing of the container's. */
static void tell_nothing(void *context, const char *path, const char *what)
{
	(void)context;
	(void)path;
	(void)what;
}

/* The copy is in no project: its files count for nobody, and storage_open puts that right. */
static bool copy_folder(const struct store *store, int layer, int to, struct failure *why)
{
	const char *entry = storage_kind_named(store->record.storage)->entry;
	struct tree_copy counts = {.tell = tell_nothing, .is_layer = true};
	_cleanup_close_ int copy = -1;

	if (mkdirat(to, entry, 0755) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make the copy of %s", store->path);
	copy = dir_open_at(to, entry, false);
	if (copy < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open the copy of %s", store->path);
	if (!tree_copy(layer, copy, NULL, &counts, why)) {
		failure_prefix(why, "copying %s/%s", store->path, entry);
		return false;
	}
	return true;
}

/*
 * By a snapshot, which is there at once whatever the size. With simple quotas who wrote the data
 * first, the container, stays charged for what it deletes as long as the snapshot has it.
 */
static bool copy_subvolume(const struct store *store, int layer, int to, struct failure *why)
{
	_cleanup_close_ int folder = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return (folder >= 0 && btrfs_subvolume_copy(layer, folder, storage_btrfs.entry)) ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot make a btrfs snapshot of %s", store->path);
}

/* The layer is mounted and synced: what its journal holds is for the next mount of the copy. */
static bool copy_image(const struct store *store, int layer, int to, struct failure *why)
{
	_cleanup_close_ int from =
	    openat(store->folder, storage_image.entry, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int copy = openat(
	    to, storage_image.entry, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat status;

	(void)layer;
	if (from < 0 || copy < 0 || fstat(from, &status) < 0 ||
	    !file_copy_data(from, copy, (uint64_t)status.st_size))
		return fail(why, FAILURE_SYSTEM, errno, "cannot copy %s/%s", store->path,
			    storage_image.entry);
	return true;
}

bool layer_copy(const struct store *store, int to, struct failure *why)
{
	const struct layer_kind *kind = kind_of(store, why);
	_cleanup_close_ int layer = -1, target = -1;

	layer = kind ? look(store, kind, why) : -1;
	if (layer < 0)
		return why->kind == FAILURE_MISSING;
	if (syncfs(layer) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot sync %s", store->path);
	if (!kind->copy(store, layer, to, why))
		return false;
	target = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target < 0 || syncfs(target) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot sync the copy of %s", store->path);
	return true;
}

/* A file with several names counts in parts with each of them. */
static uint64_t usage_below(int dir, unsigned depth)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;
	uint64_t bytes = 0;

	while (stream && (entry = readdir(stream))) {
		_cleanup_close_ int below = -1;
		struct stat status;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(dir, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		bytes += (uint64_t)status.st_blocks * 512 /
			 (S_ISDIR(status.st_mode) ? 1 : status.st_nlink);
		if (!S_ISDIR(status.st_mode) || depth == USAGE_DEPTH_MAX)
			continue;
		below = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0)
			bytes += usage_below(below, depth + 1);
	}
	return bytes;
}

static uint64_t usage_of_folder(const struct store *store)
{
	struct failure ignored;
	_cleanup_close_ int layer = layer_open(store, &ignored);

	return layer < 0 ? 0 : usage_below(layer, 0);
}

static uint64_t usage_of_image(const struct store *store)
{
	struct stat status;

	if (fstatat(store->folder, storage_image.entry, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : UINT64_MAX;
	return (uint64_t)status.st_blocks * 512;
}

uint64_t layer_usage(const struct store *store)
{
	struct failure why;
	const struct layer_kind *kind = kind_of(store, &why);

	if (kind)
		return kind->usage(store);
	return why.kind == FAILURE_MISSING ? 0 : UINT64_MAX;
}

/* helper/storage/layer_change.c - changes inside of a layer that can be cut short anywhere. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "helper/storage/layer.h"

/*
 * The mark, in the folder of the store. RESET: what is not home is to be moved away, whatever has
 * been moved by now; nobody may use the layer before. TIDY: there may be something to remove.
 */
#define MARK       "pending"
#define MARK_RESET "reset\n"
#define MARK_TIDY  "tidy\n"

#define REMOVING ".removing-"
#define NEW      ".new-"

static const char *const emptied[] = {"upper", "work", "var-tmp"};

static bool set_mark(int folder, const char *text, struct failure *why)
{
	return file_replace_at(folder, MARK, text, strlen(text), 0600, true, why);
}

static bool sync_folder(int folder)
{
	_cleanup_close_ int readable = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return readable >= 0 && fsync(readable) == 0;
}

static bool clear_mark(int folder, struct failure *why)
{
	if ((unlinkat(folder, MARK, 0) < 0 && errno != ENOENT) || !sync_folder(folder))
		return fail(why, FAILURE_SYSTEM, errno, "cannot take the mark '" MARK "' away");
	return true;
}

/* By a name that nothing has yet: what an earlier attempt has moved away may still be there. */
static bool move_away(int layer, const char *name, struct failure *why)
{
	char aside[64];

	for (unsigned number = 0;; number++) {
		(void)snprintf(aside, sizeof(aside), REMOVING "%s-%u", name, number);
		if (renameat2(layer, name, layer, aside, RENAME_NOREPLACE) == 0 || errno == ENOENT)
			return true;
		if (errno != EEXIST)
			return fail(why, FAILURE_SYSTEM, errno, "cannot move '%s' away", name);
	}
}

static bool complete_reset(int folder, int layer, struct failure *why)
{
	_cleanup_close_ int readable = openat(layer, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_LENGTH(emptied); i++)
		if (!move_away(layer, emptied[i], why))
			return false;
	/* A later start makes the folders anew and uses them: the mark must not outlive this. */
	if (readable < 0 || syncfs(readable) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot sync the layer");
	return set_mark(folder, MARK_TIDY, why);
}

bool layer_settle(int folder, int layer, const char *path, struct failure *why)
{
	_cleanup_free_ char *mark = NULL;
	bool settled;

	if (!layer_is_untidy(folder))
		return true;
	mark = file_read_at(folder, MARK, 64, NULL, why);
	if (!mark)
		return false;
	if (strcmp(mark, MARK_TIDY) == 0)
		return true;
	settled = strcmp(mark, MARK_RESET) == 0
		      ? complete_reset(folder, layer, why)
		      : fail(why, FAILURE_DATA, 0, "the mark '" MARK "' is not one of ours");
	if (!settled)
		failure_prefix(why, "completing what was begun with %s", path);
	return settled;
}

bool layer_is_untidy(int folder)
{
	return faccessat(folder, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static bool is_leftover(const char *name)
{
	return strncmp(name, REMOVING, strlen(REMOVING)) == 0 ||
	       strncmp(name, NEW, strlen(NEW)) == 0;
}

static bool remove_leftovers(int layer, struct failure *why)
{
	int again = openat(layer, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	if (!stream)
		return fail(why, FAILURE_SYSTEM, errno, "cannot look through the layer");
	while ((entry = readdir(stream)))
		if (is_leftover(entry->d_name) && !tree_remove_at(layer, entry->d_name, why))
			return false;
	return true;
}

bool layer_tidy(const struct store *store, struct failure *why)
{
	_cleanup_close_ int layer = -1;

	if (!layer_is_untidy(store->folder))
		return true;
	layer = layer_open(store, why);
	if (layer < 0)
		return why->kind == FAILURE_MISSING && clear_mark(store->folder, why);
	return layer_settle(store->folder, layer, store->path, why) &&
	       remove_leftovers(layer, why) && clear_mark(store->folder, why);
}

bool layer_reset(const struct store *store, struct failure *why)
{
	/* Opened first: a layer that cannot be opened is not marked as emptied either. */
	_cleanup_close_ int layer = layer_open(store, why);

	if (layer < 0)
		return why->kind == FAILURE_MISSING;
	return set_mark(store->folder, MARK_RESET, why) && layer_tidy(store, why);
}

int layer_stage_home(const struct store *store, int layer, struct failure *why)
{
	int home;

	if (!set_mark(store->folder, MARK_TIDY, why))
		return -1;
	if (mkdirat(layer, LAYER_NEW_HOME, 0755) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot make a new home");
	home = dir_open_at(layer, LAYER_NEW_HOME, false);
	if (home < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open the new home");
	return home;
}

bool layer_commit_home(int layer, struct failure *why)
{
	_cleanup_close_ int readable = openat(layer, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (readable < 0 || syncfs(readable) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot sync the new home");
	if (renameat2(layer, LAYER_NEW_HOME, layer, "home", RENAME_EXCHANGE) < 0 &&
	    (errno != ENOENT ||
	     renameat2(layer, LAYER_NEW_HOME, layer, "home", RENAME_NOREPLACE) < 0))
		return fail(why, FAILURE_SYSTEM, errno, "cannot put the new home in place");
	return fsync(readable) == 0 || fail(why, FAILURE_SYSTEM, errno, "cannot sync the layer");
}

/* helper/admin/snapshots.c - make, name and remove stored states; swap one for the container's. */
#include "helper/admin/snapshots.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/admin.h"
#include "helper/registry/record.h"

#define SWAP   ".swap-"
#define STAGED "staged"
#define RECORD "snapshot"

bool label_check(const char *label, struct failure *why)
{
	char rest[LABEL_SIZE + 1];

	/* A name may not begin with a digit; a label, which is often a date, may. */
	if (strlen(label) < LABEL_SIZE &&
	    (name_is_valid(label) ||
	     (isdigit((unsigned char)label[0]) &&
	      (snprintf(rest, sizeof(rest), "_%s", label + 1), name_is_valid(rest)))))
		return true;
	return fail(why, FAILURE_REQUEST, 0,
		    "'%.80s' cannot be a label: it takes small letters, digits, '_', '.' and '-', "
		    "at most %d, and begins with none of the last two",
		    label, LABEL_SIZE - 1);
}

void label_of_now(const char *prefix, char label[LABEL_SIZE])
{
	time_t now = time(NULL);
	struct tm utc;
	char text[32] = "";

	if (gmtime_r(&now, &utc))
		(void)strftime(text, sizeof(text), "%Y-%m-%dt%H-%M-%Sz", &utc);
	(void)snprintf(label, LABEL_SIZE, "%.40s%s", prefix, text);
}

static bool sync_folder(int folder)
{
	_cleanup_close_ int readable = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return readable >= 0 && fsync(readable) == 0;
}

static bool exists(int folder, const char *name)
{
	return faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static bool write_record(int folder, const char *path, const struct stored_record *stored,
			 struct failure *why)
{
	const struct store store = {.folder = folder, .path = path, .record = *stored};
	struct record record = {0};

	record_put_number(&record, "taken_at", (uint64_t)time(NULL));
	record_put_number(&record, "bytes", layer_usage(&store));
	record_put(&record, "admin", admin_name());
	return file_replace_at(folder, RECORD, record.text, record.length, 0600, true, why);
}

/* LABEL, or LABEL.2 and so on when that is taken. */
static bool give_label(int snapshots, const char *name, const char *label, struct failure *why)
{
	char chosen[LABEL_SIZE + 12];

	(void)snprintf(chosen, sizeof(chosen), "%s", label);
	for (unsigned number = 2; !rename_to_new_at(snapshots, name, snapshots, chosen); number++) {
		if (errno != EEXIST)
			return fail(why, FAILURE_SYSTEM, errno, "cannot name the snapshot '%s'",
				    label);
		(void)snprintf(chosen, sizeof(chosen), "%.55s.%u", label, number);
	}
	return sync_folder(snapshots) ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot record the snapshot '%s'", label);
}

/* What was swapped out becomes a snapshot of its own. */
static bool keep_swapped(struct data *data, const char *name, struct failure *why)
{
	_cleanup_close_ int folder = dir_open_at(data->snapshots, name, true);
	struct stored_record stored;

	if (folder < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open the state before");
	if (exists(folder, STAGED))
		return tree_remove_at(data->snapshots, name, why);
	return stored_read_at(folder, data->name, &stored, why) &&
	       write_record(folder, data->path, &stored, why) &&
	       give_label(data->snapshots, name, name + strlen(SWAP), why);
}

static bool settle_one(struct data *data, const char *name, struct failure *why)
{
	if (strncmp(name, SWAP, strlen(SWAP)) == 0)
		return keep_swapped(data, name, why);
	if (strncmp(name, LEFTOVER_NEW, strlen(LEFTOVER_NEW)) == 0 ||
	    strncmp(name, LEFTOVER_REMOVING, strlen(LEFTOVER_REMOVING)) == 0)
		return tree_remove_at(data->snapshots, name, why);
	return true;
}

static bool has_parts(int folder)
{
	int again = folder < 0 ? -1 : openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		if (entry->d_name[0] == '.' && entry->d_name[1] && entry->d_name[1] != '.')
			return true;
	return false;
}

bool snapshots_are_unsettled(int folder, int snapshots)
{
	return has_parts(folder) || has_parts(snapshots) || (folder >= 0 && exists(folder, STAGED));
}

/* Records and images that were being written: whole ones have taken their name (base/files.h). */
static bool drop_parts(struct data *data, struct failure *why)
{
	int again = openat(data->store.folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	if (!stream)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read %s", data->path);
	while ((entry = readdir(stream)))
		if (strncmp(entry->d_name, LEFTOVER_NEW, strlen(LEFTOVER_NEW)) == 0 &&
		    unlinkat(data->store.folder, entry->d_name, 0) < 0)
			return fail(why, FAILURE_SYSTEM, errno, "cannot remove %s/%s", data->path,
				    entry->d_name);
	return true;
}

/* The mark first: with it still there a later swap would be taken for one that never was. */
static bool drop_staged_mark(struct data *data, struct failure *why)
{
	if (unlinkat(data->store.folder, STAGED, 0) == 0)
		return sync_folder(data->store.folder) ||
		       fail(why, FAILURE_SYSTEM, errno, "cannot sync %s", data->path);
	return errno == ENOENT ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot remove the mark '" STAGED "'");
}

bool snapshots_settle(struct data *data, struct failure *why)
{
	int again = data->snapshots < 0
			? -1
			: openat(data->snapshots, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	if (data->store.folder >= 0 && (!drop_staged_mark(data, why) || !drop_parts(data, why)))
		return false;
	if (data->snapshots < 0)
		return true;
	if (!stream)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the snapshots");
	while ((entry = readdir(stream)))
		if (entry->d_name[0] == '.' && !settle_one(data, entry->d_name, why))
			return false;
	return true;
}

bool snapshot_open(const struct data *data, const char *label, struct store *store, char path[4096],
		   struct failure *why)
{
	if (!label_check(label, why))
		return false;
	(void)snprintf(path, 4096, "%s/snapshots/%s/%s", data->context->config->state_dir,
		       data->name, label);
	*store = (struct store){.path = path};
	store->folder = data->snapshots < 0 ? -1 : dir_open_at(data->snapshots, label, true);
	if (store->folder < 0 && (data->snapshots < 0 || errno == ENOENT))
		return fail(why, FAILURE_MISSING, 0,
			    "there is no snapshot '%s'; 'carrel snapshots %s' lists them", label,
			    data->name);
	if (store->folder < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open the snapshot '%s'", label);
	if (stored_read_at(store->folder, data->name, &store->record, why))
		return true;
	cleanup_close(&store->folder);
	store->folder = -1;
	return false;
}

bool stage_begin(struct data *data, const char *keep, struct stage *stage, struct failure *why)
{
	stage->folder = -1;
	stage->label[0] = '\0';
	if (data->snapshots < 0)
		data->snapshots =
		    registry_snapshots_dir(&data->context->registry, data->name, true, why);
	if (data->snapshots < 0 ||
	    !leftover_name(keep ? LEFTOVER_NEW : LEFTOVER_REMOVING, data->name, stage->name, why))
		return false;
	if (keep)
		label_of_now(keep, stage->label);
	(void)snprintf(stage->path, sizeof(stage->path), "%s/snapshots/%s/%s",
		       data->context->config->state_dir, data->name, stage->name);
	if (mkdirat(data->snapshots, stage->name, 0700) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make %s", stage->path);
	stage->folder = dir_open_at(data->snapshots, stage->name, true);
	return stage->folder >= 0 ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot open %s", stage->path);
}

/* From here on the name says how to tell the two states apart. */
static bool name_swap(struct data *data, struct stage *stage, struct failure *why)
{
	char swap[LEFTOVER_NAME_MAX];

	(void)snprintf(swap, sizeof(swap), SWAP "%s", stage->label);
	if (!file_replace_at(stage->folder, STAGED, "", 0, 0600, true, why))
		return false;
	if (!rename_to_new_at(data->snapshots, stage->name, data->snapshots, swap) ||
	    !sync_folder(data->snapshots))
		return fail(why, FAILURE_SYSTEM, errno, "cannot name %s", stage->path);
	memcpy(stage->name, swap, sizeof(swap));
	return true;
}

static bool swap(struct data *data, struct stage *stage, struct failure *why)
{
	int containers = data->context->registry.state_containers;
	bool done = data->store.folder < 0
			? rename_to_new_at(data->snapshots, stage->name, containers, data->name)
			: renameat2(data->snapshots, stage->name, containers, data->name,
				    RENAME_EXCHANGE) == 0;

	if (!done && errno == EINVAL)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "the file system of state_dir cannot exchange two names at once (FUSE, "
			    "NFS and CIFS cannot): a state can only be brought back on another");
	if (!done)
		return fail(why, FAILURE_SYSTEM, errno, "cannot put the new state in place");
	if (!sync_folder(containers) || !sync_folder(data->snapshots))
		return fail(why, FAILURE_SYSTEM, errno, "cannot record the new state");
	return true;
}

bool stage_commit(struct data *data, struct stage *stage, struct failure *why)
{
	bool had_state = data->store.folder >= 0;

	if (!had_state)
		stage->label[0] = '\0';
	if (!sync_folder(stage->folder))
		return fail(why, FAILURE_SYSTEM, errno, "cannot sync %s", stage->path);
	if ((*stage->label && !name_swap(data, stage, why)) || !swap(data, stage, why))
		return false;
	cleanup_close(&data->store.folder);
	data->store.folder = take_fd(&stage->folder);
	if (!drop_staged_mark(data, why))
		return false;
	if (!had_state)
		return true;
	return *stage->label ? keep_swapped(data, stage->name, why)
			     : tree_remove_at(data->snapshots, stage->name, why);
}

void stage_end(struct data *data, struct stage *stage)
{
	struct failure ignored;

	if (stage->folder < 0)
		return;
	cleanup_close(&stage->folder);
	stage->folder = -1;
	(void)tree_remove_at(data->snapshots, stage->name, &ignored);
}

bool snapshot_take(struct data *data, const char *label, struct failure *why)
{
	struct hold hold;
	struct stage stage;
	bool taken;

	if (!label_check(label, why))
		return false;
	if (data->snapshots >= 0 && exists(data->snapshots, label))
		return fail(why, FAILURE_BUSY, 0,
			    "there is a snapshot '%s' already: choose another label, or remove "
			    "that one ('carrel snapshots %s --remove %s')",
			    label, data->name, label);
	taken = stage_begin(data, "", &stage, why) && data_hold(data, &hold, why);
	if (taken) {
		taken = layer_copy(&data->store, stage.folder, why);
		data_release(&hold);
	}
	if (taken)
		taken = stored_write_at(stage.folder, data->name, &data->store.record, why) &&
			write_record(stage.folder, data->path, &data->store.record, why) &&
			give_label(data->snapshots, stage.name, label, why);
	if (taken)
		cleanup_close(&stage.folder);
	else
		stage_end(data, &stage);
	return taken;
}

bool snapshot_remove(const struct data *data, const char *label, struct failure *why)
{
	if (!label_check(label, why))
		return false;
	if (data->snapshots < 0 || !exists(data->snapshots, label))
		return fail(why, FAILURE_MISSING, 0,
			    "there is no snapshot '%s'; 'carrel snapshots %s' lists them", label,
			    data->name);
	return remove_by_renaming(data->snapshots, label, why);
}

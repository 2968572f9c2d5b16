/* helper/storage/move.c - data of a container go from one kind of storage to another. */
#include "helper/storage/move.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "helper/storage/spare.h"
#include "helper/storage/tree_copy.h"
#include "helper/storage/tree_size.h"

#define NEW   ".new-"
#define MOVED ".moved-"
#define OLD   ".old-"

/* What a login can wait for. A copy that takes longer than expected is given up. */
#define LOGIN_BYTES   (UINT64_C(256) << 20)
#define LOGIN_ENTRIES 20000
#define LOGIN_SECONDS 20

/* Beside the data themselves: what a file system needs of its own. */
#define SPARE_BYTES (UINT64_C(16) << 20)

struct move {
	const struct storage_place *place;
	const struct storage_ops *from, *to;
	const struct storage_wish *wish;
	struct stored_record *record;
};

static void prefixed(char entry[STORAGE_ENTRY_SIZE], const char *prefix,
		     const struct storage_ops *kind)
{
	(void)snprintf(entry, STORAGE_ENTRY_SIZE, "%s%s", prefix, kind->entry);
}

bool storage_has(const struct storage_place *place, const char *entry, bool *has,
		 struct failure *why)
{
	*has = faccessat(place->folder, entry, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return *has || errno == ENOENT ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot tell whether there is %s/%s", place->path,
		    entry);
}

static bool sync_folder(const struct storage_place *place, struct failure *why)
{
	_cleanup_close_ int folder = openat(place->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return (folder >= 0 && fsync(folder) == 0) ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot sync %s", place->path);
}

static bool rename_entry(const struct storage_place *place, const char *from, const char *to,
			 struct failure *why)
{
	return (rename_to_new_at(place->folder, from, place->folder, to) ||
		fail(why, FAILURE_SYSTEM, errno, "cannot rename %s/%s", place->path, from)) &&
	       sync_folder(place, why);
}

static bool exchange_entries(const struct storage_place *place, const char *one, const char *other,
			     struct failure *why)
{
	return (renameat2(place->folder, one, place->folder, other, RENAME_EXCHANGE) == 0 ||
		fail(why, FAILURE_SYSTEM, errno, "cannot exchange %s/%s and %s", place->path, one,
		     other)) &&
	       sync_folder(place, why);
}

static bool remove_prefixed(const struct storage_place *place, const char *prefix,
			    const struct storage_ops *kind, struct failure *why)
{
	char entry[STORAGE_ENTRY_SIZE];
	bool has;

	prefixed(entry, prefix, kind);
	return storage_has(place, entry, &has, why) && (!has || kind->remove(place, entry, why));
}

bool storage_make_new(const struct storage_place *place, const struct storage_ops *kind,
		      const struct storage_wish *wish, struct failure *why)
{
	char entry[STORAGE_ENTRY_SIZE];

	prefixed(entry, NEW, kind);
	return remove_prefixed(place, NEW, kind, why) && kind->make(place, entry, wish, why) &&
	       rename_entry(place, entry, kind->entry, why);
}

/* ---- is it possible --------------------------------------------------------------------- */

static bool fits_login(const struct move *move, const struct tree_size *size, struct failure *why)
{
	if (move->place->is_patient ||
	    (size->bytes <= LOGIN_BYTES && size->entries <= LOGIN_ENTRIES))
		return true;
	return fail(why, FAILURE_UNSUPPORTED, 0,
		    "the data of container '%s' must be moved from storage %s to %s to be held to "
		    "its disk, and are too many for a login to wait: run 'carrel quota apply %s'",
		    move->place->name, storage_kind_name(move->from->kind),
		    storage_kind_name(move->to->kind), move->place->name);
}

static bool fits_wish(const struct move *move, const struct tree_size *size, struct failure *why)
{
	const struct storage_wish *wish = move->wish;

	if (wish->disk && size->bytes > wish->disk)
		return storage_too_small(move->place, "disk", size->bytes, wish->disk, why);
	if (wish->inodes && size->entries > wish->inodes)
		return storage_too_small(move->place, "inodes", size->entries, wish->inodes, why);
	return true;
}

static bool fits_host(const struct move *move, const struct tree_size *size, struct failure *why)
{
	struct statvfs space;

	if (fstatvfs(move->place->folder, &space) < 0 ||
	    (uint64_t)space.f_bavail * space.f_frsize >= size->bytes + SPARE_BYTES)
		return true;
	return fail(why, FAILURE_UNSUPPORTED, 0,
		    "the data of container '%s' must be moved to storage %s, for which state_dir "
		    "needs %llu MB more than are free: make room there",
		    move->place->name, storage_kind_name(move->to->kind),
		    (unsigned long long)((size->bytes + SPARE_BYTES -
					  (uint64_t)space.f_bavail * space.f_frsize) >>
					 20) +
			1);
}

static bool vet(const struct move *move, int source, struct failure *why)
{
	const struct tree_size enough = {LOGIN_BYTES, LOGIN_ENTRIES};
	struct tree_size size;

	if (!tree_size(source, move->place->is_patient ? NULL : &enough, &size))
		return fail(why, FAILURE_SYSTEM, errno, "cannot measure the data of '%s'",
			    move->place->name);
	return fits_login(move, &size, why) && fits_wish(move, &size, why) &&
	       fits_host(move, &size, why);
}

/* ---- the copy ----------------------------------------------------------------------------- */

/* What nobody can have made inside: the container has no use for it. */
static void tell_nothing(void *context, const char *path, const char *what)
{
	(void)context;
	(void)path;
	(void)what;
}

static struct storage_place without_loan(const struct storage_place *place)
{
	struct storage_place same = *place;

	same.lent = NULL;
	return same;
}

static bool copy_into(const struct move *move, int source, const char *entry, struct failure *why)
{
	/* It is opened once more, and lent to, when it is in place. */
	const struct storage_place place = without_loan(move->place);
	_cleanup_close_ int mount = move->to->open(&place, entry, move->wish, why);
	_cleanup_close_ int target = -1;
	struct timespec until;
	struct tree_copy counts = {.tell = tell_nothing, .is_layer = true};

	if (mount < 0)
		return false;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOGIN_SECONDS;
	counts.until = move->place->is_patient ? NULL : &until;
	target = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open the new layer");
	/* What mkfs makes is not of the container, and the copy would be wrong about it. */
	(void)unlinkat(target, "lost+found", AT_REMOVEDIR);
	if (!tree_copy(source, target, NULL, &counts, why))
		return false;
	return syncfs(target) == 0 || fail(why, FAILURE_SYSTEM, errno, "cannot sync the new layer");
}

static bool copy_whole(const struct move *move, const char *entry, struct failure *why)
{
	_cleanup_close_ int source = move->from->look(move->place, move->from->entry, why);

	if (source < 0)
		return false;
	spare_give(source); /* it is for where it was, and not a part of the data */
	if (!vet(move, source, why))
		return false;
	if (move->to->make(move->place, entry, move->wish, why) &&
	    copy_into(move, source, entry, why))
		return true;
	if (why->error == EDQUOT || why->error == ENOSPC)
		failure_prefix(why, "its data do not fit into the limits of its policy");
	if (why->kind == FAILURE_BUSY)
		failure_prefix(why, "run 'carrel quota apply %s'", move->place->name);
	failure_prefix(why,
		       "the data of container '%s' cannot be moved to storage %s, and stay as "
		       "they were",
		       move->place->name, storage_kind_name(move->to->kind));
	return false;
}

/* ---- putting it in place -------------------------------------------------------------------- */

/* The record says that `to` holds, and .moved-ENTRY is whole. */
static bool finish(const struct storage_place *place, const struct storage_ops *to,
		   struct failure *why)
{
	char moved[STORAGE_ENTRY_SIZE], old[STORAGE_ENTRY_SIZE];
	const struct storage_ops *kind;
	bool has;

	for (size_t i = 0; (kind = storage_kind_at(i)); i++) {
		if (!storage_has(place, kind->entry, &has, why))
			return false;
		if (!has)
			continue;
		prefixed(old, OLD, kind);
		if (!remove_prefixed(place, OLD, kind, why) ||
		    !rename_entry(place, kind->entry, old, why))
			return false;
	}
	prefixed(moved, MOVED, to);
	return rename_entry(place, moved, to->entry, why);
}

static bool exchange(const struct move *move, const char *entry, struct failure *why)
{
	return exchange_entries(move->place, entry, move->to->entry, why) &&
	       move->to->remove(move->place, entry, why);
}

static bool commit(const struct move *move, const char *entry, struct failure *why)
{
	char moved[STORAGE_ENTRY_SIZE];

	if (move->from == move->to)
		return exchange(move, entry, why);
	prefixed(moved, MOVED, move->to);
	if (!rename_entry(move->place, entry, moved, why))
		return false;
	(void)snprintf(move->record->storage, sizeof(move->record->storage), "%s",
		       storage_kind_name(move->to->kind));
	return stored_write_at(move->place->folder, move->place->name, move->record, why) &&
	       finish(move->place, move->to, why) &&
	       remove_prefixed(move->place, OLD, move->from, why);
}

bool storage_move_to(const struct storage_place *place, const struct storage_ops *to,
		     const struct storage_wish *wish, struct stored_record *record,
		     struct failure *why)
{
	const struct move move = {.place = place,
				  .from = storage_kind_named(record->storage),
				  .to = to,
				  .wish = wish,
				  .record = record};
	char entry[STORAGE_ENTRY_SIZE];
	struct failure ignored;

	prefixed(entry, NEW, to);
	if (!remove_prefixed(place, NEW, to, why))
		return false;
	if (copy_whole(&move, entry, why))
		return commit(&move, entry, why);
	(void)remove_prefixed(place, NEW, to, &ignored);
	return false;
}

/* ---- after one that was cut short ----------------------------------------------------------- */

/* At a login what is large is left for `carrel quota apply`: it is only in the way of the disk. */
static bool is_quick(const struct storage_place *place, const struct storage_ops *kind,
		     const char *entry)
{
	const struct tree_size enough = {LOGIN_BYTES, LOGIN_ENTRIES};
	_cleanup_close_ int folder = -1;
	struct tree_size size;

	if (place->is_patient || kind->kind == STORAGE_IMAGE || kind->kind == STORAGE_BTRFS)
		return true;
	folder = dir_open_at(place->folder, entry, false);
	return folder < 0 || !tree_size(folder, &enough, &size) ||
	       (size.bytes <= enough.bytes && size.entries <= enough.entries);
}

static bool remove_leftover(const struct storage_place *place, const char *prefix,
			    const struct storage_ops *kind, struct failure *why)
{
	char entry[STORAGE_ENTRY_SIZE];
	bool has;

	prefixed(entry, prefix, kind);
	return storage_has(place, entry, &has, why) &&
	       (!has || !is_quick(place, kind, entry) || kind->remove(place, entry, why));
}

/* Ends with the data in place, or untouched: what is left over may be all that there is of them. */
static bool put_in_place(const struct storage_place *place, const struct storage_ops *now,
			 bool *in_place, struct failure *why)
{
	char moved[STORAGE_ENTRY_SIZE];
	bool is_moved;

	prefixed(moved, MOVED, now);
	if (!storage_has(place, moved, &is_moved, why) || (is_moved && !finish(place, now, why)))
		return false;
	return storage_has(place, now->entry, in_place, why);
}

bool storage_move_settle(const struct storage_place *place, const struct stored_record *record,
			 struct failure *why)
{
	const struct storage_ops *now = storage_kind_named(record->storage), *kind;
	bool in_place = true;

	if (now && !put_in_place(place, now, &in_place, why))
		return false;
	if (!in_place || (!now && *record->storage))
		return true; /* whoever opens the data refuses and says why */
	for (size_t i = 0; (kind = storage_kind_at(i)); i++)
		if (!remove_leftover(place, NEW, kind, why) ||
		    !remove_leftover(place, MOVED, kind, why) ||
		    !remove_leftover(place, OLD, kind, why))
			return false;
	return true;
}

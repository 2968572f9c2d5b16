/* policy/stamp.c - what tells the policy files, as they are now, from all others. */
#include "policy/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "policy/files.h"

#define ALIGNMENT 8

/* Of one file, all zero when it is not there; its name follows. */
struct record {
	uint64_t device, inode, size;
	uint32_t mode, uid, gid;
	uint32_t room; /* of the name, up to the next record, with at least one NUL */
	int64_t modified[2], changed[2]; /* seconds and nanoseconds */
};

/* What is always looked at, below the policy directory. */
static const char *const fixed[] = {"", POLICY_MAIN_FILE, POLICY_DROP_IN_DIR};

/* False with errno. */
static bool look(int dir, const char *name, struct record *record)
{
	struct stat it;

	if (fstatat(dir, name, &it, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0) {
		memset(record, 0, sizeof(*record));
		return errno == ENOENT;
	}
	*record = (struct record){
	    .device = it.st_dev,
	    .inode = it.st_ino,
	    .size = (uint64_t)it.st_size,
	    .mode = it.st_mode,
	    .uid = it.st_uid,
	    .gid = it.st_gid,
	    .modified = {it.st_mtim.tv_sec, it.st_mtim.tv_nsec},
	    .changed = {it.st_ctim.tv_sec, it.st_ctim.tv_nsec},
	};
	return true;
}

/* ---- taking --------------------------------------------------------------------------------- */

static bool add(FILE *out, struct stamp *stamp, int dir, const char *name)
{
	static const char end[ALIGNMENT] = {0};
	const size_t length = strlen(name);
	struct record record;

	if (!look(dir, name, &record))
		return false;
	record.room = (uint32_t)(length + ALIGNMENT) & ~(uint32_t)(ALIGNMENT - 1);
	if (record.changed[0] > stamp->latest)
		stamp->latest = record.changed[0];
	/* Whether it could be written the stream says at its end. */
	(void)fwrite(&record, sizeof(record), 1, out);
	(void)fwrite(name, length, 1, out);
	(void)fwrite(end, record.room - length, 1, out);
	return true;
}

static bool add_all(FILE *out, struct stamp *stamp, int dir)
{
	_cleanup_close_ int drop_ins = -1;
	struct string_list names = {0};
	struct failure ignored;
	bool all;

	for (size_t i = 0; i < ARRAY_LENGTH(fixed); i++)
		if (!add(out, stamp, dir, fixed[i]))
			return false;
	drop_ins = openat(dir, POLICY_DROP_IN_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (drop_ins < 0)
		return errno == ENOENT;
	all = policy_list_drop_ins(drop_ins, &names, &ignored);
	for (size_t i = 0; i < names.count && all; i++)
		all = add(out, stamp, drop_ins, names.items[i]);
	string_list_free(&names);
	return all;
}

bool stamp_take(int dir, struct stamp *stamp)
{
	FILE *out = open_memstream(&stamp->bytes, &stamp->length);
	bool all;

	if (!out)
		return false;
	all = add_all(out, stamp, dir);
	return fclose(out) == 0 && all;
}

/* ---- comparing ------------------------------------------------------------------------------ */

/* The next record, NULL at the end and when what follows is none. */
static const struct record *next(const char **at, const char *end)
{
	const struct record *record = (const void *)*at;
	const size_t left = (size_t)(end - *at);

	if (left < sizeof(*record) || record->room == 0 || record->room % ALIGNMENT != 0 ||
	    record->room > left - sizeof(*record))
		return NULL;
	*at += sizeof(*record) + record->room;
	return (*at)[-1] == '\0' ? record : NULL;
}

static const char *name_of(const struct record *record)
{
	return (const char *)(record + 1);
}

static bool is_as(const struct record *record, int dir, const char *name)
{
	struct record now;

	if (!look(dir, name, &now))
		return false;
	now.room = record->room;
	return memcmp(&now, record, sizeof(now)) == 0;
}

/* Whoever adds, removes or renames a file changes the times of its folder. */
static bool drop_ins_are_as(const struct record *folder, const char *at, const char *end, int dir)
{
	_cleanup_close_ int drop_ins =
	    openat(dir, POLICY_DROP_IN_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (drop_ins < 0)
		return errno == ENOENT && at == end;
	if (!is_as(folder, drop_ins, ""))
		return false;
	while (at < end) {
		const struct record *record = next(&at, end);

		if (!record || !is_as(record, drop_ins, name_of(record)))
			return false;
	}
	return true;
}

bool stamp_holds(const void *bytes, size_t length, int dir)
{
	const char *at = bytes, *end = at + length;
	const struct record *record = NULL;

	for (size_t i = 0; i < ARRAY_LENGTH(fixed); i++) {
		record = next(&at, end);
		if (!record || strcmp(name_of(record), fixed[i]) != 0 ||
		    !is_as(record, dir, fixed[i]))
			return false;
	}
	return drop_ins_are_as(record, at, end, dir);
}

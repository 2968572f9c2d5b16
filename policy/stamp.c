/* policy/stamp.c - what tells the policy files, as they are now, from all others. */
#include "policy/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

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

/* What there is; false with errno. */
static bool see(int dir, const char *name, struct record *record)
{
	struct stat it;

	if (fstatat(dir, name, &it, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
		return false;
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

/* What there is or that there is nothing; false with errno. */
static bool look(int dir, const char *name, struct record *record)
{
	if (see(dir, name, record))
		return true;
	memset(record, 0, sizeof(*record));
	return errno == ENOENT;
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

static bool is_same(struct record *now, const struct record *record)
{
	now->room = record->room;
	return memcmp(now, record, sizeof(*now)) == 0;
}

static bool is_as(const struct record *record, int dir, const char *name)
{
	struct record now;

	return look(dir, name, &now) && is_same(&now, record);
}

/* What is left to look at, by turns, so that neither waits long for the other. */
struct walk {
	const char *at, *end;
	int dir;
	atomic_uint turn; /* the next that nobody has taken */
	atomic_bool differs;
};

#define RECORDS_A_TURN 16
#define RECORDS_MANY   200
#define SECOND_STACK   8192 /* of which it needs a tenth */

/* No memory is allocated here nor errno looked at: there may be two of us, with one of each. */
static int look_in_turns(void *data)
{
	struct walk *walk = data;
	const char *at = walk->at;
	unsigned mine = walk->turn++;
	struct record now;

	for (unsigned i = 0; at < walk->end && !walk->differs; i++) {
		const struct record *record = next(&at, walk->end);

		if (i / RECORDS_A_TURN > mine)
			mine = walk->turn++;
		if (!record || (i / RECORDS_A_TURN == mine &&
				!(see(walk->dir, name_of(record), &now) && is_same(&now, record))))
			walk->differs = true;
	}
	return 0;
}

/* It has come to its end by itself; else nobody knows what it has looked at. */
static bool has_ended_well(pid_t second)
{
	pid_t ended;
	int status;

	do
		ended = waitpid(second, &status, 0);
	while (ended < 0 && errno == EINTR);
	return ended == second && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/*
 * Most of a look is waiting for memory, so that two processors look at many files in half the time.
 * The other one's is a process that shares ours for that while, and is gone when waited for. A
 * thread is not when it is joined: setns(2) may yet find two.
 */
static bool all_are_as(int dir, const char *at, const char *end)
{
	alignas(16) char stack[SECOND_STACK];
	struct walk walk = {.at = at, .end = end, .dir = dir};
	pid_t second = -1;

	if ((size_t)(end - at) > RECORDS_MANY * sizeof(struct record))
		second = clone(look_in_turns, stack + sizeof(stack),
			       CLONE_VM | CLONE_FILES | SIGCHLD, &walk);
	(void)look_in_turns(&walk);
	if (second > 0 && !has_ended_well(second))
		return false;
	return !walk.differs;
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
	return all_are_as(drop_ins, at, end);
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

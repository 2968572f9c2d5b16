/* helper/accounts/etc_fingerprint.c - tell whether the readable part of /etc changed. */
#include "helper/accounts/etc_fingerprint.h"

#include <string.h>

#include "helper/accounts/etc_listing.h"

/* To be counted up when a snapshot of the same /etc becomes another one: new rules, new links. */
#define RULES_VERSION "1"

/* FNV-1a: finds accidents. Against malice there is the owner of /etc. */
static uint64_t add_bytes(uint64_t sum, const void *data, size_t length)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < length; i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3u;
	return sum;
}

static uint64_t add_text(uint64_t sum, const char *text)
{
	return add_bytes(sum, text, strlen(text) + 1);
}

static uint64_t add_number(uint64_t sum, uint64_t number)
{
	return add_bytes(sum, &number, sizeof(number));
}

static uint64_t add_time(uint64_t sum, const struct timespec *time)
{
	return add_number(add_number(sum, (uint64_t)time->tv_sec), (uint64_t)time->tv_nsec);
}

/* The last step of splitmix64, so that sums of similar entries do not meet. */
static uint64_t scatter(uint64_t sum)
{
	sum = (sum ^ sum >> 30) * 0xbf58476d1ce4e5b9u;
	sum = (sum ^ sum >> 27) * 0x94d049bb133111ebu;
	return sum ^ sum >> 31;
}

uint64_t print_start(const char *epoch)
{
	return add_text(add_text(0xcbf29ce484222325u, RULES_VERSION), epoch);
}

uint64_t print_path(uint64_t path, const char *name)
{
	return add_text(path, name);
}

/*
 * The times of a directory also change with entries that are not shown: they do not count. The
 * change time of a file tells also of a new access control list, and of a modification time that
 * was set back.
 */
uint64_t print_entry(uint64_t path, const char *name, const struct stat *status)
{
	uint64_t sum = add_text(path, name);

	sum = add_number(sum, status->st_dev);
	sum = add_number(sum, status->st_ino);
	sum = add_number(sum, status->st_mode);
	sum = add_number(sum, status->st_uid);
	sum = add_number(sum, status->st_gid);
	if (S_ISDIR(status->st_mode))
		return scatter(sum);
	sum = add_number(sum, (uint64_t)status->st_size);
	sum = add_time(sum, &status->st_mtim);
	return scatter(add_time(sum, &status->st_ctim));
}

static bool add_directory(struct etc_dir *dir, uint64_t path, uint64_t *total, struct failure *why);

static bool add_child(const struct etc_dir *dir, const struct etc_entry *entry, uint64_t path,
		      uint64_t *total, struct failure *why)
{
	_cleanup_etc_dir_ struct etc_dir child = {0};

	if (!etc_dir_enter(dir, entry, &child, why))
		return false;
	if (!child.stream)
		return true;
	*total += print_entry(path, entry->name, &child.status);
	return add_directory(&child, print_path(path, entry->name), total, why);
}

static bool add_directory(struct etc_dir *dir, uint64_t path, uint64_t *total, struct failure *why)
{
	struct etc_entry entry;

	while (etc_dir_next(dir, &entry, why)) {
		if (!entry.name)
			return true;
		if (!S_ISDIR(entry.status.st_mode))
			*total += print_entry(path, entry.name, &entry.status);
		else if (!add_child(dir, &entry, path, total, why))
			return false;
	}
	return false;
}

bool etc_fingerprint(int etc, const char *epoch, uint64_t *fingerprint, struct failure *why)
{
	_cleanup_etc_dir_ struct etc_dir top = {0};
	uint64_t start = print_start(epoch);

	*fingerprint = start;
	return etc_dir_open(&top, etc, why) && add_directory(&top, start, fingerprint, why);
}

/* policy/kept.c - policies that were read once are not parsed again until a file changes. */
#include "policy/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "policy/files.h"
#include "policy/image.h"
#include "policy/layout.h"

#define KEPT_FILE       "policies"
#define KEPT_MOST       (64u << 20)
#define SETTLED_SECONDS 2

/* The bytes that tell the files apart from all others, and the latest change among them. */
struct stamp {
	char *text; /* with a NUL behind */
	size_t length;
	time_t latest;
};

static void stamp_clear(struct stamp *stamp)
{
	free(stamp->text);
}

#define _cleanup_stamp_ __attribute__((cleanup(stamp_clear)))

/* Of one file; as bytes, without any between, because there may be a thousand files. */
struct facts {
	uint64_t device, inode, size;
	uint32_t mode, uid, gid, unused;
	int64_t modified[2], changed[2]; /* seconds and nanoseconds */
};

static bool add_file(FILE *out, struct stamp *stamp, int dir, const char *name)
{
	struct facts facts;
	struct stat it;

	if (fstatat(dir, name, &it, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0) {
		(void)fprintf(out, "%s is not there\n", name);
		return errno == ENOENT;
	}
	facts = (struct facts){
	    .device = it.st_dev,
	    .inode = it.st_ino,
	    .size = (uint64_t)it.st_size,
	    .mode = it.st_mode,
	    .uid = it.st_uid,
	    .gid = it.st_gid,
	    .modified = {it.st_mtim.tv_sec, it.st_mtim.tv_nsec},
	    .changed = {it.st_ctim.tv_sec, it.st_ctim.tv_nsec},
	};
	/* Whether it could be written the stream says at its end. */
	(void)fwrite(name, strlen(name) + 1, 1, out);
	(void)fwrite(&facts, sizeof(facts), 1, out);
	if (it.st_ctim.tv_sec > stamp->latest)
		stamp->latest = it.st_ctim.tv_sec;
	return true;
}

static bool add_files(FILE *out, struct stamp *stamp, int dir)
{
	_cleanup_close_ int drop_ins = -1;
	struct string_list names = {0};
	struct failure ignored;
	bool all;

	if (!add_file(out, stamp, dir, "") || !add_file(out, stamp, dir, POLICY_MAIN_FILE) ||
	    !add_file(out, stamp, dir, POLICY_DROP_IN_DIR))
		return false;
	drop_ins = openat(dir, POLICY_DROP_IN_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (drop_ins < 0)
		return errno == ENOENT;
	all = policy_list_drop_ins(drop_ins, &names, &ignored);
	for (size_t i = 0; i < names.count && all; i++)
		all = add_file(out, stamp, drop_ins, names.items[i]);
	string_list_free(&names);
	return all;
}

static bool stamp_take(int dir, const char *build, struct stamp *stamp)
{
	FILE *out = open_memstream(&stamp->text, &stamp->length);
	bool all;

	if (!out)
		return false;
	(void)fprintf(out, "layout %s\n%s\n", POLICY_LAYOUT, build);
	all = add_files(out, stamp, dir);
	return fclose(out) == 0 && all;
}

/* A clock that was set back makes files of the future, which wait until it has caught up. */
static bool has_settled(const struct stamp *stamp)
{
	return stamp->latest + SETTLED_SECONDS < time(NULL);
}

static bool is_as_we_wrote_it(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
	       (status.st_mode & 07777) == 0600 && status.st_nlink == 1;
}

/* A kept file: the stamp, a NUL, the image at the next multiple of 8. */
static size_t image_at(const struct stamp *stamp)
{
	return (stamp->length + 8) & ~(size_t)7;
}

static struct config *take(int kept, const struct stamp *stamp)
{
	_cleanup_close_ int fd =
	    openat(kept, KEPT_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *data = NULL;
	size_t length, at = image_at(stamp);
	struct config *config;
	struct failure ignored;

	if (fd < 0 || !is_as_we_wrote_it(fd))
		return NULL;
	data = file_read(fd, KEPT_MOST, &length, KEPT_FILE, &ignored);
	if (!data || length <= at || memcmp(data, stamp->text, stamp->length + 1) != 0)
		return NULL;
	config = config_unpack(data, data + at, length - at);
	if (config)
		(void)take_ptr(data);
	return config;
}

static void keep(int kept, const struct stamp *stamp, const struct config *config)
{
	size_t length = 0, at = image_at(stamp);
	_cleanup_free_ char *image = config_pack(config, &length);
	_cleanup_free_ char *data = image ? calloc(1, at + length) : NULL;
	struct failure ignored;

	if (!data || at + length > KEPT_MOST)
		return;
	memcpy(data, stamp->text, stamp->length);
	memcpy(data + at, image, length);
	(void)file_replace_at(kept, KEPT_FILE, data, at + length, 0600, false, &ignored);
}

struct config *config_load_kept(int dir, int kept, const char *build, struct config **exempt,
				struct failure *why)
{
	_cleanup_stamp_ struct stamp before = {0}, after = {0};
	bool stamped = kept >= 0 && stamp_take(dir, build, &before);
	struct config *config = stamped ? take(kept, &before) : NULL;

	if (exempt)
		*exempt = NULL;
	if (config)
		return config;
	config = config_load(dir, exempt, why);
	if (config && stamped && has_settled(&before) && stamp_take(dir, build, &after) &&
	    before.length == after.length && memcmp(before.text, after.text, before.length) == 0)
		keep(kept, &before, config);
	return config;
}

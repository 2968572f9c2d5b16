/* tests/unit/etc_room.c - an /etc and a store of snapshots for one test. */
#include "tests/unit/etc_room.h"

#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/accounts/accounts.h"

static int open_below(int dir, const char *name, mode_t mode)
{
	int fd;

	etc_make_dir(dir, name, mode);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

void etc_room_make(struct etc_room *room)
{
	_cleanup_close_ int top = -1;

	(void)umask(077);
	(void)snprintf(room->path, sizeof(room->path), "/tmp/carrel-test-etc-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(room->path));
	top = open(room->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(top, 0);
	room->etc = open_below(top, "etc", 0755);
	room->store = open_below(top, "store", 0700);
}

void etc_room_remove(struct etc_room *room)
{
	struct failure why;

	(void)close(room->etc);
	(void)close(room->store);
	ck_assert_msg(tree_remove_at(AT_FDCWD, room->path, &why), "%s", why.text);
}

void etc_put(int dir, const char *path, const char *text, mode_t mode)
{
	_cleanup_close_ int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_msg(fd >= 0, "cannot make %s", path);
	ck_assert(file_write_all(fd, text, strlen(text)));
	ck_assert_int_eq(fchmod(fd, mode), 0);
}

void etc_put_size(int dir, const char *path, off_t size)
{
	_cleanup_close_ int fd = -1;

	etc_put(dir, path, "", 0644);
	fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, size), 0);
}

void etc_make_dir(int dir, const char *path, mode_t mode)
{
	ck_assert_int_eq(mkdirat(dir, path, 0700), 0);
	ck_assert_int_eq(fchmodat(dir, path, mode, 0), 0);
}

struct etc_shot etc_shoot(const struct etc_room *room, unsigned recheck_seconds)
{
	struct failure why = {0};
	struct etc_shot shot;
	struct stat status;

	shot.fd = etc_snapshot_open(room->etc, room->store, recheck_seconds, &shot.hold, &why);
	ck_assert_msg(shot.fd >= 0, "%s", why.text);
	ck_assert_int_eq(fstat(shot.fd, &status), 0);
	ck_assert(fcntl(shot.fd, F_GETFL) & O_PATH);
	ck_assert_uint_eq(status.st_mode, S_IFDIR | 0755);
	shot.inode = status.st_ino;
	return shot;
}

void etc_shot_close(struct etc_shot *shot)
{
	cleanup_close(&shot->fd);
	cleanup_close(&shot->hold);
	shot->fd = shot->hold = -1;
}

mode_t etc_mode(int dir, const char *path)
{
	struct stat status;

	return fstatat(dir, path, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status.st_mode : 0;
}

void etc_assert_text(int dir, const char *path, const char *expected)
{
	struct failure why;
	_cleanup_free_ char *text = file_read_at(dir, path, 1 << 20, NULL, &why);

	ck_assert_msg(text != NULL, "%s", why.text);
	ck_assert_str_eq(text, expected);
}

void etc_assert_link(int dir, const char *path, const char *expected)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(dir, path, target, sizeof(target) - 1);

	ck_assert_msg(length > 0, "%s is no link", path);
	target[length] = '\0';
	ck_assert_str_eq(target, expected);
}

unsigned etc_count(const struct etc_room *room, const char *prefix)
{
	_cleanup_closedir_ DIR *stream =
	    fdopendir(openat(room->store, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *entry;
	unsigned count = 0;

	ck_assert_ptr_nonnull(stream);
	while ((entry = readdir(stream)))
		count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	return count;
}

void etc_age_stamp(const struct etc_room *room, int seconds)
{
	struct timespec times[2];

	ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &times[0]), 0);
	times[0].tv_sec -= seconds;
	times[1] = times[0];
	ck_assert_int_eq(utimensat(room->store, "etc.stamp", times, 0), 0);
}

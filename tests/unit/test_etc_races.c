/* tests/unit/test_etc_races.c - snapshots of /etc when much happens at once. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/accounts/accounts.h"
#include "tests/unit/etc_room.h"
#include "tests/unit/suites.h"

#define HOUR 3600

static struct etc_room room;

static void make_room(void)
{
	etc_room_make(&room);
	etc_make_dir(room.etc, "dir", 0755);
	etc_put(room.etc, "dir/file", "before", 0644);
	etc_put(room.etc, "moody", "public", 0644);
}

static void leave_room(void)
{
	etc_room_remove(&room);
}

static ino_t glance(unsigned recheck_seconds)
{
	struct etc_shot shot = etc_shoot(&room, recheck_seconds);

	etc_shot_close(&shot);
	return shot.inode;
}

/*
 * Start a process that acts whenever somebody is about to read the file "moody", the first `times`
 * times; see fanotify(7). -1 when the kernel does not offer it.
 */
static pid_t act_at_reads(void (*act)(void), unsigned times)
{
	_cleanup_close_ int watch = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
	struct fanotify_event_metadata event;
	pid_t child;

	if (watch < 0 || fanotify_mark(watch, FAN_MARK_ADD, FAN_ACCESS_PERM, room.etc, "moody") < 0)
		return -1;
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child > 0)
		return child;
	while (read(watch, &event, sizeof(event)) == sizeof(event)) {
		const struct fanotify_response response = {event.fd, FAN_ALLOW};

		if (times > 0) {
			times--;
			act();
		}
		if (write(watch, &response, sizeof(response)) < 0)
			break;
		(void)close(event.fd);
	}
	_exit(1);
}

static void stop(pid_t child)
{
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

static bool is_skipped(pid_t child)
{
	if (child < 0)
		puts("SKIP  races with readers: no fanotify permission events here");
	return child < 0;
}

/* It was for all users when it was opened. */
static void write_secret(void)
{
	ck_assert_int_eq(fchmodat(room.etc, "moody", 0600, 0), 0);
	etc_put(room.etc, "moody", "SECRET", 0600);
}

START_TEST(never_shows_what_became_secret_while_it_was_read)
{
	pid_t child = act_at_reads(write_secret, 1);
	struct etc_shot shot;

	if (is_skipped(child))
		return;
	shot = etc_shoot(&room, 0);
	stop(child);
	etc_assert_text(room.etc, "moody", "SECRET");
	ck_assert_uint_eq(etc_mode(shot.fd, "moody"), 0);
	etc_assert_text(shot.fd, "dir/file", "before");
	etc_shot_close(&shot);
}
END_TEST

static void write_more(void)
{
	etc_put(room.etc, "moody", "public, and more", 0644);
}

START_TEST(begins_anew_when_something_changed)
{
	pid_t child = act_at_reads(write_more, 1);
	struct etc_shot shot;

	if (is_skipped(child))
		return;
	shot = etc_shoot(&room, 0);
	stop(child);
	etc_assert_text(shot.fd, "moody", "public, and more");
	etc_shot_close(&shot);
}
END_TEST

/* What is not what /etc was at any time must not be found by a later check. */
START_TEST(gives_what_it_has_when_etc_never_rests)
{
	pid_t child = act_at_reads(write_more, 1000);
	struct etc_shot shot;

	if (is_skipped(child))
		return;
	shot = etc_shoot(&room, HOUR);
	ck_assert_uint_eq(etc_mode(shot.fd, "moody"), 0);
	etc_assert_text(shot.fd, "dir/file", "before");
	ck_assert_uint_eq(glance(HOUR), shot.inode);
	etc_shot_close(&shot);

	stop(child);
	shot = etc_shoot(&room, 0);
	etc_assert_text(shot.fd, "moody", "public, and more");
	ck_assert_uint_eq(etc_count(&room, "etc-"), 1);
	etc_shot_close(&shot);
}
END_TEST

/* What somebody does between the open and the lock of the one who opens a generation. */
static void (*meanwhile)(void);

/* In place of the C library's, for all of the program. */
int flock(int fd, int operation)
{
	if (meanwhile && operation & LOCK_SH) {
		void (*act)(void) = meanwhile;

		meanwhile = NULL;
		act();
	}
	return (int)syscall(SYS_flock, fd, operation);
}

static void replace_generation(void)
{
	etc_put(room.etc, "moody", "in a newer one", 0644);
	(void)glance(0);
}

static void lose_generation(void)
{
	struct failure why;
	_cleanup_free_ char *stamp = file_read_at(room.store, "etc.stamp", 256, NULL, &why);

	ck_assert_ptr_nonnull(stamp);
	stamp[strcspn(stamp, " ")] = '\0';
	ck_assert_msg(tree_remove_at(room.store, stamp, &why), "%s", why.text);
}

static void make_generation_anew(void)
{
	lose_generation();
	(void)glance(0);
}

static const struct {
	void (*act)(void);
	const char *text;
} interruptions[] = {
    {replace_generation, "in a newer one"},
    {lose_generation, "public"},
    {make_generation_anew, "public"},
};

START_TEST(never_gives_a_generation_that_is_being_removed)
{
	struct etc_shot shot;

	(void)glance(HOUR);
	meanwhile = interruptions[_i].act;
	shot = etc_shoot(&room, HOUR);
	ck_assert(!meanwhile);
	etc_assert_text(shot.fd, "moody", interruptions[_i].text);
	ck_assert_uint_eq(etc_count(&room, "etc-"), 1);
	etc_shot_close(&shot);
}
END_TEST

#define BUILDERS 8

/* Each waits for the start, says which generation it got and ends. */
static void start_builder(const int *start, const int *report)
{
	struct etc_shot shot;
	char byte;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child != 0)
		return;
	(void)close(start[1]);
	if (read(start[0], &byte, 1) != 0)
		_exit(1);
	shot = etc_shoot(&room, HOUR);
	_exit(write(report[1], &shot.inode, sizeof(shot.inode)) != sizeof(shot.inode) ? 1 : 0);
}

START_TEST(builds_once_for_all_who_wait)
{
	int start[2], report[2], status;
	ino_t inode, first = 0;

	ck_assert_int_eq(pipe2(start, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(report, O_CLOEXEC), 0);
	for (int i = 0; i < BUILDERS; i++)
		start_builder(start, report);
	(void)close(start[0]);
	(void)close(start[1]);
	for (int i = 0; i < BUILDERS; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
		ck_assert_int_eq(read(report[0], &inode, sizeof(inode)), sizeof(inode));
		ck_assert(first == 0 || inode == first);
		first = inode;
	}
	(void)close(report[0]);
	(void)close(report[1]);
	ck_assert_uint_eq(etc_count(&room, "etc-"), 1);
	ck_assert_uint_eq(glance(HOUR), first);
}
END_TEST

/* The lock is held by the one who checks; the other must find that done, and not look at /etc. */
START_TEST(asks_the_stamp_again_after_the_wait)
{
	_cleanup_close_ int lock = -1;
	const ino_t inode = glance(HOUR);
	pid_t child;
	int status;

	etc_age_stamp(&room, HOUR + 1);
	lock = openat(room.store, "etc.lock", O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(flock(lock, LOCK_EX), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		(void)close(lock);
		room.etc = -1;
		_exit(glance(HOUR) != inode ? 1 : 0);
	}
	(void)usleep(100000);
	ck_assert_int_eq(waitpid(child, &status, WNOHANG), 0);
	etc_age_stamp(&room, 0);
	ck_assert_int_eq(flock(lock, LOCK_UN), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* One login after the other: what it holds is complete, and stays so while others come and go. */
static int log_in_often(unsigned recheck_seconds)
{
	for (int i = 0; i < 60; i++) {
		struct failure why;
		struct stat status;
		int hold;
		int fd = etc_snapshot_open(room.etc, room.store, recheck_seconds, &hold, &why);

		if (fd < 0)
			return 1;
		(void)usleep(500);
		if (fstatat(fd, "dir/file", &status, 0) < 0 ||
		    fstatat(fd, "mtab", &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    fstat(fd, &status) < 0 || status.st_nlink == 0)
			return 2;
		(void)close(fd);
		(void)close(hold);
	}
	return 0;
}

/* Half of them check each time, half trust the stamp; /etc changes all the while. */
START_TEST(holds_what_it_gives_while_others_come_and_go)
{
	int left = BUILDERS;

	for (int i = 0; i < BUILDERS; i++) {
		pid_t child = fork();

		ck_assert_int_ge(child, 0);
		if (child == 0)
			_exit(log_in_often(i % 2 ? HOUR : 0));
	}
	while (left > 0) {
		int status;
		pid_t ended = waitpid(-1, &status, WNOHANG);

		ck_assert_int_ge(ended, 0);
		if (ended > 0) {
			ck_assert_int_eq(status, 0);
			left--;
		}
		etc_put(room.etc, "moody", "changed", 0644);
		(void)usleep(2000);
	}
	(void)glance(0);
	ck_assert_uint_eq(etc_count(&room, "etc-"), 1);
}
END_TEST

Suite *etc_races_suite(void)
{
	Suite *suite = suite_create("etc_races");
	TCase *readers = tcase_create("readers"), *users = tcase_create("users");

	tcase_add_checked_fixture(readers, make_room, leave_room);
	tcase_add_test(readers, never_shows_what_became_secret_while_it_was_read);
	tcase_add_test(readers, begins_anew_when_something_changed);
	tcase_add_test(readers, gives_what_it_has_when_etc_never_rests);
	suite_add_tcase(suite, readers);

	tcase_set_timeout(users, 60);
	tcase_add_checked_fixture(users, make_room, leave_room);
	tcase_add_loop_test(users, never_gives_a_generation_that_is_being_removed, 0,
			    (int)ARRAY_LENGTH(interruptions));
	tcase_add_test(users, builds_once_for_all_who_wait);
	tcase_add_test(users, asks_the_stamp_again_after_the_wait);
	tcase_add_test(users, holds_what_it_gives_while_others_come_and_go);
	suite_add_tcase(suite, users);
	return suite;
}

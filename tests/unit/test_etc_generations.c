/* tests/unit/test_etc_generations.c - when a snapshot of /etc is made, shared and removed. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/accounts/accounts.h"
#include "helper/accounts/etc_fingerprint.h"
#include "tests/unit/etc_room.h"
#include "tests/unit/suites.h"

#define HOUR 3600

static struct etc_room room;

static void make_room(void)
{
	etc_room_make(&room);
	etc_make_dir(room.etc, "dir", 0755);
	etc_put(room.etc, "dir/file", "before", 0644);
	etc_put(room.etc, "other", "public", 0644);
	etc_put(room.etc, "shadow", "SECRET", 0640);
	ck_assert_int_eq(symlinkat("other", room.etc, "link"), 0);
}

static void leave_room(void)
{
	etc_room_remove(&room);
}

/* Opens it and lets go at once. */
static ino_t glance(unsigned recheck_seconds)
{
	struct etc_shot shot = etc_shoot(&room, recheck_seconds);

	etc_shot_close(&shot);
	return shot.inode;
}

START_TEST(reuses_what_is_unchanged)
{
	struct etc_shot shot = etc_shoot(&room, 0);
	static const char *const readers[] = {"dir/file", "shadow"};

	for (size_t i = 0; i < ARRAY_LENGTH(readers); i++) {
		struct failure why;
		_cleanup_free_ char *text = file_read_at(room.etc, readers[i], 4096, NULL, &why);

		ck_assert_ptr_nonnull(text);
		ck_assert_uint_eq(glance(0), shot.inode);
	}
	ck_assert_uint_eq(etc_count(&room, "etc-"), 1);
	etc_shot_close(&shot);
}
END_TEST

static void rewrite_with_old_times(void)
{
	struct timespec times[2];
	struct stat status;

	ck_assert_int_eq(fstatat(room.etc, "dir/file", &status, 0), 0);
	times[0] = status.st_atim;
	times[1] = status.st_mtim;
	etc_put(room.etc, "dir/file", "afterw", 0644);
	ck_assert_int_eq(utimensat(room.etc, "dir/file", times, 0), 0);
}

static void replace_by_rename(void)
{
	etc_put(room.etc, "dir/new", "before", 0644);
	ck_assert_int_eq(renameat(room.etc, "dir/new", room.etc, "dir/file"), 0);
}

static void add_file(void)
{
	etc_put(room.etc, "dir/more", "more", 0644);
}

static void add_directory(void)
{
	etc_make_dir(room.etc, "dir/dir", 0755);
}

static void remove_file(void)
{
	ck_assert_int_eq(unlinkat(room.etc, "other", 0), 0);
}

static void rename_file(void)
{
	ck_assert_int_eq(renameat(room.etc, "other", room.etc, "another"), 0);
}

static void move_file(void)
{
	ck_assert_int_eq(renameat(room.etc, "other", room.etc, "dir/other"), 0);
}

static void hide_file(void)
{
	ck_assert_int_eq(fchmodat(room.etc, "other", 0640, 0), 0);
}

static void hide_directory(void)
{
	ck_assert_int_eq(fchmodat(room.etc, "dir", 0750, 0), 0);
}

static void open_directory_to_all(void)
{
	ck_assert_int_eq(fchmodat(room.etc, "dir", 0777, 0), 0);
}

static void turn_link(void)
{
	ck_assert_int_eq(unlinkat(room.etc, "link", 0), 0);
	ck_assert_int_eq(symlinkat("othe2", room.etc, "link"), 0);
}

static void (*const changes[])(void) = {
    rewrite_with_old_times,
    replace_by_rename,
    add_file,
    add_directory,
    remove_file,
    rename_file,
    move_file,
    hide_file,
    hide_directory,
    turn_link,
    open_directory_to_all,
};

/* The snapshot has the file of the host as it is now, when all users may read it. */
static void assert_same(const struct etc_shot *shot, const char *path, bool in_open_directory)
{
	_cleanup_free_ char *text = NULL;
	struct failure why;

	if (!in_open_directory || !(etc_mode(room.etc, path) & 0004)) {
		ck_assert_uint_eq(etc_mode(shot->fd, path), 0);
		return;
	}
	text = file_read_at(room.etc, path, 4096, NULL, &why);
	ck_assert_msg(text != NULL, "%s", why.text);
	etc_assert_text(shot->fd, path, text);
}

START_TEST(rebuilds_what_changed)
{
	struct etc_shot before = etc_shoot(&room, 0), after;

	changes[_i]();
	after = etc_shoot(&room, 0);
	ck_assert_uint_ne(after.inode, before.inode);
	assert_same(&after, "dir/file", etc_mode(room.etc, "dir") & 0001);
	assert_same(&after, "other", true);
	ck_assert_uint_eq(glance(0), after.inode);
	etc_assert_text(before.fd, "dir/file", "before");
	etc_assert_text(before.fd, "other", "public");
	etc_shot_close(&before);
	etc_shot_close(&after);
}
END_TEST

/* A new password is in a file that no snapshot shows. */
START_TEST(does_not_mind_what_it_does_not_show)
{
	struct etc_shot shot = etc_shoot(&room, 0);

	etc_put(room.etc, "shadow", "a new SECRET", 0640);
	etc_put(room.etc, "passwd", "a new user", 0644);
	etc_put(room.etc, ".pwd.lock", "", 0600);
	etc_put(room.etc, "dir/key", "SECRET", 0600);
	ck_assert_uint_eq(glance(0), shot.inode);
	etc_shot_close(&shot);
}
END_TEST

START_TEST(trusts_a_fresh_stamp)
{
	struct etc_shot shot = etc_shoot(&room, HOUR);
	const int etc = room.etc;

	add_file();
	ck_assert_uint_eq(glance(HOUR), shot.inode);
	etc_age_stamp(&room, HOUR - 60);
	room.etc = -1; /* it is not even looked at */
	ck_assert_uint_eq(glance(HOUR), shot.inode);
	room.etc = etc;
	etc_shot_close(&shot);
}
END_TEST

START_TEST(checks_again_in_time)
{
	struct etc_shot shot = etc_shoot(&room, HOUR), next;

	etc_age_stamp(&room, HOUR + 1);
	ck_assert_uint_eq(glance(HOUR), shot.inode);
	add_file();
	ck_assert_uint_eq(glance(HOUR), shot.inode); /* that check was just now */
	etc_age_stamp(&room, HOUR + 1);
	next = etc_shoot(&room, HOUR);
	ck_assert_uint_ne(next.inode, shot.inode);
	etc_assert_text(next.fd, "dir/more", "more");
	etc_shot_close(&next);
	etc_shot_close(&shot);
}
END_TEST

START_TEST(does_not_trust_the_future)
{
	struct etc_shot shot = etc_shoot(&room, HOUR), next;

	add_file();
	etc_age_stamp(&room, -5);
	next = etc_shoot(&room, HOUR);
	ck_assert_uint_ne(next.inode, shot.inode);
	etc_shot_close(&next);
	etc_shot_close(&shot);
}
END_TEST

/* What a crash left, or another boot; %s is the name of the generation. */
static const char *const stamps[] = {
    "",
    "\n",
    "%s",
    "%s ",
    "%s 00000000-0000-0000-0000-000000000000\n",
    "../../etc 00000000-0000-0000-0000-000000000000\n",
};

START_TEST(does_not_trust_a_stamp_of_others)
{
	struct etc_shot shot = etc_shoot(&room, HOUR), next;
	_cleanup_free_ char *old = NULL;
	struct failure why;
	char text[256];

	old = file_read_at(room.store, "etc.stamp", 256, NULL, &why);
	ck_assert_ptr_nonnull(old);
	old[strcspn(old, " ")] = '\0';
	if (strncmp(stamps[_i], "%s", 2) == 0)
		(void)snprintf(text, sizeof(text), "%s%s", old, stamps[_i] + 2);
	else
		(void)snprintf(text, sizeof(text), "%s", stamps[_i]);
	etc_put(room.store, "etc.stamp", text, 0600);
	add_file();
	next = etc_shoot(&room, HOUR);
	ck_assert_uint_ne(next.inode, shot.inode);
	etc_shot_close(&next);
	etc_shot_close(&shot);
}
END_TEST

/* The name of a generation is its fingerprint: one of another boot must not be found. */
START_TEST(counts_the_epoch_in)
{
	uint64_t one, again, other;
	struct failure why;

	ck_assert(etc_fingerprint(room.etc, "boot 1", &one, &why));
	ck_assert(etc_fingerprint(room.etc, "boot 1", &again, &why));
	ck_assert(etc_fingerprint(room.etc, "boot 2", &other, &why));
	ck_assert_uint_eq(one, again);
	ck_assert_uint_ne(one, other);
}
END_TEST

START_TEST(makes_a_lost_generation_anew)
{
	struct etc_shot shot = etc_shoot(&room, HOUR);
	_cleanup_free_ char *stamp = NULL;
	struct failure why;

	etc_shot_close(&shot);
	stamp = file_read_at(room.store, "etc.stamp", 256, NULL, &why);
	ck_assert_ptr_nonnull(stamp);
	stamp[strcspn(stamp, " ")] = '\0';
	ck_assert_msg(tree_remove_at(room.store, stamp, &why), "%s", why.text);
	shot = etc_shoot(&room, HOUR);
	etc_assert_text(shot.fd, "dir/file", "before");
	etc_shot_close(&shot);
}
END_TEST

START_TEST(removes_a_generation_when_nobody_uses_it)
{
	struct etc_shot first = etc_shoot(&room, 0), second, third;

	add_file();
	second = etc_shoot(&room, 0);
	ck_assert_uint_eq(etc_count(&room, "etc-"), 2);
	etc_assert_text(first.fd, "dir/file", "before");
	remove_file();
	third = etc_shoot(&room, 0);
	ck_assert_uint_eq(etc_count(&room, "etc-"), 3);
	etc_assert_text(first.fd, "other", "public");

	etc_shot_close(&second);
	ck_assert_uint_eq(glance(0), third.inode);
	ck_assert_uint_eq(etc_count(&room, "etc-"), 2);
	etc_assert_text(first.fd, "other", "public");
	etc_shot_close(&first);
	etc_shot_close(&third);
	ck_assert_uint_eq(glance(0), third.inode);
	ck_assert_uint_eq(etc_count(&room, "etc-"), 1);
}
END_TEST

/* Whoever is in a container can open its /etc, and pass the descriptor to one that lives on. */
START_TEST(does_not_mind_locks_from_inside)
{
	struct etc_shot shot = etc_shoot(&room, HOUR);
	_cleanup_close_ int inside = openat(shot.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const ino_t inode = shot.inode;

	etc_shot_close(&shot);
	ck_assert_int_eq(flock(inside, LOCK_EX | LOCK_NB), 0);
	ck_assert_uint_eq(glance(HOUR), inode);
	ck_assert_uint_eq(glance(0), inode);
	add_file();
	(void)glance(0);
	ck_assert_uint_eq(etc_count(&room, "etc-"), 1);
}
END_TEST

START_TEST(removes_what_an_interrupted_one_left)
{
	struct etc_shot shot;

	etc_make_dir(room.store, "etc-new-0123456789abcdef", 0700);
	etc_make_dir(room.store, "etc-new-0123456789abcdef/dir", 0755);
	etc_put(room.store, "etc-new-0123456789abcdef/dir/file", "half", 0600);
	etc_make_dir(room.store, "etc-new-X", 0700);
	etc_make_dir(room.store, "etc-0123456789abcdef", 0755);
	etc_make_dir(room.store, "etc-0123456789abcdef-kept", 0755);
	etc_make_dir(room.store, "other", 0755);

	shot = etc_shoot(&room, 0);
	ck_assert_uint_eq(etc_count(&room, "etc-new-"), 0);
	ck_assert_uint_eq(etc_mode(room.store, "etc-0123456789abcdef"), 0);
	ck_assert_uint_ne(etc_mode(room.store, "etc-0123456789abcdef-kept"), 0);
	ck_assert_uint_ne(etc_mode(room.store, "other"), 0);
	ck_assert_uint_eq(etc_count(&room, "etc-"), 2);
	etc_shot_close(&shot);
}
END_TEST

/* Nothing is left half, and the next one is not kept from its work. */
START_TEST(fails_cleanly_when_the_store_does)
{
	struct failure why = {0};
	int hold = 0, store = room.store;

	room.store = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(etc_snapshot_open(room.etc, room.store, 0, &hold, &why), -1);
	ck_assert_int_eq(hold, -1);
	ck_assert_int_eq(why.kind, FAILURE_SYSTEM);
	(void)close(room.store);
	room.store = store;
	(void)glance(0);
	ck_assert_uint_eq(etc_count(&room, "etc-"), 1);
}
END_TEST

Suite *etc_generations_suite(void)
{
	Suite *suite = suite_create("etc_generations");
	TCase *reuse = tcase_create("reuse"), *life = tcase_create("life");

	tcase_add_checked_fixture(reuse, make_room, leave_room);
	tcase_add_test(reuse, reuses_what_is_unchanged);
	tcase_add_loop_test(reuse, rebuilds_what_changed, 0, (int)ARRAY_LENGTH(changes));
	tcase_add_test(reuse, does_not_mind_what_it_does_not_show);
	tcase_add_test(reuse, trusts_a_fresh_stamp);
	tcase_add_test(reuse, checks_again_in_time);
	tcase_add_test(reuse, does_not_trust_the_future);
	tcase_add_loop_test(reuse, does_not_trust_a_stamp_of_others, 0, (int)ARRAY_LENGTH(stamps));
	tcase_add_test(reuse, counts_the_epoch_in);
	suite_add_tcase(suite, reuse);

	tcase_set_timeout(life, 60);
	tcase_add_checked_fixture(life, make_room, leave_room);
	tcase_add_test(life, makes_a_lost_generation_anew);
	tcase_add_test(life, removes_a_generation_when_nobody_uses_it);
	tcase_add_test(life, does_not_mind_locks_from_inside);
	tcase_add_test(life, removes_what_an_interrupted_one_left);
	tcase_add_test(life, fails_cleanly_when_the_store_does);
	suite_add_tcase(suite, life);
	return suite;
}

/* tests/unit/test_holds.c - a directory is used by many and removed by one. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "base/holds.h"
#include "tests/unit/suites.h"

static struct {
	char path[64];
	int dir, gate;
} place;

static int open_gate(void)
{
	int gate = openat(place.dir, "gate", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(gate, 0);
	return gate;
}

static void make_place(void)
{
	(void)snprintf(place.path, sizeof(place.path), "/tmp/carrel-holds-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(place.path));
	place.dir = open(place.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(place.dir, 0);
	place.gate = open_gate();
}

static void remove_place(void)
{
	struct failure why;

	(void)close(place.gate);
	(void)close(place.dir);
	ck_assert(tree_remove_at(AT_FDCWD, place.path, &why));
}

static void assert_in_use(void)
{
	_cleanup_close_ int gate = open_gate();

	ck_assert(!hold_exclusive(place.dir, gate));
	ck_assert_int_eq(errno, EWOULDBLOCK);
}

static void assert_unused(void)
{
	_cleanup_close_ int gate = open_gate();

	ck_assert(hold_exclusive(place.dir, gate));
}

/* Says that it has its hold, and keeps it until it is killed. */
static pid_t hold_in_child(int say)
{
	pid_t child = fork();
	char byte = 0;

	ck_assert_int_ge(child, 0);
	if (child > 0)
		return child;
	if (hold_shared(place.dir, open_gate()) >= 0 && write(say, &byte, 1) == 1)
		(void)pause();
	_exit(1);
}

START_TEST(each_hold_is_in_the_way)
{
	int first = hold_shared(place.dir, place.gate);
	int second = hold_shared(place.dir, place.gate);

	ck_assert_int_ge(first, 0);
	ck_assert_int_ge(second, 0);
	assert_in_use();
	(void)close(first);
	assert_in_use();
	(void)close(second);
	assert_unused();
}
END_TEST

/* Whose numbers differ, and with them the files of their holds. */
START_TEST(holds_of_many_processes_are_in_the_way)
{
	enum { MANY = HOLDS_FILES + 8 };
	pid_t children[MANY];
	int said[2], status;
	char byte;

	ck_assert_int_eq(pipe2(said, O_CLOEXEC), 0);
	for (int i = 0; i < MANY; i++) {
		children[i] = hold_in_child(said[1]);
		ck_assert_int_eq(read(said[0], &byte, 1), 1);
	}
	assert_in_use();
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(kill(children[i], SIGKILL), 0);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
	assert_unused();
	(void)close(said[0]);
	(void)close(said[1]);
}
END_TEST

START_TEST(who_removes_keeps_newcomers_out)
{
	int gate = open_gate();

	ck_assert(hold_exclusive(place.dir, gate));
	ck_assert_int_eq(hold_shared(place.dir, place.gate), -1);
	ck_assert_int_eq(errno, EWOULDBLOCK);
	(void)close(gate);
	gate = hold_shared(place.dir, place.gate);
	ck_assert_int_ge(gate, 0);
	(void)close(gate);
}
END_TEST

/* A refused removal lets newcomers in again, though its gate is still open. */
START_TEST(who_may_not_remove_is_not_in_the_way)
{
	int first = hold_shared(place.dir, place.gate), second;
	_cleanup_close_ int gate = open_gate();

	ck_assert_int_ge(first, 0);
	ck_assert(!hold_exclusive(place.dir, gate));
	second = hold_shared(place.dir, place.gate);
	ck_assert_int_ge(second, 0);
	(void)close(first);
	(void)close(second);
}
END_TEST

/* Containers that run since before holds were spread lock the gate itself. */
START_TEST(a_lock_of_the_gate_is_a_hold)
{
	int older = open_gate(), hold;

	ck_assert_int_eq(flock(older, LOCK_SH), 0);
	assert_in_use();
	hold = hold_shared(place.dir, place.gate);
	ck_assert_int_ge(hold, 0);
	(void)close(hold);
	(void)close(older);
	assert_unused();
}
END_TEST

/* The gate is only passed through: the list of its holders stays short. */
START_TEST(the_gate_is_given_up)
{
	int hold = hold_shared(place.dir, place.gate);
	_cleanup_close_ int gate = open_gate();

	ck_assert_int_ge(hold, 0);
	ck_assert_int_eq(flock(gate, LOCK_EX | LOCK_NB), 0);
	(void)close(hold);
}
END_TEST

START_TEST(a_directory_that_is_gone_cannot_be_held)
{
	ck_assert_int_eq(mkdirat(place.dir, "gone", 0700), 0);
	_cleanup_close_ int gone = openat(place.dir, "gone", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_eq(unlinkat(place.dir, "gone", AT_REMOVEDIR), 0);
	ck_assert_int_eq(hold_shared(gone, gone), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

Suite *holds_suite(void)
{
	Suite *suite = suite_create("holds");
	TCase *test = tcase_create("holds");

	tcase_add_checked_fixture(test, make_place, remove_place);
	tcase_add_test(test, each_hold_is_in_the_way);
	tcase_add_test(test, holds_of_many_processes_are_in_the_way);
	tcase_add_test(test, who_removes_keeps_newcomers_out);
	tcase_add_test(test, who_may_not_remove_is_not_in_the_way);
	tcase_add_test(test, a_lock_of_the_gate_is_a_hold);
	tcase_add_test(test, the_gate_is_given_up);
	tcase_add_test(test, a_directory_that_is_gone_cannot_be_held);
	suite_add_tcase(suite, test);
	return suite;
}

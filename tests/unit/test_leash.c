/* tests/unit/test_leash.c - a process on a leash ends when it is pulled, and not otherwise. */
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/init/leash.h"
#include "tests/unit/suites.h"

/* A process that waits for ever, as a login service does at a FIFO. */
static pid_t start_loose(struct leash *leash)
{
	struct failure why = {0};
	pid_t pid = fork();
	int pidfd;

	if (pid == 0)
		for (;;)
			(void)pause();
	ck_assert_int_gt(pid, 0);
	pidfd = pidfd_open(pid, 0);
	ck_assert_int_ge(pidfd, 0);
	ck_assert_msg(leash_make(pid, pidfd, leash, &why), "%s", why.text);
	cleanup_close(&pidfd);
	return pid;
}

static pid_t start(struct leash *leash)
{
	struct failure why = {0};
	pid_t pid = start_loose(leash);

	ck_assert_msg(leash_arm(leash, &why), "%s", why.text);
	return pid;
}

static void check_killed(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(test_pulled)
{
	struct leash leash;
	pid_t pid = start(&leash);

	leash_pull(&leash);
	check_killed(pid);
	leash_pull(&leash);
	leash_close(&leash);
}
END_TEST

/* As the kernel closes them when PID 1 is killed. */
START_TEST(test_holder_dies)
{
	struct leash leash;
	pid_t pid = start(&leash);

	cleanup_close(&leash.pull);
	check_killed(pid);
	cleanup_close(&leash.armed);
}
END_TEST

START_TEST(test_let_go)
{
	struct leash leash;
	pid_t pid = start(&leash);
	int status;

	leash_close(&leash);
	ck_assert_int_eq(leash.pull, -1);
	ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
	ck_assert_int_eq(kill(pid, SIGUSR1), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
}
END_TEST

/* As when the helper is killed before PID 1 has the ends. */
START_TEST(test_not_armed)
{
	struct leash leash;
	pid_t pid = start_loose(&leash);

	cleanup_close(&leash.pull);
	leash.pull = -1;
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	ck_assert_int_eq(kill(pid, SIGUSR1), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	leash_close(&leash);
}
END_TEST

/* PID 1 took the ends, and was killed before the helper had its answer. */
START_TEST(test_gone_before_it_is_armed)
{
	struct failure why = {0};
	struct leash leash;
	pid_t pid = start_loose(&leash);

	cleanup_close(&leash.pull);
	leash.pull = -1;
	ck_assert(!leash_arm(&leash, &why));
	ck_assert_int_eq(why.kind, FAILURE_BUSY);
	leash_close(&leash);
	(void)kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* That it cannot be armed does not tell that the container ends. */
START_TEST(test_cannot_be_armed)
{
	struct failure why = {0};
	struct leash leash = LEASH_NONE;

	ck_assert(!leash_arm(&leash, &why));
	ck_assert_int_eq(why.kind, FAILURE_SYSTEM);
}
END_TEST

/* Its number may be another process's by now. */
START_TEST(test_already_gone)
{
	struct failure why = {0};
	struct leash leash;
	pid_t pid = fork();
	int pidfd;

	if (pid == 0)
		_exit(0);
	pidfd = pidfd_open(pid, 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(!leash_make(pid, pidfd, &leash, &why));
	ck_assert_int_eq(leash.armed, -1);
	cleanup_close(&pidfd);
}
END_TEST

Suite *leash_suite(void)
{
	Suite *suite = suite_create("leash");
	TCase *tcase = tcase_create("leash");

	tcase_add_test(tcase, test_pulled);
	tcase_add_test(tcase, test_holder_dies);
	tcase_add_test(tcase, test_let_go);
	tcase_add_test(tcase, test_not_armed);
	tcase_add_test(tcase, test_gone_before_it_is_armed);
	tcase_add_test(tcase, test_cannot_be_armed);
	tcase_add_test(tcase, test_already_gone);
	suite_add_tcase(suite, tcase);
	return suite;
}

/* pam_module/process.c - start the helper as a child of a login service, and see its end. */
#include "pam_module/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/paths.h"
#include "pam_module/deadline.h"

/*
 * A handler of the service that reaps any child must not take ours (the kernel would also reap
 * it by itself under SIG_IGN, and its PID could become another process).
 */
static void hold_sigchld(struct helper_process *helper)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};

	(void)sigaction(SIGCHLD, &standard, &helper->sigchld);
}

/* A child of the service's own that ended meanwhile was announced to nobody: announce it now. */
static void give_sigchld_back(const struct helper_process *helper)
{
	siginfo_t info = {0};

	(void)sigaction(SIGCHLD, &helper->sigchld, NULL);
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0)
		(void)raise(SIGCHLD);
}

static int prepare_actions(posix_spawn_file_actions_t *actions, int channel)
{
	int error = posix_spawn_file_actions_adddup2(actions, channel, 0);

	if (!error)
		error = posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_RDWR, 0);
	if (!error)
		error = posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_RDWR, 0);
	if (!error)
		error = posix_spawn_file_actions_addclosefrom_np(actions, 3);
	return error;
}

/* A session of its own, so that Ctrl-C at su's terminal does not reach the helper. */
static int prepare_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int error;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	error = posix_spawnattr_setsigmask(attributes, &none);
	if (!error)
		error = posix_spawnattr_setsigdefault(attributes, &all);
	if (!error)
		error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID |
								 POSIX_SPAWN_SETSIGMASK |
								 POSIX_SPAWN_SETSIGDEF);
	return error;
}

/* posix_spawn shares memory until the exec (CLONE_VFORK): a large service costs no more. */
static int spawn(pid_t *pid, int channel)
{
	char *const arguments[] = {(char[]){"carrel-helper"}, (char[]){"session"}, NULL};
	char *const environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	error = posix_spawn_file_actions_init(&actions);
	if (error)
		return error;
	error = posix_spawnattr_init(&attributes);
	if (!error) {
		error = prepare_actions(&actions, channel);
		if (!error)
			error = prepare_attributes(&attributes);
		if (!error)
			error = posix_spawn(pid, CARREL_HELPER, &actions, &attributes, arguments,
					    environment);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return error;
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

bool helper_start(struct helper_process *helper, struct failure *why)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	int ends[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make a socket for the helper");
	ours = ends[0];
	theirs = ends[1];

	hold_sigchld(helper);
	error = spawn(&helper->pid, theirs);
	if (error) {
		give_sigchld_back(helper);
		return fail(why, error == ENOENT ? FAILURE_MISSING : FAILURE_SYSTEM, error,
			    "cannot start %s", CARREL_HELPER);
	}
	helper->pidfd = (int)syscall(SYS_pidfd_open, helper->pid, 0);
	if (helper->pidfd < 0) {
		error = errno;
		(void)kill(helper->pid, SIGKILL);
		(void)reap(helper->pid);
		give_sigchld_back(helper);
		return fail(why, FAILURE_SYSTEM, error, "cannot watch the helper");
	}
	helper->channel = take_fd(&ours);
	return true;
}

static bool ended_by(int pidfd, const struct timespec *deadline)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};
	int ready;

	do {
		ready = poll(&end, 1, deadline_left(deadline));
	} while (ready < 0 && errno == EINTR);
	return ready > 0;
}

int helper_end(struct helper_process *helper, const struct timespec *deadline)
{
	int status = -1;

	(void)close(helper->channel);
	/* Who has joined meanwhile may not kill it any more, and leaves it to the host's init. */
	if (ended_by(helper->pidfd, deadline) ||
	    syscall(SYS_pidfd_send_signal, helper->pidfd, SIGKILL, NULL, 0) == 0)
		status = reap(helper->pid);
	(void)close(helper->pidfd);
	give_sigchld_back(helper);
	return status;
}

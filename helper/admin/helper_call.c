/* helper/admin/helper_call.c - start carrel-helper with a channel to it. */
#include "helper/admin/helper_call.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/paths.h"

/* No signal blocked or ignored, whatever the caller has done with its own, and none from its
 * terminal. */
static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int error;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	error = posix_spawnattr_setsigmask(attributes, &none);
	if (error == 0)
		error = posix_spawnattr_setsigdefault(attributes, &all);
	if (error == 0)
		error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID |
								 POSIX_SPAWN_SETSIGMASK |
								 POSIX_SPAWN_SETSIGDEF);
	return error;
}

/* The channel as 0, /dev/null as 1 and 2, nothing else. */
static int set_descriptors(posix_spawn_file_actions_t *actions, int channel)
{
	int error = posix_spawn_file_actions_adddup2(actions, channel, 0);

	if (error == 0)
		error = posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(actions, 3);
	return error;
}

/* As the PAM module starts it: constant path and arguments, an empty environment. */
static bool spawn(const char *purpose, int channel, pid_t *child, struct failure *why)
{
	char *const arguments[] = {(char[]){"carrel-helper"}, (char *)(uintptr_t)purpose, NULL};
	char *const environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error = posix_spawn_file_actions_init(&actions);

	if (error)
		return fail(why, FAILURE_SYSTEM, error, "cannot start " CARREL_HELPER_FULL);
	error = posix_spawnattr_init(&attributes);
	if (error == 0) {
		error = set_signals(&attributes);
		if (error == 0)
			error = set_descriptors(&actions, channel);
		if (error == 0)
			error = posix_spawn(child, CARREL_HELPER_FULL, &actions, &attributes,
					    arguments, environment);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return error == 0 || fail(why, FAILURE_SYSTEM, error, "cannot start " CARREL_HELPER_FULL);
}

bool helper_spawn(const char *purpose, int *channel, pid_t *child, struct failure *why)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	int pair[2];

	/* The helper proves by the socket's credentials that its parent made it: no other may make
	 * it. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make a socket");
	ours = pair[0];
	theirs = pair[1];
	if (!spawn(purpose, theirs, child, why))
		return false;
	*channel = take_fd(&ours);
	return true;
}

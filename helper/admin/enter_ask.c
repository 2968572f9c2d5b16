/* helper/admin/enter_ask.c - ask carrel-helper to let this process into a container. */
#include "helper/admin/enter_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/paths.h"
#include "helper/init/channel.h"

#define PATIENCE_SECONDS 30

/* No signal blocked or ignored, whatever the caller has done with its own. */
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
		error = posix_spawnattr_setflags(attributes,
						 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
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
static bool spawn_helper(int channel, pid_t *child, struct failure *why)
{
	char *const arguments[] = {(char[]){"carrel-helper"}, (char[]){"enter"}, NULL};
	char *const environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error = posix_spawn_file_actions_init(&actions);

	if (error)
		return fail(why, FAILURE_SYSTEM, error, "cannot start " CARREL_HELPER);
	error = posix_spawnattr_init(&attributes);
	if (error == 0) {
		error = set_signals(&attributes);
		if (error == 0)
			error = set_descriptors(&actions, channel);
		if (error == 0)
			error = posix_spawn(child, CARREL_HELPER, &actions, &attributes, arguments,
					    environment);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return error == 0 || fail(why, FAILURE_SYSTEM, error, "cannot start " CARREL_HELPER);
}

static bool exchange(int channel, const struct wire_request *request, struct wire_reply *reply,
		     int fds[WIRE_FD_COUNT], struct failure *why)
{
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	char data[WIRE_MAX];
	size_t count = WIRE_FD_COUNT, length = wire_encode_request(request, data, sizeof(data));
	long got;

	if (length == 0)
		return fail(why, FAILURE_REQUEST, 0, "a name is too long");
	(void)setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (!channel_send(channel, data, length, NULL, 0))
		return fail(why, FAILURE_SYSTEM, errno, "cannot ask carrel-helper");
	got = channel_receive(channel, data, sizeof(data), fds, &count);
	if (got <= 0)
		return fail(why, FAILURE_SYSTEM, got < 0 ? errno : 0,
			    "carrel-helper gave no answer; see the log (authpriv)");
	if (!wire_decode_reply(data, (size_t)got, reply) || reply->fd_count != count) {
		for (size_t i = 0; i < count; i++)
			cleanup_close(&fds[i]);
		return fail(why, FAILURE_DATA, 0,
			    "carrel-helper's answer makes no sense: is it of the same version?");
	}
	if (reply->action == WIRE_CONTAIN)
		return true;
	return fail(why, FAILURE_REQUEST, 0, "%s",
		    *reply->log_text ? reply->log_text : reply->user_text);
}

bool enter_ask(const struct wire_request *request, struct wire_reply *reply, int fds[WIRE_FD_COUNT],
	       struct failure *why)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	int pair[2];
	pid_t child;
	bool answered;

	/* The helper proves by the socket's credentials that its parent made it: no other may make
	 * it. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make a socket");
	ours = pair[0];
	theirs = pair[1];
	if (!spawn_helper(theirs, &child, why))
		return false;
	cleanup_close(&theirs);
	theirs = -1;
	answered = exchange(ours, request, reply, fds, why);
	cleanup_close(&ours); /* a helper that still wants something gives up now */
	ours = -1;
	(void)waitpid(child, NULL, 0);
	return answered;
}

/* helper/init/leash.c - let PID 1 of a container end a login service that it cannot signal. */
#include "helper/init/leash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

/*
 * The kernel signals with the ids of whoever set it up here, the host's root (fcntl(2), F_SETOWN;
 * sigio_perm in fs/fcntl.c). It remembers the process, not its number; the pidfd tells that the
 * number was still that of the same process.
 */
static bool tie(int end, pid_t pid, int pidfd)
{
	struct pollfd gone = {.fd = pidfd, .events = POLLIN};

	return fcntl(end, F_SETSIG, SIGKILL) == 0 && fcntl(end, F_SETOWN, pid) == 0 &&
	       poll(&gone, 1, 0) == 0;
}

bool leash_make(pid_t pid, int pidfd, struct leash *leash, struct failure *why)
{
	int ends[2];

	*leash = (struct leash){.pull = -1, .armed = -1};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make a pair of sockets");
	*leash = (struct leash){.armed = ends[0], .pull = ends[1]};
	if (tie(leash->armed, pid, pidfd))
		return true;
	(void)fail(why, FAILURE_SYSTEM, errno,
		   "cannot arrange for the end of the login service with its container");
	leash_close(leash);
	return false;
}

bool leash_arm(const struct leash *leash, struct failure *why)
{
	struct pollfd pulled = {.fd = leash->armed, .events = POLLIN};
	int result = -1;

	if (fcntl(leash->armed, F_SETFL, O_ASYNC | O_NONBLOCK) == 0)
		result = poll(&pulled, 1, 0);
	if (result < 0)
		return fail(why, FAILURE_SYSTEM, errno,
			    "cannot tie the login service to its container");
	return result == 0 || fail(why, FAILURE_BUSY, 0, "the container is at its end");
}

void leash_pull(const struct leash *leash)
{
	const char byte = 0;

	if (leash->pull >= 0 && write(leash->pull, &byte, 1) < 0)
		return; /* full: it was pulled before */
}

void leash_close(struct leash *leash)
{
	cleanup_close(&leash->armed);
	cleanup_close(&leash->pull);
	*leash = (struct leash){.pull = -1, .armed = -1};
}

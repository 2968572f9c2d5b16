/* helper/session/caller.c - who is at the other end of the channel. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/kernel_calls.h"
#include "helper/session/session.h"

bool caller_vet(int channel, struct caller *caller, struct failure *why)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	caller->pidfd = -1;
	if (getsockopt(channel, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return fail(why, FAILURE_REQUEST, errno,
			    "carrel-helper is started by the PAM module, not by hand");
	if (peer.uid != 0 || peer.pid != getppid())
		return fail(why, FAILURE_REQUEST, 0,
			    "carrel-helper was called by pid %d, uid %u: only a login service that "
			    "runs as root may",
			    peer.pid, peer.uid);
	caller->pid = peer.pid;
	caller->pidfd = pidfd_open(peer.pid, 0);
	/* Opened while it was still our parent: the pid cannot have gone to another process. */
	if (caller->pidfd < 0 || getppid() != peer.pid)
		return fail(why, FAILURE_REQUEST, errno, "the login service is gone");
	return true;
}

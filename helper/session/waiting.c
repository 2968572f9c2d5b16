/* helper/session/waiting.c - tell a login service that its container waits for its turn. */
#include <stdio.h>
#include <time.h>

#include "helper/init/channel.h"
#include "helper/session/session.h"

#define TELL_USER_SECONDS 5

/*
 * Only who sits at a terminal of the host sees it in time: sshd keeps what a module says until its
 * session is open, and cron would mail it.
 */
static bool user_should_know(struct session_request *request)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (request->tty_name[0] == '\0' ||
	    (request->told_waiting &&
	     (uint64_t)now.tv_sec - request->told_waiting < TELL_USER_SECONDS))
		return false;
	request->told_waiting = (uint64_t)now.tv_sec;
	return true;
}

bool session_tell_waiting(struct session_request *request, size_t before)
{
	struct wire_reply reply = {.action = WIRE_WAIT, .umask = WIRE_UMASK_UNSET};
	char data[WIRE_MAX];
	size_t length;

	if (user_should_know(request))
		(void)snprintf(reply.user_text, sizeof(reply.user_text),
			       "carrel: preparing your workspace, %zu before you", before);
	length = wire_encode_reply(&reply, data, sizeof(data));
	return length && channel_send(request->channel, data, length, NULL, 0);
}

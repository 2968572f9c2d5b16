/* helper/admin/enter_ask.c - ask carrel-helper to let this process into a container. */
#include "helper/admin/enter_ask.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/admin/helper_call.h"
#include "helper/init/channel.h"

#define PATIENCE_SECONDS 30

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
	_cleanup_close_ int ours = -1;
	pid_t child;
	bool answered;

	if (!helper_spawn("enter", &ours, &child, why))
		return false;
	answered = exchange(ours, request, reply, fds, why);
	cleanup_close(&ours); /* a helper that still wants something gives up now */
	ours = -1;
	(void)waitpid(child, NULL, 0);
	return answered;
}

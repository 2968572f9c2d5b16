/* helper/admin/control_call.c - one request to the PID 1 of a container and its answer. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "helper/admin/containers.h"
#include "helper/init/channel.h"

#define PATIENCE_SECONDS 3

static bool check_answer(const char *name, const struct control_answer *answer, struct failure *why)
{
	if (answer->version != CONTROL_VERSION)
		return fail(
		    why, FAILURE_DATA, 0,
		    "carrel-init of '%s' is of another version of Carrel: stop the container "
		    "and let it start anew",
		    name);
	if (answer->result == CONTROL_OK || answer->result == CONTROL_STOPPING)
		return true;
	return fail(why, FAILURE_SYSTEM, 0, "carrel-init of '%s' refused: %.200s", name,
		    answer->result == CONTROL_TROUBLE ? answer->text : "not a request it knows");
}

bool control_call(const struct registry *registry, const char *name,
		  const struct control_request *request, struct control_answer *answer,
		  struct control_session *sessions, size_t *session_room, struct failure *why)
{
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	struct {
		struct control_answer answer;
		struct control_session sessions[CONTROL_SESSIONS_MAX];
	} reply;
	_cleanup_close_ int channel = registry_connect(registry, name, why);
	size_t no_fds = 0, count;
	long length;

	if (channel < 0)
		return false;
	(void)setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(channel, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	length = channel_send(channel, request, sizeof(*request), NULL, 0)
		     ? channel_receive(channel, &reply, sizeof(reply), NULL, &no_fds)
		     : -1;
	if (length < (long)sizeof(reply.answer))
		return fail(why, FAILURE_SYSTEM, length < 0 ? errno : 0,
			    "carrel-init of '%s' does not answer", name);
	*answer = reply.answer;
	answer->text[sizeof(answer->text) - 1] = '\0';
	if (!check_answer(name, answer, why))
		return false;
	if (!sessions)
		return true;
	count = ((size_t)length - sizeof(reply.answer)) / sizeof(reply.sessions[0]);
	memcpy(sessions, reply.sessions, count * sizeof(*sessions));
	*session_room = count;
	return true;
}

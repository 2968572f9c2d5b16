/* helper/session/session_open.c - one login from question to answer, told from top to bottom. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "helper/events/events.h"
#include "helper/init/channel.h"
#include "helper/session/session.h"
#include "helper/session/times.h"

/* The module asks the name services meanwhile, which may be far away. Its end closes the channel.
 */
#define REQUEST_SECONDS 600

#define ENDING_SECONDS 10

static bool take_account(struct session_request *request)
{
	const struct wire_request *wire = &request->wire;

	if (wire->account)
		request->account = account_unpack(wire->account, wire->account_length);
	return !wire->account || request->account;
}

/* It stays in the channel until the answer, for carrel-helper-full (helper/lean/). */
static bool read_request(int channel, struct session_request *request, struct failure *why)
{
	const struct timeval limit = {.tv_sec = REQUEST_SECONDS};
	ssize_t length;

	(void)setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	do
		length = recv(channel, NULL, 0, MSG_PEEK | MSG_TRUNC);
	while (length < 0 && errno == EINTR);
	if (length <= 0)
		return fail(why, FAILURE_REQUEST, length < 0 ? errno : 0,
			    "the login service sent no request");
	request->received = malloc((size_t)length);
	if (!request->received ||
	    recv(channel, request->received, (size_t)length, MSG_PEEK) != length)
		return fail(why, FAILURE_SYSTEM, errno, "cannot receive the request");
	if (!wire_decode_request(request->received, (size_t)length, &request->wire) ||
	    !take_account(request))
		return fail(
		    why, FAILURE_REQUEST, 0,
		    "the request is malformed: do module and helper come from the same build?");
	return true;
}

/* A channel that is closed with something unread in it would lose the answer (unix(7)). */
static void take_request(int channel)
{
	char all_of_it;

	(void)recv(channel, &all_of_it, sizeof(all_of_it), MSG_DONTWAIT);
}

/* What a refused user reads: one sentence, and no more of the machine's inside than helps them. */
static const char *sentence_for(enum failure_kind kind)
{
	switch (kind) {
	case FAILURE_LIMIT:
		return "carrel: you have as many sessions open as you may; end one and try again.";
	case FAILURE_POLICY:
		return "carrel: logins are closed because of a mistake in the machine's policy files; "
		       "please tell the administrator.";
	case FAILURE_UNSUPPORTED:
		return "carrel: this machine cannot enforce what your policy asks for; please tell "
		       "the administrator.";
	case FAILURE_FROZEN:
		return "carrel: your workspace is frozen by the administrator; try again later.";
	case FAILURE_BUSY:
		return "carrel: your workspace is being started or stopped; try again in a minute.";
	default:
		return "carrel: your workspace could not be prepared; please tell the administrator.";
	}
}

static void refuse_for(struct session_request *request, const struct failure *why)
{
	struct wire_reply *reply = &request->reply;

	memset(reply, 0, sizeof(*reply));
	reply->action = WIRE_DENY;
	reply->failure_kind = why->kind;
	(void)snprintf(reply->user_text, sizeof(reply->user_text), "%s", sentence_for(why->kind));
	(void)snprintf(reply->log_text, sizeof(reply->log_text), "%s", why->text);
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static void tell_decision(const struct session_request *request)
{
	static const char *const names[] = {
	    [WIRE_HOST] = "host", [WIRE_CONTAIN] = "login", [WIRE_DENY] = "denied"};
	struct event event = EVENT_INIT;
	const struct policy *policy = request->selection.policy;

	event.event = request->wire.verb == WIRE_ENTER ? "enter" : names[request->reply.action];
	event.user = or_null(request->wire.user);
	event.service = or_null(request->wire.service);
	event.tty = or_null(request->wire.tty);
	event.rhost = or_null(request->wire.rhost);
	event.container = or_null(request->name);
	event.policy = policy ? policy->name : NULL;
	event.reason = or_null(request->reply.log_text);
	event_write(request->events, &event);
}

static bool handle(struct session_request *request, struct failure *why)
{
	if (request->wire.verb == WIRE_ENTER)
		return session_enter(request, why);
	if (!session_decide(request, why) || !session_times(request, why))
		return false;
	if (request->reply.action != WIRE_CONTAIN)
		return true;
	if (request->wire.verb == WIRE_PREPARE)
		return session_prepare(request, why);
	if (request->wire.verb == WIRE_CHECK_ACCOUNT) {
		request->reply.action = WIRE_HOST; /* would be let in; the session will tell */
		return true;
	}
	return session_admit(request, why);
}

static bool send_reply(int channel, const struct session_request *request)
{
	char data[WIRE_MAX];
	size_t length = wire_encode_reply(&request->reply, data, sizeof(data));

	return length &&
	       channel_send(channel, data, length, request->reply_fds, request->reply.fd_count);
}

static void session_free(struct session_request *request)
{
	session_leave(request);
	for (size_t i = 0; i < WIRE_FD_COUNT; i++)
		cleanup_close(&request->reply_fds[i]);
	cleanup_close(&request->caller.pidfd);
	cleanup_close(&request->events);
	cleanup_close(&request->log);
	if (request->wire.account)
		free(request->account);
	else
		account_free(request->account);
	free(request->received);
	config_free(request->config);
	config_free(request->exempt);
	free(request);
}

static bool serve(int channel, struct session_request *request)
{
	struct failure why = {0};
	const bool vetted = caller_vet(channel, &request->caller, &why);

	if (vetted)
		session_load(request);
	if (!vetted || !read_request(channel, request, &why)) {
		/* Whoever this is, they get no answer: the module refuses when none comes. */
		(void)syslog_send(request->log, 84 /* authpriv.warning */, "carrel", why.text);
		(void)fprintf(stderr, "carrel-helper: %s\n", why.text);
		return false;
	}
	request->events = events_open(&why);
	if (request->events < 0)
		(void)syslog_send(request->log, 84 /* authpriv.warning */, "carrel", why.text);
	if (!handle(request, &why))
		refuse_for(request, &why);
	/* What an admin prepares is told by the event of its start. */
	if (request->wire.verb != WIRE_PREPARE &&
	    (request->wire.verb != WIRE_CHECK_ACCOUNT || request->reply.action == WIRE_DENY))
		tell_decision(request);
	/* Who has joined its container can no longer end us: nothing after the answer takes long.
	 */
	(void)alarm(ENDING_SECONDS);
	take_request(channel);
	if (!send_reply(channel, request))
		return false;
	if (request->wire.verb == WIRE_OPEN_SESSION && request->reply.action == WIRE_CONTAIN &&
	    !session_watch(request, &why))
		(void)syslog_send(request->log, 84 /* authpriv.warning */, "carrel", why.text);
	return true;
}

int session_main(int channel)
{
	struct session_request *request = calloc(1, sizeof(*request));
	bool served;

	if (!request)
		return 1;
	request->channel = channel;
	request->caller.pidfd = -1;
	request->events = -1;
	request->reply_fds[WIRE_FD_INIT] = -1;
	request->reply_fds[WIRE_FD_SECCOMP] = -1;
	request->log = syslog_connect();
	served = serve(channel, request);
	session_free(request);
	return served ? 0 : 1;
}

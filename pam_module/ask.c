/* pam_module/ask.c - one question to the helper, one answer, before a deadline. */
#include "pam_module/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "pam_module/deadline.h"
#include "pam_module/process.h"

/* A helper has nothing to do after its answer: one that does not end by then is stuck. */
#define LINGER_MILLISECONDS 2000

/* The question fits the socket's empty buffer, so sending never waits. */
static bool send_request(int channel, const struct wire_request *request, struct failure *why)
{
	_cleanup_free_ unsigned char *data = malloc(WIRE_REQUEST_MAX);
	size_t length = data ? wire_encode_request(request, data, WIRE_REQUEST_MAX) : 0;

	if (!data)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot make room for the request");
	if (length == 0)
		return fail(why, FAILURE_REQUEST, 0, "the request cannot be put into a message");
	if (send(channel, data, length, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length)
		return true;
	/* It ended already: the wait for its answer will see that and can say how it ended. */
	if (errno == EPIPE || errno == ECONNRESET)
		return true;
	return fail(why, FAILURE_SYSTEM, errno, "cannot send the request to the helper");
}

static bool wait_for_reply(int channel, const struct timespec *deadline, struct failure *why)
{
	struct pollfd answer = {.fd = channel, .events = POLLIN};

	for (;;) {
		int ready = poll(&answer, 1, deadline_left(deadline));

		if (ready > 0)
			return true;
		if (ready == 0)
			return fail(why, FAILURE_BUSY, 0, "timed out waiting for the helper");
		if (errno != EINTR)
			return fail(why, FAILURE_SYSTEM, errno, "cannot wait for the helper");
	}
}

/* Take every descriptor that came, so that those of a bad message are closed too. */
static size_t take_descriptors(struct msghdr *message, int fds[WIRE_MAX_FDS])
{
	size_t count = 0;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		size_t here;

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		here = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < here && count < WIRE_MAX_FDS; i++)
			memcpy(&fds[count++], CMSG_DATA(part) + i * sizeof(int), sizeof(int));
	}
	return count;
}

static bool receive_reply(int channel, struct answer *answer, struct failure *why)
{
	unsigned char data[WIRE_MAX];
	union {
		struct cmsghdr aligned;
		char bytes[CMSG_SPACE(WIRE_MAX_FDS * sizeof(int))];
	} control;
	struct iovec part = {.iov_base = data, .iov_len = sizeof(data)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	ssize_t length;
	size_t count;

	do {
		length = recvmsg(channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (length < 0 && errno == EINTR);
	if (length < 0 && errno != ECONNRESET)
		return fail(why, FAILURE_SYSTEM, errno, "cannot receive the helper's answer");
	if (length <= 0)
		return fail(why, FAILURE_MISSING, 0, "the helper ended without an answer");
	count = take_descriptors(&message, answer->fds);
	if (message.msg_flags & MSG_CTRUNC)
		return fail(why, FAILURE_DATA, 0, "the helper sent more descriptors than allowed");
	if (message.msg_flags & MSG_TRUNC)
		return fail(why, FAILURE_DATA, 0, "the helper's answer is too long");
	if (!wire_decode_reply(data, (size_t)length, &answer->reply))
		return fail(why, FAILURE_DATA, 0,
			    "the helper's answer is malformed: do module and helper come from "
			    "the same build?");
	if (count != answer->reply.fd_count)
		return fail(why, FAILURE_DATA, 0, "the helper declared %u descriptors and sent %zu",
			    answer->reply.fd_count, count);
	return true;
}

/* No answer is a reason; how the helper ended is the reason behind it. */
static void add_status(int status, struct failure *why)
{
	char reason[sizeof(why->text)];

	memcpy(reason, why->text, sizeof(reason));
	if (status >= 0 && WIFSIGNALED(status))
		(void)fail(why, why->kind, 0, "%.400s (killed by signal %d, %s)", reason,
			   WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (status >= 0 && WIFEXITED(status))
		(void)fail(why, why->kind, 0, "%.400s (exit status %d)", reason,
			   WEXITSTATUS(status));
}

/* Every sign that we are only waiting for our turn gives the helper its time anew. */
static bool await_answer(int channel, unsigned timeout_seconds, ask_waiting *waiting, void *data,
			 struct answer *answer, struct failure *why)
{
	const struct timespec last = deadline_in(ASK_SECONDS * 1000L);

	do {
		const struct timespec deadline = deadline_in(timeout_seconds * 1000L);

		if (!wait_for_reply(channel, &deadline, why) ||
		    !receive_reply(channel, answer, why))
			return false;
		if (answer->reply.action != WIRE_WAIT)
			return true;
		if (answer->reply.user_text[0])
			waiting(data, answer->reply.user_text);
	} while (deadline_left(&last) > 0);
	return fail(why, FAILURE_BUSY, 0, "the container did not get its turn in %d minutes",
		    ASK_SECONDS / 60);
}

static void close_descriptors(struct answer *answer)
{
	for (size_t i = 0; i < WIRE_MAX_FDS; i++) {
		if (answer->fds[i] >= 0)
			(void)close(answer->fds[i]);
		answer->fds[i] = -1;
	}
}

bool ask_start(struct answer *answer, struct failure *why)
{
	memset(&answer->reply, 0, sizeof(answer->reply));
	for (size_t i = 0; i < WIRE_MAX_FDS; i++)
		answer->fds[i] = -1;
	return helper_start(&answer->helper, why);
}

bool ask_helper(const struct wire_request *request, unsigned timeout_seconds, ask_waiting *waiting,
		void *data, struct answer *answer, struct failure *why)
{
	bool answered;
	int status;

	answered =
	    send_request(answer->helper.channel, request, why) &&
	    await_answer(answer->helper.channel, timeout_seconds, waiting, data, answer, why);

	/* A helper that timed out or talks nonsense is not waited for again. */
	answer->linger =
	    deadline_in(answered || why->kind == FAILURE_MISSING ? LINGER_MILLISECONDS : 0);
	if (answered)
		return true;
	close_descriptors(answer);
	status = helper_end(&answer->helper, &answer->linger);
	if (why->kind == FAILURE_MISSING)
		add_status(status, why);
	return false;
}

void answer_close(struct answer *answer)
{
	close_descriptors(answer);
	(void)helper_end(&answer->helper, &answer->linger);
}

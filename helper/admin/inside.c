/* helper/admin/inside.c - carrel typed inside a container: ask its PID 1. */
#include "helper/admin/inside.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/paths.h"

#define PATIENCE_SECONDS 5

bool is_inside(void)
{
	return access(CARREL_INSIDE_MARK, F_OK) == 0;
}

/* The whole text: PID 1 writes it at once and closes. */
static bool receive_all(int channel, struct record *text)
{
	for (;;) {
		ssize_t got =
		    read(channel, text->text + text->length, sizeof(text->text) - 1 - text->length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		text->length += (size_t)got;
	}
}

bool inside_status(struct container_status *status, struct failure *why)
{
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = STATUS_SOCKET};
	_cleanup_close_ int channel = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct record text = {0};

	(void)setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(channel, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (channel < 0 || connect(channel, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return fail(why, FAILURE_SYSTEM, errno,
			    "cannot ask this container's PID 1 at " STATUS_SOCKET);
	if (!receive_all(channel, &text))
		return fail(why, FAILURE_SYSTEM, errno == EAGAIN ? ETIMEDOUT : errno,
			    "this container's PID 1 does not answer at " STATUS_SOCKET);
	return status_parse(&text, status) ||
	       fail(why, FAILURE_DATA, 0,
		    "what came from " STATUS_SOCKET " is not understood: the container was started "
		    "by another version of Carrel, and needs a new start");
}

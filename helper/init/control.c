/* helper/init/control.c - which requests PID 1 acts on, purely. */
#include "helper/init/control.h"

#include <string.h>

#include "helper/limits/session_cgroup.h"

/* pidfd, plan, and the two ends of the leash. */
#define SESSION_FDS 4
/* The plan. */
#define PREPARE_FDS 1

size_t control_fd_count(const struct control_request *request)
{
	size_t count = SESSION_FDS;

	if (request->verb == CONTROL_PREPARE)
		return PREPARE_FDS + (size_t)request->plan_fds;
	if (request->verb != CONTROL_SESSION)
		return 0;
	count += !!request->has_log + !!request->has_events + !!request->has_tty;
	count += request->has_scope ? SESSION_FILE_COUNT : 0;
	count += request->has_budget ? 2 : 0;
	return count + request->plan_fds;
}

static bool ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

bool control_request_is_sound(const struct control_request *request, size_t length, size_t fd_count)
{
	return length == sizeof(*request) && request->version == CONTROL_VERSION &&
	       request->verb >= CONTROL_SESSION && request->verb <= CONTROL_PREPARE &&
	       control_fd_count(request) == fd_count &&
	       ends(request->user, sizeof(request->user)) &&
	       ends(request->service, sizeof(request->service)) &&
	       ends(request->tty, sizeof(request->tty)) &&
	       ends(request->rhost, sizeof(request->rhost)) &&
	       ends(request->policy, sizeof(request->policy)) &&
	       ends(request->tty_path, sizeof(request->tty_path)) &&
	       ends(request->text, sizeof(request->text)) && hours_are_sound(&request->rules.hours);
}

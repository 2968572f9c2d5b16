/* helper/init/sessions.h - the logins that are in this container, and what happens at their end. */
#ifndef CARREL_HELPER_INIT_SESSIONS_H
#define CARREL_HELPER_INIT_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/events/events.h"
#include "helper/init/control.h"

#define SESSIONS_MAX 1024

struct session {
	struct control_session public; /* what a status answer shows */
	char tty_path[64];
	char policy[65];
	int login_service; /* pidfd: readable when the login service has ended, however it ended */
	uint64_t started;  /* CLOCK_BOOTTIME seconds: a changed clock changes no duration */
};

struct sessions {
	struct session *items[SESSIONS_MAX];
	size_t count;
	uint32_t next_id;
	uint64_t idle_since; /* CLOCK_BOOTTIME seconds, valid while count is 0 */
};

uint64_t boottime_seconds(void);

/* Append one line to events.jsonl (descriptor from the helper, -1 for none), in one write(2). */
void event_append(int events, const struct event *event);

/* Takes login_service over. NULL when out of memory or full. */
const struct session *session_add(struct sessions *sessions, const struct control_request *request,
				  int login_service);

/* Forget the session at `index`: its event is written, its terminal unbound when nobody else has
 * it. */
void session_end(struct sessions *sessions, size_t index, const char *container, int events);

#endif

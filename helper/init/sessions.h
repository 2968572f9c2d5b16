/* helper/init/sessions.h - the logins that are in this container, and what happens at their end. */
#ifndef CARREL_HELPER_INIT_SESSIONS_H
#define CARREL_HELPER_INIT_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/events/events.h"
#include "helper/init/control.h"
#include "helper/init/leash.h"
#include "helper/init/scope.h"
#include "helper/limits/limits.h"

#define SESSIONS_MAX 1024

struct session {
	struct control_session public; /* what a status answer shows */
	char tty_path[64];
	char policy[65];
	int login_service; /* pidfd: readable when the login service has ended, however it ended */
	uint64_t started;  /* CLOCK_BOOTTIME milliseconds: a changed clock changes no duration */
	struct leash leash;
	bool was_stuck; /* and killed for it */
	int tty;        /* of the host, for messages; -1: none */
	struct scope scope;
	struct session_rules rules;
	time_t closes_at;            /* when the hours change, 0: never; kept up by times.c */
	unsigned warned;             /* bits, one for each reason to end */
	const char *ending;          /* why it is being ended; NULL: it is not */
	uint64_t signal_at, kill_at; /* CLOCK_BOOTTIME milliseconds, while it is being ended */
	struct cgroup_usage before;  /* of the container, from about when the session began */
	bool has_before;
};

struct sessions {
	struct session *items[SESSIONS_MAX];
	size_t count;
	uint32_t next_id;
	uint64_t idle_since;             /* CLOCK_BOOTTIME milliseconds, valid while count is 0 */
	struct session_rules last_rules; /* of the one that left last, while count is 0 */
};

/* CLOCK_BOOTTIME goes on while the machine sleeps, and nobody sets it. */
uint64_t boottime_seconds(void);
uint64_t boottime_ms(void);

/* Append one line to events.jsonl (descriptor from the helper, -1 for none), in one write(2). */
void event_append(int events, const struct event *event);

/* What a request brings for its session. */
struct session_handles {
	int login_service, tty;
	struct leash leash;
	struct scope scope;
};

/* Takes the handles over. NULL when out of memory or full: they are closed. */
struct session *session_add(struct sessions *sessions, const struct control_request *request,
			    struct session_handles *handles);
void session_handles_close(struct session_handles *handles);

/*
 * Forget the session at `index`: its event is written, its terminal unbound when nobody else has
 * it. `now` is the container's usage at its end: what was used since its begin is in the event.
 */
void session_end(struct sessions *sessions, size_t index, const char *container,
		 const struct cgroup_usage *now, int events);

#endif

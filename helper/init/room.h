/* helper/init/room.h - the state of PID 1 of one container. */
#ifndef CARREL_HELPER_INIT_ROOM_H
#define CARREL_HELPER_INIT_ROOM_H

#include "helper/init/channel.h"
#include "helper/init/log_relay.h"
#include "helper/init/run_plan.h"
#include "helper/init/sessions.h"

struct room {
	struct channel_settings settings;
	struct plan_room plan; /* layer and log socket */
	struct sessions sessions;
	struct log_relay relay;
	int control; /* listening socket in the registry */
	int events;  /* events.jsonl, or -1 */
	int signals; /* signalfd: SIGCHLD, SIGTERM */
	bool stopping;
	const char *stop_reason; /* for the event, valid while stopping */
	uint64_t stop_deadline;  /* CLOCK_BOOTTIME seconds, valid while stopping */
};

/* Serve until the container is to end. Returns when PID 1 should exit, which ends everything in it.
 */
void room_serve(struct room *room);

/* Answer one client of the control socket. */
void room_answer(struct room *room, int client);

/*
 * Ask all processes to end; the kernel ends the rest when PID 1 exits after `seconds`. `reason`, a
 * literal, is told in the event.
 */
void room_stop(struct room *room, uint64_t seconds, const char *reason);

#endif

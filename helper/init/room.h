/* helper/init/room.h - the state of PID 1 of one container. */
#ifndef CARREL_HELPER_INIT_ROOM_H
#define CARREL_HELPER_INIT_ROOM_H

#include <poll.h>

#include "helper/init/budget.h"
#include "helper/init/channel.h"
#include "helper/init/log_relay.h"
#include "helper/init/run_plan.h"
#include "helper/init/sessions.h"
#include "helper/init/status.h"
#include "helper/init/stuck.h"
#include "helper/registry/note.h"

/* The last answer on the status socket, and what it is fresh for. */
struct status_text {
	struct record text;
	uint64_t made_ms; /* CLOCK_BOOTTIME */
	uint32_t session_id;
	size_t session_count;
};

/* The processor time of the day, where a session's policy limits it. */
struct room_budget {
	int counter, record; /* descriptors of the helper; -1: nobody limits it */
	bool counter_is_v1;
	struct budget_record day;
	uint64_t next; /* CLOCK_BOOTTIME milliseconds: when to read the counter again */
};

/* What PID 1 waits for: these, then one for each session. */
enum {
	WATCH_CONTROL,
	WATCH_SIGNALS,
	WATCH_LOG,
	WATCH_STATUS,
	WATCH_TIMER,
	WATCH_WALL,
	WATCH_SESSIONS
};

struct room {
	struct channel_settings settings;
	struct plan_room plan; /* layer and log socket */
	struct sessions sessions;
	struct log_relay relay;
	struct stuck stuck;
	struct cgroup_layout layout; /* which controllers each of `cgroup` has */
	struct cgroup cgroup;        /* of this container, to read from */
	struct status_text *status;  /* NULL before somebody asks */
	struct cgroup_usage hits;    /* as it was when limits were last looked at, hits.h */
	uint64_t started_at;         /* seconds since the epoch */
	uint64_t begun_ms;           /* the same by CLOCK_BOOTTIME */
	int note;
	struct note noted;  /* what is in it */
	int control;        /* listening socket in the registry */
	int events;         /* events.jsonl, or -1 */
	int signals;        /* signalfd: SIGCHLD, SIGTERM */
	int timer, wall;    /* timerfds on CLOCK_BOOTTIME and CLOCK_REALTIME, times.h */
	int used;           /* written when it is used, registry_open_used() */
	uint64_t used_next; /* CLOCK_BOOTTIME milliseconds: when to note it again */
	uint64_t timer_armed, wall_armed; /* for when, in milliseconds */
	struct room_budget budget;
	bool stopping;
	const char *stop_reason; /* for the event, valid while stopping */
	uint64_t stop_deadline;  /* CLOCK_BOOTTIME milliseconds, valid while stopping */
	struct pollfd watches[WATCH_SESSIONS + SESSIONS_MAX];
};

/* Serve until the container is to end. Returns when PID 1 should exit, which ends everything in it.
 */
void room_serve(struct room *room);

/* Answer one client of the control socket. */
void room_answer(struct room *room, int client);

/* The session at `index` is over. */
void room_session_end(struct room *room, size_t index);

/* Write down how it stands, when that is not what is in the note. */
void room_note(struct room *room);

/* Answer one client of the status socket, which may be anybody in the container. Never waits. */
void room_tell_status(struct room *room);

/* How full the data of the container are, where they have a bound of their own. */
void room_disk(const struct room *room, struct storage_usage *disk);

/*
 * Ask all processes to end; the kernel ends the rest when PID 1 exits after `seconds`. `reason`, a
 * literal, is told in the event.
 */
void room_stop(struct room *room, uint64_t seconds, const char *reason);

#endif

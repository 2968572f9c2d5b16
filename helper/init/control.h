/* helper/init/control.h - what the helper and the admin's command say to the PID 1 of a container.
 */
#ifndef CARREL_HELPER_INIT_CONTROL_H
#define CARREL_HELPER_INIT_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/storage/usage.h"
#include "policy/hours.h"

/*
 * One SOCK_SEQPACKET request, one answer, over containers/NAME/control (only host root can
 * reach it). Native byte order: both ends are the same build on the same machine, CONTROL_VERSION
 * refuses anything else.
 */
#define CONTROL_VERSION  3
#define CONTROL_NAME_MAX 257

enum control_verb {
	CONTROL_SESSION = 1, /* register a session; fds below */
	CONTROL_STATUS,      /* answer carries the sessions */
	CONTROL_COUNT,       /* the same without the sessions themselves */
	CONTROL_STOP,        /* SIGHUP+SIGTERM to all, then the end after stop_seconds; no fds */
	CONTROL_SETTINGS,    /* take idle_seconds, stop_seconds, session_limit */
	CONTROL_MESSAGE,     /* write `text` to every terminal of the container */
	CONTROL_PREPARE,     /* a session's plan without a session; fds: its memfd, plan_fds */
};

/* What a policy says about the time of a session; UINT64_MAX where it says nothing. */
struct session_rules {
	uint64_t session_seconds;
	uint64_t warn_seconds;
	uint64_t cpu_day_seconds; /* of the whole container, of all its sessions */
	struct hours hours;
};

#define SESSION_RULES_NONE                                                                         \
	{                                                                                          \
		.session_seconds = UINT64_MAX, .warn_seconds = UINT64_MAX,                         \
		.cpu_day_seconds = UINT64_MAX                                                      \
	}

/*
 * Descriptors of CONTROL_SESSION, in this order: pidfd of the login service, memfd of the session's
 * plan (helper/init/plan.h), the two ends of its leash (pull, armed), then those that has_*
 * announces, then plan_fds that the plan uses. The other verbs carry none.
 */
struct control_request {
	uint32_t version;
	uint32_t verb;
	uint32_t has_log;    /* fd: connected datagram socket to the host's syslog */
	uint32_t has_events; /* fd: O_APPEND descriptor of events.jsonl */
	uint32_t has_tty;    /* fd: the host's terminal that tty_path shows, for messages */
	uint32_t has_scope;  /* SESSION_FILE_COUNT fds, helper/limits/session_cgroup.h */
	uint32_t has_budget; /* two fds: the container's counter, the day's record */
	uint32_t kill_is_v1, cpu_is_v1; /* the kind of these files */
	uint32_t plan_fds;
	uint32_t stop_seconds;      /* for STOP */
	uint32_t session_limit;     /* for SESSION: 0 is none */
	uint32_t uid;               /* for SESSION: the user inside */
	uint64_t idle_seconds;      /* after the last session: UINT64_MAX never */
	struct session_rules rules; /* for SESSION */
	int32_t pid;                /* of the login service on the host */
	char user[CONTROL_NAME_MAX], service[CONTROL_NAME_MAX], tty[CONTROL_NAME_MAX],
	    rhost[CONTROL_NAME_MAX], policy[65];
	char tty_path[64]; /* where the host's terminal appears inside, "" for none */
	char text[1024];   /* for MESSAGE */
};

/* How many descriptors come with a request. A sum of what was sent: it may be any number. Pure. */
size_t control_fd_count(const struct control_request *request);

/*
 * May PID 1 act on what it received, `length` bytes with `fd_count` descriptors? Every text ends,
 * the verb is known, the descriptors are just those that it announces, its hours are hours.
 * Pure.
 */
bool control_request_is_sound(const struct control_request *request, size_t length,
			      size_t fd_count);

enum control_result {
	CONTROL_OK = 1,
	CONTROL_STOPPING, /* the container is on its way out: wait for its end, start anew */
	CONTROL_FULL,     /* session_limit is reached */
	CONTROL_BAD,      /* not a request that init understands */
	CONTROL_TROUBLE,  /* `text` says what */
};

struct control_session {
	uint32_t id;
	int32_t pid;           /* of the login service on the host */
	uint64_t since;        /* seconds since the epoch */
	uint64_t left_seconds; /* until it is ended, by session and hours; UINT64_MAX: no end */
	char user[CONTROL_NAME_MAX], service[CONTROL_NAME_MAX], tty[CONTROL_NAME_MAX],
	    rhost[CONTROL_NAME_MAX];
};

#define CONTROL_SESSIONS_MAX 64 /* in one status answer; `session_count` tells the whole number */

struct control_answer {
	uint32_t version;
	uint32_t result;
	uint32_t session_id;       /* for SESSION */
	uint32_t session_count;    /* for STATUS and SESSION */
	uint64_t idle_since;       /* seconds since the epoch, 0 while there are sessions */
	struct storage_usage disk; /* for STATUS, COUNT and SESSION */
	uint64_t cpu_day_left_microseconds; /* for STATUS: UINT64_MAX when nothing limits it */
	char text[256];
	/* for STATUS: followed by min(session_count, CONTROL_SESSIONS_MAX) struct control_session
	 */
};

#endif

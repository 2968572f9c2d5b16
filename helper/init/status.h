/* helper/init/status.h - what a container is told about itself, as text. Pure. */
#ifndef CARREL_HELPER_INIT_STATUS_H
#define CARREL_HELPER_INIT_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/limits/limits.h"
#include "helper/registry/record.h"
#include "helper/storage/usage.h"

/*
 * PID 1 writes it to whoever in the container connects to this stream socket, and closes: lines
 * "key=value" as in the records of the registry. A key that is missing means that nothing is known,
 * or for a limit that there is none; readers skip keys that they do not know, so that a `carrel`
 * and a carrel-init of different versions understand each other.
 */
#define STATUS_SOCKET "/run/carrel/status"

#define STATUS_SESSIONS_MAX 8 /* shown; session_count tells the whole number */

struct status_session {
	uint64_t since;        /* seconds since the epoch */
	uint64_t left_seconds; /* until it is ended, UINT64_MAX: nothing ends it */
	char user[65], service[65], tty[65], rhost[65]; /* cut off when longer; "-": none */
};

/* Numbers are UINT64_MAX where nothing is known; `held` as in policies. */
struct container_status {
	char name[65], policy[65], image[65];
	char state[16];        /* "running", "stopping"; outside also "stopped", "no answer" */
	uint64_t started_at;   /* seconds since the epoch */
	uint64_t idle_seconds; /* ends after so long without a session; UINT64_MAX: never */
	uint64_t cpu_day_left_microseconds; /* UINT64_MAX: as much as it wants */
	struct limits held;                 /* what it may use */
	struct cgroup_usage in;             /* what it uses: memory, processors, processes */
	struct storage_usage disk;
	uint64_t session_count, session_limit;
	struct status_session sessions[STATUS_SESSIONS_MAX];
	size_t session_room; /* how many are in `sessions` */
};

void status_clear(struct container_status *status);

/* Sessions are left out when they do not fit; false when the rest does not either. */
bool status_format(const struct container_status *status, struct record *text);

/* False when it is not such a text. What makes no sense counts as missing. */
bool status_parse(struct record *text, struct container_status *status);

#endif

/* helper/init/stuck.h - login services that wait on something that was put in their way. */
#ifndef CARREL_HELPER_INIT_STUCK_H
#define CARREL_HELPER_INIT_STUCK_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/init/sessions.h"

/*
 * The container's root can put a FIFO where a login service opens a file. The service then waits
 * for ever, outside, where PID 1 cannot signal it; it does not reap, and until it does PID 1 cannot
 * end either (pid_namespaces(7)). PID 1 pulls its leash instead (helper/init/leash.h).
 */
struct stuck {
	uint64_t next_look; /* CLOCK_BOOTTIME seconds */
	unsigned looks;     /* how often in a row only the dead were left */
};

#define STUCK_LOOKS   3 /* that many looks in a row, 30 s apart */
#define STUCK_SECONDS 2 /* for a service to end by itself after all inside were killed */

/* Milliseconds until the next look is due. */
int stuck_patience(const struct stuck *stuck);

/* Look when it is due, and kill the login services when they were stuck each time. */
void stuck_look(struct stuck *stuck, struct sessions *sessions);

/* Kill all login services that are still there. */
void stuck_end(struct sessions *sessions);

#endif

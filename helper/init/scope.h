/* helper/init/scope.h - the processes of one session, as PID 1 of their container reaches them. */
#ifndef CARREL_HELPER_INIT_SCOPE_H
#define CARREL_HELPER_INIT_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "helper/limits/session_cgroup.h"

/*
 * Files of the session's cgroup that the helper opened (helper/limits/session_cgroup.h); all -1 for
 * a session that has none. The login service is in that cgroup too, but in no PID namespace that
 * PID 1 could name: it ends when its children have, and cgroup.kill (v2) reaches it as well.
 */
struct scope {
	int files[SESSION_FILE_COUNT];
	bool kill_is_v1, cpu_is_v1;
};

#define SCOPE_NONE                                                                                 \
	{                                                                                          \
		.files = { -1, -1, -1 }                                                            \
	}

bool scope_is_there(const struct scope *scope);
void scope_close(struct scope *scope);

/* The pids, in this PID namespace; at most `room`. Returns how many there are. */
size_t scope_members(const struct scope *scope, pid_t *pids, size_t room);

/* Send a signal to each of them and to nobody else. */
void scope_signal(const struct scope *scope, int signal_number);

/*
 * End them all at once: none can fork away. False when the kernel refuses; on v1 also when some
 * did not freeze in time, then all that were there are killed: call it again.
 */
bool scope_kill(const struct scope *scope);

/* Microseconds of processor time; UINT64_MAX when unknown. */
uint64_t scope_cpu(const struct scope *scope);

/* Write `text` to every terminal that one of them has; returns to how many. `but` is the minor
 * number of a /dev/pts that is another's, or -1. */
size_t scope_tell(const struct scope *scope, const char *text, int but);

#endif

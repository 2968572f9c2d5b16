/* join/steps.h - what the halves of a join hand to each other; private to join/. */
#ifndef CARREL_JOIN_STEPS_H
#define CARREL_JOIN_STEPS_H

#include <linux/filter.h>

#include "join/join.h"

/* What the checks have found and opened on the host, for the steps after the point of no return. */
struct join_ready {
	const struct join_plan *plan;
	struct sock_filter *program; /* read from the sealed memfd */
	size_t program_length;       /* instructions */
	int home_user, home_mount;   /* namespaces of the host, to prove that they are closed */
	gid_t *groups;               /* supplementary groups as the host names them */
	int group_count;
};

/* False with *why when the join could not end well; nothing has changed then. */
bool join_check(const struct join_plan *plan, struct join_ready *ready, struct failure *why);

/* Join for good. False as join_container says. */
bool join_commit(const struct join_ready *ready, struct failure *why);

/* Keep the C library from loading code by paths that will lead into the container. */
bool join_keep_to_own_code(const struct join_ready *ready, struct failure *why);

/* Release what join_check opened, after success and failure alike. */
void join_release(struct join_ready *ready);

/*
 * Confine the container's root: bounding set, capabilities, no_new_privs, seccomp. The last step:
 * afterwards only what the policy's seccomp program allows can be called.
 */
bool join_confine(const struct join_ready *ready, struct failure *why);

/* Give up every capability and the ways to any; for a process that is stuck half way. */
void join_disarm(void);

#endif

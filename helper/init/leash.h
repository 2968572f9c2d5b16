/* helper/init/leash.h - let PID 1 of a container end a login service that it cannot signal. */
#ifndef CARREL_HELPER_INIT_LEASH_H
#define CARREL_HELPER_INIT_LEASH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/failure.h"

/*
 * The login service is outside the PID namespace, so PID 1 may not signal it. The helper ties a
 * SIGKILL to a socket instead, which the kernel sends when something arrives there or the other end
 * is closed. So the service does not outlive a PID 1 that is killed, provided that `pull` has the
 * lower number: the kernel closes in that order. Closing `armed` first makes it harmless.
 *
 * It bites from leash_arm on: a helper that is killed before PID 1 has the ends closes them too.
 */
struct leash {
	int pull;  /* what PID 1 writes to */
	int armed; /* where it arrives */
};

#define LEASH_NONE                                                                                 \
	{                                                                                          \
		-1, -1                                                                             \
	}

/*
 * By the host's root, for the process `pid` with this pidfd. False with *why; the ends are then
 * closed or -1.
 */
bool leash_make(pid_t pid, int pidfd, struct leash *leash, struct failure *why);

/*
 * PID 1 holds the ends now. FAILURE_BUSY when it was pulled already or PID 1 is gone; the login
 * service lives.
 */
bool leash_arm(const struct leash *leash, struct failure *why);

/* Kill the login service. */
void leash_pull(const struct leash *leash);

/* Let it live: closes `armed` first. */
void leash_close(struct leash *leash);

#endif

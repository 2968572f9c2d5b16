/* pam_module/process.h - start the helper as a child of a login service, and see its end. */
#ifndef CARREL_PAM_MODULE_PROCESS_H
#define CARREL_PAM_MODULE_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "base/failure.h"

struct helper_process {
	pid_t pid;
	int pidfd;
	int channel;              /* our end of the socket whose other end is its descriptor 0 */
	struct sigaction sigchld; /* what the service had for SIGCHLD */
};

/*
 * Start CARREL_HELPER in a session of its own with an empty environment, default signals, the
 * channel as descriptor 0, /dev/null as 1 and 2, and no other descriptor. SIGCHLD is at its
 * default until helper_end. False with *why when it cannot be started; nothing is left then.
 */
bool helper_start(struct helper_process *helper, struct failure *why);

/*
 * Close the channel, wait until `deadline` for the helper to end, kill it when it does not, reap
 * it, and give SIGCHLD back. Returns the status of waitpid(2), or -1 when someone else reaped it or
 * the caller may not kill it, having joined a container; the host's init reaps it then.
 */
int helper_end(struct helper_process *helper, const struct timespec *deadline);

#endif

/* helper/admin/image_progress.h - show how far a long piece of work is, and stop it when asked to.
 */
#ifndef CARREL_HELPER_ADMIN_IMAGE_PROGRESS_H
#define CARREL_HELPER_ADMIN_IMAGE_PROGRESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

/*
 * On a terminal the step at hand is one line that is written anew, with a bar where the whole is
 * known; elsewhere each step is a line of its own. While it lasts, SIGINT, SIGTERM and SIGHUP do
 * not end the process: the work is told to stop, and undoes itself.
 */
struct progress {
	bool terminal;
	bool drawn; /* an unfinished line stands on the terminal */
	unsigned step, steps;
	const char *what;  /* of the step, borrowed */
	uint64_t drawn_at; /* milliseconds */
	int signals;       /* readable when it is to stop; -1: never */
	sigset_t before;
};

bool progress_begin(struct progress *progress, unsigned steps, struct failure *why);
void progress_end(struct progress *progress);

/* The next step begins; `what` stays the caller's. */
void progress_step(struct progress *progress, const char *what);

/*
 * So much of it is done; `total` 0 when nobody knows. `detail` is what else to show, or NULL. False
 * with *why when the work is to stop. Cheap enough for every file.
 */
bool progress_tell(struct progress *progress, uint64_t done, uint64_t total, const char *detail,
		   struct failure *why);

/* Before something else is printed. */
void progress_clear(struct progress *progress);

/* Has a signal to stop arrived? FAILURE_BUSY in *why then. */
bool progress_stopped(struct progress *progress, struct failure *why);

#endif

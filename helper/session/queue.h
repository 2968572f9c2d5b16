/* helper/session/queue.h - containers are started a few at a time, in the order of arrival. */
#ifndef CARREL_HELPER_SESSION_QUEUE_H
#define CARREL_HELPER_SESSION_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

/*
 * /run/carrel/queue/ has a file for everyone who waits or is in turn, named by a number that grows
 * with arrival, and locked (flock(2)) by its owner as long as that lives. The first few are in
 * turn. There is nobody to give out turns: everyone looks whether enough of those before them are
 * gone. One that was killed leaves a file without a lock, which whoever comes next to it removes.
 */
struct turn {
	int queue;  /* the directory, -1: not in the queue */
	int ticket; /* our file, locked */
	uint64_t number;
};
#define TURN_NONE                                                                                  \
	{                                                                                          \
		.queue = -1, .ticket = -1                                                          \
	}

/*
 * Join the queue below `run` and wait until it is our turn. `tell` is called twice a second with
 * the number of those who come before; false from it gives up (whoever asked is gone), as does
 * waiting for longer than QUEUE_SECONDS. False with *why; then we are not in the queue.
 */
#define QUEUE_SECONDS 600
bool turn_take(int run, bool (*tell)(size_t before, void *data), void *data, struct turn *turn,
	       struct failure *why);

/* Let the next one in. Nothing happens when there is no turn to give back. */
void turn_give_back(struct turn *turn);

/* How many are in turn at the same time: two for each processor that we may use, since a start also
 * waits for the kernel. */
size_t queue_slots(void);

/* How long to sleep when so many must go first, in milliseconds. Pure. */
unsigned queue_patience_ms(size_t ahead);

#endif

/* helper/init/hits.h - tell when the container has run into a limit. */
#ifndef CARREL_HELPER_INIT_HITS_H
#define CARREL_HELPER_INIT_HITS_H

#include "helper/init/room.h"

/* The cgroup may have been there before this container: what it counted then is not ours to tell.
 */
void hits_begin(struct room *room);

/*
 * Compare the kernel's counters of processes killed for memory and of processes refused with those
 * of the last time, and write an event "limit" for each that has grown. Nobody is told by the
 * kernel in between without a process that waits for it: PID 1 looks when a session ends, when
 * anybody asks it something, when a timer goes off, and at the end.
 */
void hits_tell(struct room *room);

#endif

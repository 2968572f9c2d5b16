/* helper/init/times.h - end sessions, and the container, when their time is over. */
#ifndef CARREL_HELPER_INIT_TIMES_H
#define CARREL_HELPER_INIT_TIMES_H

#include "helper/init/room.h"

/* Make the timers; false with errno. */
bool times_open(struct room *room);

/*
 * Warn, end and kill what is due, then set the timers to what is due next. Called whenever PID 1
 * has done anything. `timer` and `wall` of the room are to be polled.
 */
void times_check(struct room *room);

/* A timer has gone off: read it. The clock was set: the hours are looked at anew. */
void times_take(struct room *room);

/* A session has begun: its hours, the container's budget. */
void times_begin(struct room *room, struct session *session);

/* The container ends: write down what it has used, and when. */
void times_end(struct room *room);

/* Seconds until the session is ended, UINT64_MAX when nothing ends it. */
uint64_t times_left(const struct session *session);

/* Microseconds of processor time that are left of the day; UINT64_MAX when nothing limits it. */
uint64_t times_cpu_left(const struct room *room);

#endif

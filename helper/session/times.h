/* helper/session/times.h - may this user log in now, and what of time is to be told at login? */
#ifndef CARREL_HELPER_SESSION_TIMES_H
#define CARREL_HELPER_SESSION_TIMES_H

#include "helper/session/session.h"

/*
 * Outside of the allowed hours, or with the day's processor time used up, a request that would be
 * contained becomes a refusal that says when it opens again. False with *why when that could not be
 * found out. The exempt never come here.
 */
bool session_times(struct session_request *request, struct failure *why);

/*
 * Fill request->notice for a container that this login started: when its data expire, if it is new
 * or was unused for more than half of that time. `before` is its record from before the start.
 */
void session_notice(struct session_request *request, const struct stored_record *before);

#endif

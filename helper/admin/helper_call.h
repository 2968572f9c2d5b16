/* helper/admin/helper_call.h - start carrel-helper with a channel to it. */
#ifndef CARREL_HELPER_ADMIN_HELPER_CALL_H
#define CARREL_HELPER_ADMIN_HELPER_CALL_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/failure.h"

/*
 * As the PAM module starts it: constant path, an empty environment, no signal blocked. It is in a
 * session of its own, so that Ctrl-C ends nothing half-way. `purpose` is its argument. The caller
 * closes *channel (a helper that still wants something gives up then) and reaps *child. False with
 * *why.
 */
bool helper_spawn(const char *purpose, int *channel, pid_t *child, struct failure *why);

#endif

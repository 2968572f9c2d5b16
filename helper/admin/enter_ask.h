/* helper/admin/enter_ask.h - ask carrel-helper to let this process into a container. */
#ifndef CARREL_HELPER_ADMIN_ENTER_ASK_H
#define CARREL_HELPER_ADMIN_ENTER_ASK_H

#include <stdbool.h>

#include "base/failure.h"
#include "wire/wire.h"

/*
 * Start the helper, send it the request and read its reply. On success the action is CONTAIN and
 * `fds` has the descriptors in the order of enum wire_fd (caller closes). False with *why, also
 * when the helper refuses.
 */
bool enter_ask(const struct wire_request *request, struct wire_reply *reply, int fds[WIRE_FD_COUNT],
	       struct failure *why);

#endif

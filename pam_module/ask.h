/* pam_module/ask.h - one question to the helper, one answer, before a deadline. */
#ifndef CARREL_PAM_MODULE_ASK_H
#define CARREL_PAM_MODULE_ASK_H

#include <stdbool.h>

#include "base/failure.h"
#include "wire/wire.h"

struct answer {
	struct wire_reply reply;
	int fds[WIRE_MAX_FDS]; /* reply.fd_count of them, the others -1 */
};

/*
 * Start the helper, ask, and see it end. Blocks for at most `timeout_seconds`, and a little for
 * a helper that has answered and does not end. Only a whole, sound reply with exactly the
 * descriptors it declares is an answer; the helper's exit status is not.
 *
 * False with *why otherwise: nothing is left then, no process and no descriptor. The caller
 * releases an answer with answer_close.
 */
bool ask_helper(const struct wire_request *request, unsigned timeout_seconds, struct answer *answer,
		struct failure *why);

void answer_close(struct answer *answer);

#endif

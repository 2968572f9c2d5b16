/* pam_module/ask.h - one question to the helper, one answer, before a deadline. */
#ifndef CARREL_PAM_MODULE_ASK_H
#define CARREL_PAM_MODULE_ASK_H

#include <stdbool.h>

#include "base/failure.h"
#include "pam_module/process.h"
#include "wire/wire.h"

struct answer {
	struct wire_reply reply;
	int fds[WIRE_MAX_FDS];        /* reply.fd_count of them, the others -1 */
	struct helper_process helper; /* which is about to end, while its answer is obeyed */
	struct timespec linger;       /* when it should have ended */
};

/* Told while the container waits for its turn; `text` is for the user. */
typedef void ask_waiting(void *data, char *text);

/*
 * Start the helper, which gets ready for the request that ask_helper sends it, while the caller
 * does what it has to do for that. False with *why when it cannot be started; nothing is left then.
 */
bool ask_start(struct answer *answer, struct failure *why);

/*
 * Ask the helper that ask_start has started. Blocks for at most `timeout_seconds` without a sign of
 * the helper, ASK_SECONDS in all. Only a whole, sound reply with exactly the descriptors it
 * declares is an answer; the helper's exit status is not.
 *
 * False with *why otherwise: nothing is left then, no process and no descriptor. The caller
 * releases an answer with answer_close, which closes its descriptors, sees the helper end, and
 * gives SIGCHLD back. The kernel takes a while to bury a process: a join meanwhile costs nothing.
 */
#define ASK_SECONDS 900
bool ask_helper(const struct wire_request *request, unsigned timeout_seconds, ask_waiting *waiting,
		void *data, struct answer *answer, struct failure *why);

void answer_close(struct answer *answer);

#endif

/* helper/session/prepare.c - make a container ready for a user before they come. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "helper/container/birth.h"
#include "helper/session/admission.h"

/* What a first login would find to do inside: account, home, run-time folder. */
static bool furnish(struct admission *admission, const struct plan *plan, struct failure *why)
{
	_cleanup_close_ int memfd = plan_memfd(plan, why);
	struct control_request request = {.version = CONTROL_VERSION,
					  .verb = CONTROL_PREPARE,
					  .plan_fds = (uint32_t)plan->fd_count};
	struct control_answer answer;
	int fds[CHANNEL_MAX_FDS];

	if (memfd < 0)
		return false;
	if (plan->fd_count > CHANNEL_MAX_FDS - 1)
		return fail(why, FAILURE_LIMIT, 0, "the session has too many mounts");
	fds[0] = memfd;
	memcpy(fds + 1, plan->fds, plan->fd_count * sizeof(int));
	if (!admission_ask(admission, &request, fds, plan->fd_count + 1, &answer, why))
		return false;
	if (answer.result == CONTROL_OK)
		return true;
	if (answer.result == CONTROL_STOPPING)
		return fail(why, FAILURE_BUSY, 0, "container '%s' is stopping",
			    admission->request->name);
	return fail(why, FAILURE_SYSTEM, 0, "inside container '%s': %s", admission->request->name,
		    answer.result == CONTROL_TROUBLE ? answer.text
						     : "carrel-init is of another version");
}

static bool plan_and_furnish(struct admission *admission, struct failure *why)
{
	const struct login_tty no_tty = {.fd = -1};
	struct plan *plan = plan_new();
	struct id_map gids;
	bool furnished;

	if (!plan)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot plan the workspace");
	furnished = admission_map(admission, &gids, why) &&
		    plan_session(plan, &admission->spec, &gids, &no_tty, why) &&
		    furnish(admission, plan, why);
	plan_free(plan);
	return furnished;
}

static bool prepare(struct admission *admission, struct failure *why)
{
	struct session_request *request = admission->request;

	/* The seccomp program is compiled too, so that it is there when they come. */
	if (!admission_prepare(admission, why) || !admission_find_cgroups(admission, why) ||
	    !reply_seccomp(request, &admission->registry, admission_policy(admission), why) ||
	    !admission_lock(admission, why))
		return false;
	for (int attempt = 0; attempt < 3; attempt++) {
		if (!admission_find(admission, why))
			return false;
		if (plan_and_furnish(admission, why))
			return true;
		if (why->kind != FAILURE_BUSY)
			return false;
		if (!admission_wait_for_end(admission, why))
			return false;
	}
	return false;
}

bool session_prepare(struct session_request *request, struct failure *why)
{
	struct admission admission = ADMISSION_OF(request);
	bool prepared = prepare(&admission, why);

	memset(&request->reply, 0, sizeof(request->reply));
	request->reply.action = WIRE_HOST;
	request->reply.umask = WIRE_UMASK_UNSET;
	(void)snprintf(request->reply.container, sizeof(request->reply.container), "%s",
		       request->name);
	(void)snprintf(request->reply.log_text, sizeof(request->reply.log_text), "%s",
		       admission.started ? "started" : "was running");
	admission_close(&admission);
	return prepared;
}

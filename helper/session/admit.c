/* helper/session/admit.c - find or build the container, then let the login service in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/container/birth.h"
#include "helper/init/control.h"
#include "helper/init/leash.h"
#include "helper/session/admission.h"

/* Descriptors of a session's request besides those of its plan (helper/init/control.h). */
#define SESSION_FDS_MAX (7 + SESSION_FILE_COUNT + 2)

static void fill_request(const struct admission *admission, const struct plan *plan,
			 struct control_request *out)
{
	const struct session_request *request = admission->request;
	const struct policy *policy = admission_policy(admission);
	uint64_t limit = policy->limits.value[LIMIT_SESSIONS];
	uint64_t idle = policy->time.idle_seconds;

	*out = (struct control_request){
	    .version = CONTROL_VERSION,
	    .verb = CONTROL_SESSION,
	    .has_log = request->log >= 0,
	    .has_events = request->events >= 0,
	    .plan_fds = (uint32_t)plan->fd_count,
	    .stop_seconds = (uint32_t)policy->time.stop_seconds,
	    .session_limit = limit >= LIMIT_UNLIMITED ? 0 : (uint32_t)limit,
	    .uid = request->account->uid,
	    .idle_seconds = idle == TIME_UNSET || idle == TIME_NEVER ? UINT64_MAX : idle,
	    .pid = request->caller.pid,
	};
	(void)snprintf(out->user, sizeof(out->user), "%s", request->wire.user);
	(void)snprintf(out->service, sizeof(out->service), "%s", request->wire.service);
	(void)snprintf(out->tty, sizeof(out->tty), "%s", request->wire.tty);
	(void)snprintf(out->rhost, sizeof(out->rhost), "%s", request->wire.rhost);
	(void)snprintf(out->policy, sizeof(out->policy), "%s", policy->name);
	(void)snprintf(out->tty_path, sizeof(out->tty_path), "%s",
		       admission->tty.fd >= 0 ? admission->tty.inside : "");
}

static void forget_place(struct admission *admission)
{
	tether_close(&admission->tether);
	cgroup_close(&admission->cgroup);
}

static bool find_cgroup(struct admission *admission, struct failure *why)
{
	const struct session_request *request = admission->request;
	const struct pool *pool = request->selection.pool;

	return admission->cgroup.count > 0 ||
	       (admission_find_cgroups(admission, why) &&
		cgroup_open(&admission->layout, request->name, pool ? pool->name : NULL,
			    &admission->cgroup, why)) ||
	       admission_doubt_mounts(admission);
}

/*
 * What PID 1 is to hold the session by. That takes the container's cgroup when the policy ends
 * sessions; for others it is found while PID 1 is at work.
 */
static bool prepare_tether(struct admission *admission, struct failure *why)
{
	const struct tether_subject subject = {.policy = admission_policy(admission),
					       .registry = &admission->registry,
					       .name = admission->request->name,
					       .layout = &admission->layout,
					       .container = &admission->cgroup,
					       .tty = &admission->tty,
					       .pid = admission->request->caller.pid};

	forget_place(admission);
	return (!tether_is_wanted(subject.policy) || find_cgroup(admission, why)) &&
	       (tether_open(&subject, &admission->tether, why) ||
		admission_doubt_mounts(admission));
}

/* Into the container's cgroup, or one of the session's own when its policy ends sessions. */
static bool move_caller(struct admission *admission, struct failure *why)
{
	const pid_t caller = admission->request->caller.pid;
	const struct cgroup *place =
	    admission->tether.has_scope ? &admission->tether.session.place : &admission->cgroup;

	if (!find_cgroup(admission, why))
		return false;
	admission->came_from = cgroup_whereabouts(caller, why);
	if (!admission->came_from)
		return false;
	return cgroup_attach(&admission->layout, place, caller, admission->came_from, why) ||
	       admission_doubt_mounts(admission);
}

/* Before anything ends what is in the container's cgroup. */
static void move_back(struct admission *admission)
{
	if (!admission->came_from)
		return;
	cgroup_restore(admission->request->caller.pid, admission->came_from);
	free(take_ptr(admission->came_from));
}

/*
 * PID 1 prepares the session while the login service is moved, on another processor if there is
 * one: each is a quarter of a login. A session that comes to nothing moves the service back.
 */
static bool ask_and_move(struct admission *admission, const struct control_request *request,
			 const int *fds, size_t count, struct control_answer *answer,
			 struct failure *why)
{
	_cleanup_close_ int channel = admission_send(admission, request, fds, count, why);

	return channel >= 0 && move_caller(admission, why) &&
	       admission_receive(admission, channel, answer, why);
}

/* One request, one answer of PID 1, who gets the ends of the login service's leash, too. */
static bool ask_init(struct admission *admission, int memfd, const struct plan *plan,
		     struct control_request *request, struct control_answer *answer,
		     struct failure *why)
{
	const struct caller *caller = &admission->request->caller;
	struct leash leash;
	int fds[CHANNEL_MAX_FDS];
	size_t count = 0;
	bool answered;

	if (!leash_make(caller->pid, caller->pidfd, &leash, why))
		return false;
	fds[count++] = caller->pidfd;
	fds[count++] = memfd;
	fds[count++] = leash.pull;
	fds[count++] = leash.armed;
	if (request->has_log)
		fds[count++] = admission->request->log;
	if (request->has_events)
		fds[count++] = admission->request->events;
	count +=
	    tether_announce(&admission->tether, admission_policy(admission), request, fds + count);
	memcpy(fds + count, plan->fds, plan->fd_count * sizeof(int));
	count += plan->fd_count;
	answered = ask_and_move(admission, request, fds, count, answer, why);
	if (answered && answer->result == CONTROL_OK)
		answered = leash_arm(&leash, why);
	leash_close(&leash);
	return answered;
}

/*
 * FAILURE_BUSY: the container is stopping, or was killed just now, so that its socket closes.
 * FAILURE_LIMIT: it is full.
 */
static bool register_session(struct admission *admission, const struct plan *plan,
			     struct failure *why)
{
	_cleanup_close_ int memfd = plan_memfd(plan, why);
	struct control_request request;
	struct control_answer answer;

	if (memfd < 0)
		return false;
	fill_request(admission, plan, &request);
	if (plan->fd_count > CHANNEL_MAX_FDS - SESSION_FDS_MAX)
		return fail(why, FAILURE_LIMIT, 0, "the session has too many mounts");
	if (!ask_init(admission, memfd, plan, &request, &answer, why))
		return false;
	admission->request->disk = answer.disk;
	if (answer.result == CONTROL_OK)
		return true;
	if (answer.result == CONTROL_STOPPING)
		return fail(why, FAILURE_BUSY, 0, "container '%s' is stopping",
			    admission->request->name);
	if (answer.result == CONTROL_FULL)
		return fail(
		    why, FAILURE_LIMIT, 0,
		    "user '%s' has %u sessions in container '%s', as many as policy '%s' allows",
		    request.user, answer.session_count, admission->request->name, request.policy);
	return fail(why, FAILURE_SYSTEM, 0, "inside container '%s': %s", admission->request->name,
		    answer.result == CONTROL_TROUBLE ? answer.text
						     : "carrel-init is of another version");
}

static bool join_session(struct admission *admission, struct failure *why)
{
	struct plan *plan = plan_new();
	struct id_map gids;
	bool joined;

	if (!plan)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot plan the session");
	joined = admission_map(admission, &gids, why) &&
		 plan_session(plan, &admission->spec, &gids, &admission->tty, why) &&
		 register_session(admission, plan, why);
	plan_free(plan);
	return joined;
}

static bool enter_session(struct admission *admission, struct failure *why)
{
	for (int attempt = 0; attempt < 3; attempt++) {
		if (!admission_find(admission, why))
			return false;
		if (!prepare_tether(admission, why))
			return false;
		if (join_session(admission, why))
			return true;
		move_back(admission);
		if (why->kind != FAILURE_BUSY)
			return false;
		if (!admission_wait_for_end(admission, why))
			return false;
	}
	return false;
}

static bool admit(struct admission *admission, struct failure *why)
{
	struct session_request *request = admission->request;
	bool admitted;

	if (!admission_prepare(admission, why) ||
	    !reply_seccomp(request, &admission->registry, admission_policy(admission), why) ||
	    !admission_lock(admission, why))
		return false;
	login_tty_find(request, &admission->tty);
	memcpy(request->tty_name, admission->tty.name, sizeof(request->tty_name));
	admitted = enter_session(admission, why) &&
		   rlimits_apply(request->caller.pid, &admission_policy(admission)->limits, why);
	if (!admitted)
		move_back(admission);
	else
		login_tty_give(request, &admission->tty, request->account->uid,
			       request->config->id_base + admission->record.block * 65536u + 5);
	if (!admitted)
		return false;
	request->reply_fds[WIRE_FD_INIT] = take_fd(&admission->init);
	return reply_fill(request, &admission->record, admission_policy(admission), why);
}

bool session_admit(struct session_request *request, struct failure *why)
{
	struct admission *admission = malloc(sizeof(*admission));
	bool admitted;

	if (!admission)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot admit the session");
	*admission = (struct admission)ADMISSION_OF(request);
	request->admission = admission;
	admitted = admit(admission, why);
	admission_take_back(admission);
	return admitted;
}

void session_leave(struct session_request *request)
{
	if (!request->admission)
		return;
	forget_place(request->admission);
	cleanup_close(&request->admission->tty.fd);
	admission_close(request->admission);
	free(take_ptr(request->admission));
}

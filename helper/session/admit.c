/* helper/session/admit.c - find or build the container, then let the login service in. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/container/birth.h"
#include "helper/container/thaw.h"
#include "helper/events/events.h"
#include "helper/init/control.h"
#include "helper/init/leash.h"
#include "helper/session/session.h"
#include "helper/session/supported.h"
#include "helper/session/tether.h"

/* Somebody else may be building or stopping it: as long as the longest stop, and some. */
#define LOCK_PATIENCE_MS   45000
#define ANSWER_SECONDS     30
#define STOPPED_PATIENCE_S 25
#define KILLED_PATIENCE_S  5

/* Descriptors of a session's request besides those of its plan (helper/init/control.h). */
#define SESSION_FDS_MAX (7 + SESSION_FILE_COUNT + 2)

/* What an admission holds on its way; every step can count on those before it. */
struct admission {
	struct session_request *request;
	struct registry registry;
	struct cgroup_layout layout;
	struct container_spec spec;
	struct running_record record;
	struct cgroup cgroup; /* of the container that was found or started */
	struct tether tether;
	int lock, init;
	bool started; /* by us */
};

static const struct policy *policy_of(const struct admission *admission)
{
	return admission->request->selection.policy;
}

static bool prepare(struct admission *admission, struct failure *why)
{
	struct session_request *request = admission->request;
	const struct pool *pool = request->selection.pool;

	if (!policy_supported(request->config, policy_of(admission), why) ||
	    !registry_open(request->config->state_dir, &admission->registry, why) ||
	    !cgroup_layout_find(request->config->cgroup_parent, &admission->layout, why) ||
	    !limits_check(&admission->layout, &policy_of(admission)->limits, why) ||
	    (pool && !limits_check_pool(&admission->layout, &pool->limits, why)))
		return false;
	admission->spec = (struct container_spec){.name = request->name,
						  .hostname = request->hostname,
						  .config = request->config,
						  .policy = policy_of(admission),
						  .pool = pool,
						  .group = request->selection.matched_group,
						  .account = request->account,
						  .registry = &admission->registry,
						  .layout = &admission->layout,
						  .events = request->events,
						  .log = request->log};
	return true;
}

static bool lock(struct admission *admission, struct failure *why)
{
	admission->lock =
	    registry_lock(&admission->registry, admission->request->name, LOCK_PATIENCE_MS, why);
	return admission->lock >= 0;
}

static void tell_start(const struct admission *admission)
{
	struct event event = EVENT_INIT;

	event.event = "start";
	event.user = admission->request->wire.user;
	event.container = admission->request->name;
	event.policy = policy_of(admission)->name;
	event_write(admission->request->events, &event);
}

/*
 * Two users whose names lead to the same container must be meant to share it: a container that is
 * not shared belongs to the one who caused its first start.
 */
static bool check_owner(const struct admission *admission, struct failure *why)
{
	struct stored_record stored;
	const char *user = admission->request->wire.user;

	if (!registry_stored(&admission->registry, admission->request->name, &stored, why))
		return false;
	if (stored.version == 0 || policy_is_shared(policy_of(admission)) ||
	    strcmp(stored.user, user) == 0)
		return true;
	return fail(
	    why, FAILURE_POLICY, 0,
	    "container '%s' belongs to '%s': give '%s' another one with the policy's name, or "
	    "'carrel remove %s' if the account was renamed",
	    admission->request->name, stored.user, user, admission->request->name);
}

static bool find_or_start(struct admission *admission, struct failure *why)
{
	if (!check_owner(admission, why) ||
	    !registry_running(&admission->registry, admission->request->name, &admission->record,
			      &admission->init, why))
		return false;
	/* Our lock says that whoever was holding it has been killed. */
	if (!container_thaw(&admission->registry, &admission->layout, admission->request->name,
			    admission->record.pool, why))
		return false;
	if (admission->init >= 0)
		return true;
	if (!container_start(&admission->spec, &admission->record, &admission->init, why))
		return false;
	admission->started = true;
	tell_start(admission);
	return true;
}

/* The id map was written at the start: one who became a member of the group later is not in it. */
static bool check_map(const struct admission *admission, struct id_map *gids, struct failure *why)
{
	struct id_map uids;
	const struct config *config = admission->request->config;
	uint32_t block = config->id_base + admission->record.block * 65536u;
	char path[48], line[128];
	_cleanup_fclose_ FILE *map = NULL;
	bool found = false;

	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", admission->record.pid);
	map = fopen(path, "re");
	while (map && !found && fgets(line, sizeof(line), map)) {
		unsigned inside, outside, count;

		found = sscanf(line, "%u %u %u", &inside, &outside, &count) == 3 &&
			inside == outside && admission->request->account->uid >= inside &&
			admission->request->account->uid - inside < count;
	}
	if (!found)
		return fail(
		    why, FAILURE_POLICY, 0,
		    "container '%s' was started before '%s' belonged to it: restart it with "
		    "'carrel stop %s'",
		    admission->request->name, admission->request->wire.user,
		    admission->request->name);
	return container_id_maps(&admission->spec, block, &uids, gids, why);
}

static void fill_request(const struct admission *admission, const struct login_tty *tty,
			 const struct plan *plan, struct control_request *out)
{
	const struct session_request *request = admission->request;
	const struct policy *policy = policy_of(admission);
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
	(void)snprintf(out->tty_path, sizeof(out->tty_path), "%s", tty->fd >= 0 ? tty->inside : "");
}

/* One request, one answer of PID 1, who gets the ends of the login service's leash, too. */
static bool ask_init(const struct admission *admission, int channel, int memfd,
		     const struct plan *plan, struct control_request *request,
		     struct control_answer *answer, struct failure *why)
{
	const struct caller *caller = &admission->request->caller;
	struct leash leash;
	int fds[CHANNEL_MAX_FDS];
	size_t count = 0, none = 0;
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
	count += tether_announce(&admission->tether, policy_of(admission), request, fds + count);
	memcpy(fds + count, plan->fds, plan->fd_count * sizeof(int));
	count += plan->fd_count;
	answered =
	    channel_send(channel, request, sizeof(*request), fds, count) &&
	    channel_receive(channel, answer, sizeof(*answer), NULL, &none) == (long)sizeof(*answer);
	if (!answered)
		(void)fail(why, FAILURE_SYSTEM, errno,
			   "carrel-init of container '%s' does not answer: 'carrel stop %s' ends "
			   "it",
			   admission->request->name, admission->request->name);
	leash_close(&leash);
	return answered;
}

/* FAILURE_BUSY: the container is stopping. FAILURE_LIMIT: it is full. */
static bool register_session(const struct admission *admission, const struct login_tty *tty,
			     const struct plan *plan, struct failure *why)
{
	const struct timeval limit = {.tv_sec = ANSWER_SECONDS};
	_cleanup_close_ int channel =
	    registry_connect(&admission->registry, admission->request->name, why);
	_cleanup_close_ int memfd = channel < 0 ? -1 : plan_memfd(plan, why);
	struct control_request request;
	struct control_answer answer;

	if (memfd < 0)
		return false;
	fill_request(admission, tty, plan, &request);
	if (plan->fd_count > CHANNEL_MAX_FDS - SESSION_FDS_MAX)
		return fail(why, FAILURE_LIMIT, 0, "the session has too many mounts");
	(void)setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!ask_init(admission, channel, memfd, plan, &request, &answer, why))
		return false;
	answer.text[sizeof(answer.text) - 1] = '\0';
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

static bool join_session(struct admission *admission, const struct login_tty *tty,
			 struct failure *why)
{
	struct plan *plan = plan_new();
	struct id_map gids;
	bool joined;

	if (!plan)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot plan the session");
	joined = check_map(admission, &gids, why) &&
		 plan_session(plan, &admission->spec, &gids, tty, why) &&
		 register_session(admission, tty, plan, why);
	plan_free(plan);
	return joined;
}

/*
 * PID 1 ends only when all of its namespace are reaped (pid_namespaces(7)), also children of a
 * login service, which is outside, and may itself wait on something that a user put in its way.
 */
static void kill_rest(const struct admission *admission)
{
	const struct pool *pool = admission->request->selection.pool;
	struct cgroup cgroup;
	struct failure ignored;

	if (!cgroup_open(&admission->layout, admission->request->name, pool ? pool->name : NULL,
			 &cgroup, &ignored))
		return;
	(void)cgroup_kill(&admission->layout, &cgroup, &ignored);
	cgroup_close(&cgroup);
}

/* A login that meets a container on its way out waits for its end and gets a fresh start. */
static bool wait_for_end(struct admission *admission, struct failure *why)
{
	struct pollfd ended = {.fd = admission->init, .events = POLLIN};
	bool has_ended = poll(&ended, 1, STOPPED_PATIENCE_S * 1000) == 1;

	if (!has_ended) {
		kill_rest(admission);
		has_ended = poll(&ended, 1, KILLED_PATIENCE_S * 1000) == 1;
	}
	if (!has_ended)
		return fail(
		    why, FAILURE_BUSY, 0,
		    "container '%s' is stopping and does not come to an end: see 'carrel show'",
		    admission->request->name);
	cleanup_close(&admission->init);
	admission->init = -1;
	return true;
}

static void forget_place(struct admission *admission)
{
	tether_close(&admission->tether);
	cgroup_close(&admission->cgroup);
}

/* The container's cgroup, and one of the session in it where its policy ends sessions. */
static bool find_place(struct admission *admission, const struct login_tty *tty,
		       struct failure *why)
{
	const struct session_request *request = admission->request;
	const struct pool *pool = request->selection.pool;
	const struct tether_subject subject = {.policy = policy_of(admission),
					       .registry = &admission->registry,
					       .name = request->name,
					       .layout = &admission->layout,
					       .container = &admission->cgroup,
					       .tty = tty,
					       .pid = request->caller.pid};

	forget_place(admission);
	return cgroup_open(&admission->layout, request->name, pool ? pool->name : NULL,
			   &admission->cgroup, why) &&
	       tether_open(&subject, &admission->tether, why);
}

static bool enter_session(struct admission *admission, const struct login_tty *tty,
			  struct failure *why)
{
	for (int attempt = 0; attempt < 3; attempt++) {
		if (!find_or_start(admission, why) || !find_place(admission, tty, why))
			return false;
		if (join_session(admission, tty, why))
			return true;
		if (why->kind != FAILURE_BUSY && why->kind != FAILURE_MISSING)
			return false;
		if (!wait_for_end(admission, why))
			return false;
	}
	return false;
}

/* The limits first, and the session last: what is admitted is already held. */
static bool bind_caller(struct admission *admission, struct failure *why)
{
	struct session_request *request = admission->request;
	const struct cgroup *place =
	    admission->tether.has_scope ? &admission->tether.session.place : &admission->cgroup;
	_cleanup_free_ char *whereabouts = cgroup_whereabouts(request->caller.pid, why);
	bool bound;

	if (!whereabouts)
		return false;
	bound = cgroup_attach(&admission->layout, place, request->caller.pid, why) &&
		rlimits_apply(request->caller.pid, &policy_of(admission)->limits, why);
	if (!bound)
		cgroup_restore(request->caller.pid, whereabouts);
	return bound;
}

static bool admit(struct admission *admission, struct failure *why)
{
	struct session_request *request = admission->request;
	struct login_tty tty;
	bool admitted;

	if (!prepare(admission, why) ||
	    !reply_seccomp(request, &admission->registry, policy_of(admission), why) ||
	    !lock(admission, why))
		return false;
	login_tty_find(request, &tty);
	memcpy(request->tty_name, tty.name, sizeof(request->tty_name));
	admitted = enter_session(admission, &tty, why) && bind_caller(admission, why);
	if (admitted)
		login_tty_give(request, &tty, request->account->uid,
			       request->config->id_base + admission->record.block * 65536u + 5);
	cleanup_close(&tty.fd);
	if (!admitted)
		return false;
	request->reply_fds[WIRE_FD_INIT] = take_fd(&admission->init);
	return reply_fill(request, &admission->record, policy_of(admission), why);
}

bool session_admit(struct session_request *request, struct failure *why)
{
	struct admission admission = {.request = request,
				      .registry = {-1, -1, -1, -1, -1},
				      .tether = TETHER_NONE,
				      .lock = -1,
				      .init = -1};
	bool admitted = admit(&admission, why);

	forget_place(&admission);
	cleanup_close(&admission.init);
	cleanup_close(&admission.lock);
	registry_close(&admission.registry);
	cgroup_layout_close(&admission.layout);
	return admitted;
}

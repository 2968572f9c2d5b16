/* helper/session/admission.c - find the container of a login running, or start it in turn. */
#include "helper/session/admission.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "helper/container/thaw.h"
#include "helper/events/events.h"
#include "helper/init/channel.h"
#include "helper/limits/kept_mounts.h"
#include "helper/session/supported.h"
#include "helper/session/times.h"
#include "helper/storage/storage.h"

/* Somebody else may be building or stopping it: as long as the longest stop, and some. */
#define LOCK_PATIENCE_MS   45000
#define ANSWER_SECONDS     30
#define STOPPED_PATIENCE_S 25
#define KILLED_PATIENCE_S  5

const struct policy *admission_policy(const struct admission *admission)
{
	return admission->request->selection.policy;
}

bool admission_doubt_mounts(const struct admission *admission)
{
	kept_mounts_forget(admission->registry.run);
	return false;
}

bool admission_prepare(struct admission *admission, struct failure *why)
{
	struct session_request *request = admission->request;

	if (!policy_supported(request->config, admission_policy(admission), why) ||
	    !registry_open(request->config->state_dir, &admission->registry, why))
		return false;
	admission->spec = (struct container_spec){.name = request->name,
						  .hostname = request->hostname,
						  .config = request->config,
						  .policy = admission_policy(admission),
						  .pool = request->selection.pool,
						  .group = request->selection.matched_group,
						  .account = request->account,
						  .registry = &admission->registry,
						  .layout = &admission->layout,
						  .events = request->events,
						  .log = request->log};
	return true;
}

bool admission_find_cgroups(struct admission *admission, struct failure *why)
{
	const struct session_request *request = admission->request;
	const struct pool *pool = request->selection.pool;

	if (admission->layout.root_count > 0)
		return true;
	if (!cgroup_layout_find(request->config->cgroup_parent, admission->registry.run,
				&admission->layout, why))
		return false;
	if (limits_check(&admission->layout, &admission_policy(admission)->limits, why) &&
	    (!pool || limits_check_pool(&admission->layout, &pool->limits, why)))
		return true;
	cgroup_layout_close(&admission->layout);
	return admission_doubt_mounts(admission);
}

bool admission_lock(struct admission *admission, struct failure *why)
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
	event.policy = admission_policy(admission)->name;
	event_write(admission->request->events, &event);
}

/*
 * Two users whose names lead to the same container must be meant to share it: a container that is
 * not shared belongs to the one who caused its first start.
 */
static bool check_owner(struct admission *admission, struct failure *why)
{
	struct stored_record *stored = &admission->before;
	const char *user = admission->request->wire.user;

	if (!registry_stored(&admission->registry, admission->request->name, stored, why))
		return false;
	if (stored->version == 0 || policy_is_shared(admission_policy(admission)) ||
	    strcmp(stored->user, user) == 0)
		return true;
	return fail(
	    why, FAILURE_POLICY, 0,
	    "container '%s' belongs to '%s': give '%s' another one with the policy's name, or "
	    "'carrel remove %s' if the account was renamed",
	    admission->request->name, stored->user, user, admission->request->name);
}

static bool tell_waiting(size_t before, void *data)
{
	return session_tell_waiting(data, before);
}

/* Nobody comes to a container whose login service was killed while it waited. */
static bool caller_is_there(const struct admission *admission, struct failure *why)
{
	struct pollfd ended = {.fd = admission->request->caller.pidfd, .events = POLLIN};

	return poll(&ended, 1, 0) == 0 ||
	       fail(why, FAILURE_REQUEST, 0, "the login service ended before its turn came");
}

/*
 * Starting costs processor time, which a class that arrives at once would have none left of for
 * anything else: a few at a time, in the order of arrival. Whoever is in turn has the container's
 * lock already and waits for no other, so nobody waits in a circle.
 */
static bool start(struct admission *admission, struct failure *why)
{
	bool started = turn_take(admission->registry.run, tell_waiting, admission->request,
				 &admission->turn, why) &&
		       caller_is_there(admission, why) &&
		       container_start(&admission->spec, &admission->record, &admission->init,
				       &admission->lent, why);

	turn_give_back(&admission->turn);
	return started;
}

bool admission_find(struct admission *admission, struct failure *why)
{
	bool held;

	if (!check_owner(admission, why) ||
	    !registry_running(&admission->registry, admission->request->name, &admission->record,
			      &admission->init, why))
		return false;
	held = container_is_held(&admission->registry, admission->request->name);
	if ((held || admission->init < 0) && !admission_find_cgroups(admission, why))
		return false;
	/* Our lock says that whoever was holding it has been killed. */
	if (held && !container_thaw(&admission->registry, &admission->layout,
				    admission->request->name, admission->record.pool, why))
		return false;
	/* PID 1 would not answer until it is let go. */
	if (admission->init >= 0 &&
	    registry_is_frozen(&admission->registry, admission->request->name))
		return fail(why, FAILURE_FROZEN, 0,
			    "container '%s' is frozen: 'carrel thaw %s' lets it go on",
			    admission->request->name, admission->request->name);
	if (admission->init >= 0)
		return true;
	if (!start(admission, why))
		return false;
	admission->started = true;
	session_notice(admission->request, &admission->before);
	tell_start(admission);
	return true;
}

/* The map of a running container, which was written at its start. */
static bool is_mapped(const struct running_record *record, uid_t uid)
{
	char path[48], line[128];
	_cleanup_fclose_ FILE *map = NULL;

	/* Whoever caused the start is in it. */
	if (record->uid && record->uid == uid)
		return true;
	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", record->pid);
	map = fopen(path, "re");
	while (map && fgets(line, sizeof(line), map)) {
		unsigned inside, outside, count;

		if (sscanf(line, "%u %u %u", &inside, &outside, &count) == 3 && inside == outside &&
		    uid >= inside && uid - inside < count)
			return true;
	}
	return false;
}

/* Who became a member of the group after the start is not in the map. */
bool admission_map(const struct admission *admission, struct id_map *gids, struct failure *why)
{
	struct id_map uids;
	const struct config *config = admission->request->config;
	uint32_t block = config->id_base + admission->record.block * 65536u;

	if (!is_mapped(&admission->record, admission->request->account->uid))
		return fail(
		    why, FAILURE_POLICY, 0,
		    "container '%s' was started before '%s' belonged to it: restart it with "
		    "'carrel stop %s'",
		    admission->request->name, admission->request->wire.user,
		    admission->request->name);
	return container_id_maps(&admission->spec, block, &uids, gids, why);
}

static bool is_gone(int error)
{
	return error == EPIPE || error == ECONNRESET;
}

static bool fail_gone(const struct admission *admission, struct failure *why)
{
	return fail(why, FAILURE_BUSY, 0, "container '%s' is at its end", admission->request->name);
}

static bool fail_mute(const struct admission *admission, struct failure *why)
{
	return fail(why, FAILURE_SYSTEM, errno,
		    "carrel-init of container '%s' does not answer: 'carrel stop %s' ends it",
		    admission->request->name, admission->request->name);
}

int admission_send(const struct admission *admission, const struct control_request *request,
		   const int *fds, size_t count, struct failure *why)
{
	const struct timeval limit = {.tv_sec = ANSWER_SECONDS};
	_cleanup_close_ int channel =
	    registry_connect_from_there(&admission->registry, admission->request->name, why);

	if (channel < 0) {
		if (why->kind == FAILURE_MISSING)
			why->kind = FAILURE_BUSY; /* where it listened is gone: it ends */
		return -1;
	}
	(void)setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (channel_send(channel, request, sizeof(*request), fds, count))
		return take_fd(&channel);
	(void)(is_gone(errno) ? fail_gone(admission, why) : fail_mute(admission, why));
	return -1;
}

bool admission_receive(const struct admission *admission, int channel,
		       struct control_answer *answer, struct failure *why)
{
	size_t none = 0;
	long length = channel_receive(channel, answer, sizeof(*answer), NULL, &none);

	if (length == 0 || (length < 0 && is_gone(errno)))
		return fail_gone(admission, why);
	if (length != (long)sizeof(*answer))
		return fail_mute(admission, why);
	answer->text[sizeof(answer->text) - 1] = '\0';
	return true;
}

bool admission_ask(const struct admission *admission, const struct control_request *request,
		   const int *fds, size_t count, struct control_answer *answer, struct failure *why)
{
	_cleanup_close_ int channel = admission_send(admission, request, fds, count, why);

	return channel >= 0 && admission_receive(admission, channel, answer, why);
}

/*
 * PID 1 ends only when all of its namespace are reaped (pid_namespaces(7)), also children of a
 * login service, which is outside, and may itself wait on something that a user put in its way.
 */
static void kill_rest(struct admission *admission)
{
	const struct pool *pool = admission->request->selection.pool;
	struct cgroup cgroup;
	struct failure ignored;

	if (!admission_find_cgroups(admission, &ignored) ||
	    !cgroup_open(&admission->layout, admission->request->name, pool ? pool->name : NULL,
			 &cgroup, &ignored))
		return;
	(void)cgroup_kill(&admission->layout, &cgroup, &ignored);
	cgroup_close(&cgroup);
}

/* A login that meets a container on its way out waits for its end and gets a fresh start. */
bool admission_wait_for_end(struct admission *admission, struct failure *why)
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

void admission_take_back(struct admission *admission)
{
	if (admission->lent)
		storage_take_back(&admission->registry, admission->request->name,
				  admission->request->config, admission_policy(admission));
	admission->lent = false;
}

void admission_close(struct admission *admission)
{
	admission_take_back(admission);
	free(take_ptr(admission->came_from));
	cleanup_close(&admission->init);
	cleanup_close(&admission->lock);
	registry_close(&admission->registry);
	cgroup_layout_close(&admission->layout);
}

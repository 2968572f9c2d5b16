/* helper/session/enter.c - host root joins a running container: carrel enter, carrel exec. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/paths.h"
#include "helper/container/thaw.h"
#include "helper/limits/limits.h"
#include "helper/session/session.h"

static const struct policy *policy_named(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->policy_count; i++)
		if (strcmp(config->policies[i].name, name) == 0)
			return &config->policies[i];
	return NULL;
}

static bool attach_caller(const struct session_request *request, const struct registry *registry,
			  const struct running_record *record, struct failure *why)
{
	struct cgroup_layout layout;
	struct cgroup cgroup;
	bool attached;

	if (!cgroup_layout_find(request->config->cgroup_parent, registry->run, &layout, why))
		return false;
	attached =
	    container_thaw(registry, &layout, request->name, record->pool, why) &&
	    cgroup_open(&layout, request->name, *record->pool ? record->pool : NULL, &cgroup, why);
	if (attached) {
		_cleanup_free_ char *whereabouts = cgroup_whereabouts(request->caller.pid, why);

		attached = whereabouts &&
			   cgroup_attach(&layout, &cgroup, request->caller.pid, whereabouts, why);
		cgroup_close(&cgroup);
	}
	cgroup_layout_close(&layout);
	return attached;
}

static bool enter(struct session_request *request, struct registry *registry, struct failure *why)
{
	struct running_record record;
	const struct policy *policy;
	_cleanup_close_ int lock = -1;
	_cleanup_close_ int init = -1;

	lock = registry_lock(registry, request->name, 10000, why);
	if (lock < 0 || !registry_running(registry, request->name, &record, &init, why))
		return false;
	if (init < 0)
		return fail(why, FAILURE_MISSING, 0, "container '%s' is not running",
			    request->name);
	if (registry_is_frozen(registry, request->name))
		return fail(why, FAILURE_FROZEN, 0, "is frozen: 'carrel thaw %s' lets it go on",
			    request->name);
	policy = policy_named(request->config, record.policy);
	if (!policy)
		return fail(why, FAILURE_POLICY, 0,
			    "policy '%s', with which container '%s' was started, is gone: 'carrel "
			    "stop %s' and let the user log in anew",
			    record.policy, request->name, request->name);
	if (!reply_seccomp(request, registry, policy, why) ||
	    !attach_caller(request, registry, &record, why) ||
	    !reply_fill(request, &record, policy, why))
		return false;
	request->reply.user_text[0] = '\0';
	request->reply_fds[WIRE_FD_INIT] = take_fd(&init);
	return true;
}

bool session_enter(struct session_request *request, struct failure *why)
{
	_cleanup_close_ int dir = dir_open_at(AT_FDCWD, CARREL_ETC, false);
	struct registry registry;
	bool entered;

	if (!name_is_valid(request->wire.container))
		return fail(why, FAILURE_REQUEST, 0, "there is no container of that name");
	memcpy(request->name, request->wire.container, sizeof(request->name) - 1);
	/* All policies, as parsed: the one of the start is known by its name only. */
	config_free(request->config);
	request->config = config_load(dir, NULL, why);
	if (!request->config || !registry_open(request->config->state_dir, &registry, why))
		return false;
	entered = enter(request, &registry, why);
	registry_close(&registry);
	return entered;
}

/* helper/session/reply.c - what of the policy goes back to the PAM module. */
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "helper/seccomp/seccomp_profile.h"
#include "helper/session/session.h"
#include "helper/session/welcome.h"

static bool add_env(struct wire_reply *reply, const char *name, const char *value,
		    struct failure *why)
{
	size_t room = sizeof(reply->env[0]);

	if (reply->env_count == WIRE_ENV_MAX ||
	    (size_t)snprintf(reply->env[reply->env_count], room, "%s%s%s", name, value ? "=" : "",
			     value ? value : "") >= room)
		return fail(why, FAILURE_LIMIT, 0,
			    "the environment of the policy is too long: at most %d variables of %d "
			    "bytes each",
			    WIRE_ENV_MAX - 8, WIRE_NAME_MAX);
	reply->env_count++;
	return true;
}

static bool fill_environment(struct session_request *request, const struct policy *policy,
			     struct failure *why)
{
	struct wire_reply *reply = &request->reply;
	char run[48];

	if (!add_env(reply, "container", "carrel", why) ||
	    !add_env(reply, "CARREL", request->name, why))
		return false;
	/* pam_systemd has set these for the host's bus and run-time folder: neither is inside. */
	if (!add_env(reply, "DBUS_SESSION_BUS_ADDRESS", NULL, why))
		return false;
	if (request->account) {
		(void)snprintf(run, sizeof(run), "/run/user/%u", request->account->uid);
		if (!add_env(reply, "XDG_RUNTIME_DIR", run, why))
			return false;
	}
	for (size_t i = 0; i < policy->environment.count; i++)
		if (!add_env(reply, policy->environment.items[i], NULL, why))
			return false;
	return true;
}

/* A text on standard output would spoil what `su -c` or cron hand on: only for people who log in.
 */
static bool shows_welcome(const char *service)
{
	return strcmp(service, "sshd") == 0 || strcmp(service, "login") == 0;
}

bool reply_fill(struct session_request *request, const struct running_record *record,
		const struct policy *policy, struct failure *why)
{
	struct wire_reply *reply = &request->reply;

	reply->action = WIRE_CONTAIN;
	reply->fd_count = WIRE_FD_COUNT;
	reply->namespaces = record->namespaces;
	reply->allow_root = record->allow_root;
	reply->bounding_set = capability_bounding_set(record->allow_root);
	reply->umask = policy->umask == (mode_t)-1 ? WIRE_UMASK_UNSET : policy->umask;
	memcpy(reply->container, request->name, sizeof(request->name));
	if (shows_welcome(request->wire.service)) {
		welcome_text(policy->welcome, &request->disk, reply->user_text,
			     sizeof(reply->user_text));
		welcome_add(request->notice, reply->user_text, sizeof(reply->user_text));
	}
	return fill_environment(request, policy, why);
}

bool reply_seccomp(struct session_request *request, const struct registry *registry,
		   const struct policy *policy, struct failure *why)
{
	_cleanup_close_ int cache = dir_open_at(registry->run, "seccomp", false);

	if (cache < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open /run/carrel/seccomp");
	request->reply_fds[WIRE_FD_SECCOMP] = seccomp_program_open(
	    cache, policy->root, &policy->seccomp_allow, &policy->seccomp_deny, why);
	return request->reply_fds[WIRE_FD_SECCOMP] >= 0;
}

/* helper/session/decide.c - what is to happen with this login. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/paths.h"
#include "helper/registry/this_build.h"
#include "helper/session/session.h"
#include "policy/kept.h"

#define SYSTEMD_USER "systemd-user"

static void let_in(struct session_request *request)
{
	request->reply.action = WIRE_HOST;
}

static void refuse(struct session_request *request, const char *text, const char *reason)
{
	request->reply.action = WIRE_DENY;
	(void)snprintf(request->reply.user_text, sizeof(request->reply.user_text), "%s", text);
	(void)snprintf(request->reply.log_text, sizeof(request->reply.log_text), "%s", reason);
}

/* As the login service found the user, if it said so. */
static bool know_account(struct session_request *request, struct failure *why)
{
	if (!request->account)
		request->account = account_lookup(request->wire.user, why);
	return request->account != NULL;
}

struct names {
	const char **items;
	size_t count;
};

static bool group_names(const struct account *account, struct names *names)
{
	names->count = 0;
	names->items = calloc(account->group_count + 1, sizeof(*names->items));
	for (size_t i = 0; names->items && i < account->group_count; i++)
		if (account->groups[i].name)
			names->items[names->count++] = account->groups[i].name;
	return names->items != NULL;
}

/*
 * Broken files: who is exempt is let in all the same. That answer needs carrel.conf only; when even
 * that is broken, it is root alone.
 */
static bool exempt_despite(struct session_request *request, struct config *exempt,
			   const struct failure *broken)
{
	static struct config defaults; /* all zero: nobody but root, which is always exempt */
	struct failure unknown;
	struct names groups = {0};
	struct subject subject = {.user = request->wire.user, .service = request->wire.service};
	bool is_exempt;

	if (know_account(request, &unknown) && group_names(request->account, &groups)) {
		subject.groups = groups.items;
		subject.group_count = groups.count;
	}
	is_exempt = config_is_exempt(exempt ? exempt : &defaults, &subject) ||
		    (request->account && request->account->uid == 0);
	free(groups.items);
	if (is_exempt) {
		let_in(request);
		(void)snprintf(request->reply.log_text, sizeof(request->reply.log_text),
			       "let in as exempt although the policies are broken: %s",
			       broken->text);
	}
	return is_exempt;
}

/* What is kept is below /run/carrel; where that cannot be had, or is damaged, files are read. */
static struct config *load_kept(int dir, bool is_damaged, struct config **exempt,
				struct failure *why)
{
	struct failure ignored;
	struct this_build build;
	_cleanup_close_ int kept = this_build_read(&build) ? registry_open_run(&ignored) : -1;

	if (!is_damaged)
		return config_load_kept(dir, kept, build.text, exempt, why);
	config_forget_kept(kept);
	return config_load(dir, exempt, why);
}

static void read_policies(struct session_request *request, bool is_damaged)
{
	_cleanup_close_ int dir = dir_open_at(AT_FDCWD, CARREL_ETC, false);

	request->has_no_folder = dir < 0 && errno == ENOENT;
	if (dir < 0)
		fail(&request->broken, FAILURE_POLICY, errno, "cannot open " CARREL_ETC);
	else
		request->config = load_kept(dir, is_damaged, &request->exempt, &request->broken);
}

void session_load(struct session_request *request)
{
	read_policies(request, false);
}

static bool has_config(struct session_request *request, struct failure *why)
{
	if (request->config)
		return true;
	*why = request->broken;
	if (request->has_no_folder)
		fail(why, FAILURE_POLICY, 0,
		     CARREL_ETC " does not exist: make it, or take pam_carrel.so out of the PAM "
				"stack with 'carrel pam disable %s'",
		     request->wire.service);
	return exempt_despite(request, request->exempt, why);
}

/*
 * systemd --user runs a user's own units outside of any container that a login would give them.
 * Policies that name the service decide for themselves; otherwise the contained are refused.
 */
static bool is_user_manager(const struct session_request *request)
{
	const struct policy *policy = request->selection.policy;

	return strcmp(request->wire.service, SYSTEMD_USER) == 0 && policy->services.count == 0;
}

static bool name_container(struct session_request *request, struct failure *why)
{
	const struct policy *policy = request->selection.policy;
	const char *group = request->selection.matched_group;

	return template_expand(policy->container_name, request->wire.user, group, policy->name,
			       false, request->name, why) &&
	       template_expand(policy->hostname, request->wire.user, group, policy->name, true,
			       request->hostname, why) &&
	       home_path_check(request->account, why);
}

static bool apply_policy(struct session_request *request, struct failure *why)
{
	const struct policy *policy = request->selection.policy;
	char reason[256];

	switch (policy->action) {
	case POLICY_HOST:
		let_in(request);
		return true;
	case POLICY_DENY:
		(void)snprintf(reason, sizeof(reason), "policy '%s' denies (%s:%u)", policy->name,
			       policy->where.file, policy->where.line);
		refuse(request,
		       policy->deny_text ? policy->deny_text
					 : "You may not log in to this machine.",
		       reason);
		return true;
	case POLICY_CONTAIN:
		if (is_user_manager(request)) {
			refuse(request,
			       "carrel: contained users have no systemd --user on this machine",
			       "a contained user's systemd --user would run outside");
			return true;
		}
		request->reply.action = WIRE_CONTAIN;
		return name_container(request, why);
	}
	return fail(why, FAILURE_POLICY, 0, "policy '%s' has no action", policy->name);
}

static bool choose(struct session_request *request, const struct subject *subject,
		   struct failure *why)
{
	const struct config *config = request->config;

	if (request->account->uid == 0 || config_is_exempt(config, subject)) {
		let_in(request);
		return true;
	}
	if (!config_select(config, subject, &request->selection)) {
		config_free(take_ptr(request->config));
		read_policies(request, true);
		return has_config(request, why) &&
		       (!request->config || choose(request, subject, why));
	}
	if (request->selection.policy)
		return apply_policy(request, why);
	if (!config->unmatched_deny)
		let_in(request);
	else
		refuse(request,
		       config->unmatched_text ? config->unmatched_text
					      : "You may not log in to this machine.",
		       "no policy matches, and unmatched = deny");
	return true;
}

bool session_decide(struct session_request *request, struct failure *why)
{
	const struct subject by_name = {.user = request->wire.user,
					.service = request->wire.service};
	struct subject subject = by_name;
	struct names groups;
	bool decided;

	if (!has_config(request, why))
		return false;
	if (!request->config)
		return true; /* broken files, but exempt */
	/* By name first: root gets in even when the directory service is down. */
	if (config_is_exempt(request->config, &by_name)) {
		let_in(request);
		return true;
	}
	if (!know_account(request, why))
		return false;
	if (!group_names(request->account, &groups))
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot list the groups of '%s'",
			    request->wire.user);
	subject.groups = groups.items;
	subject.group_count = groups.count;
	decided = choose(request, &subject, why);
	free(groups.items);
	return decided;
}

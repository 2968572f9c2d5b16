/* helper/admin/people.c - users of this machine, and the containers that the policies give them. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/admin/select.h"
#include "helper/admin/subject.h"

#define SERVICE "sshd"

static void say_not_contained(struct person *person, const struct config *config,
			      const struct policy *policy)
{
	if (policy)
		(void)snprintf(person->reason, sizeof(person->reason),
			       policy->action == POLICY_DENY
				   ? "policy \"%s\" lets them not log in"
				   : "policy \"%s\" leaves them on the host",
			       policy->name);
	else
		(void)snprintf(person->reason, sizeof(person->reason),
			       config->unmatched_deny ? "no policy is for them, so they are refused"
						      : "no policy is for them");
}

static bool decide(const struct config *config, const struct subject_names *names,
		   struct person *person, struct failure *why)
{
	struct selection selection;

	if (names->account->uid == 0 || config_is_exempt(config, &names->subject)) {
		(void)snprintf(person->reason, sizeof(person->reason),
			       "they are exempt by carrel.conf");
		return true;
	}
	(void)config_select(config, &names->subject, &selection);
	if (!selection.policy || selection.policy->action != POLICY_CONTAIN) {
		say_not_contained(person, config, selection.policy);
		return true;
	}
	person->policy = selection.policy;
	return template_expand(selection.policy->container_name, names->subject.user,
			       selection.matched_group, selection.policy->name, false,
			       person->container, why);
}

bool person_find(const struct config *config, const char *user, struct person *person,
		 struct failure *why)
{
	struct subject_names names;
	bool found;

	*person = (struct person){0};
	if (!subject_names_load(user, SERVICE, &names, why))
		return false;
	found = decide(config, &names, person, why);
	if (found && !(person->user = strdup(names.account->name)))
		found = fail(why, FAILURE_SYSTEM, ENOMEM, "cannot keep the name of %s", user);
	subject_names_free(&names);
	return found;
}

void people_free(struct people *people)
{
	for (size_t i = 0; i < people->count; i++)
		free(people->items[i].user);
	free(people->items);
	*people = (struct people){0};
}

/* Users whose primary group it is stand in no list of members: only passwd knows them. */
static bool add_primary(gid_t gid, struct name_set *set)
{
	const struct passwd *entry;
	bool added = true;

	setpwent();
	while (added && (entry = getpwent()))
		if (entry->pw_gid == gid)
			added = name_set_add(set, entry->pw_name);
	endpwent();
	return added;
}

bool group_people(const char *group, struct name_set *set, struct failure *why)
{
	const struct group *entry;
	char **members = NULL;
	size_t count = 0;
	bool added = true;

	if (!account_group_members(group, &members, &count, why))
		return false;
	for (size_t i = 0; i < count; i++) {
		added = added && name_set_add(set, members[i]);
		free(members[i]);
	}
	free(members);
	entry = getgrnam(group);
	added = added && entry && add_primary(entry->gr_gid, set);
	name_set_sort(set);
	return added ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot list the members of the group '%s'", group);
}

static bool add_policy_people(const struct policy *policy, struct name_set *set,
			      struct failure *why)
{
	if (policy->action != POLICY_CONTAIN)
		return true;
	for (size_t i = 0; i < policy->users.count; i++)
		if (!name_set_add(set, policy->users.items[i]))
			return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot list the users");
	for (size_t i = 0; i < policy->groups.count; i++)
		if (!group_people(policy->groups.items[i], set, why) &&
		    why->kind != FAILURE_MISSING)
			return false;
	name_set_sort(set);
	return true;
}

static bool collect_names(const struct config *config, const struct selector *selector,
			  const struct policy *policy, struct name_set *set, struct failure *why)
{
	if (selector->group)
		return group_people(selector->group, set, why);
	if (policy && policy->users.count == 0 && policy->groups.count == 0)
		return fail(why, FAILURE_POLICY, 0,
			    "policy \"%s\" (%s:%u) is for everybody: name users, or a group",
			    policy->name, policy->where.file, policy->where.line);
	if (policy)
		return add_policy_people(policy, set, why);
	for (size_t i = 0; i < config->policy_count; i++)
		if (!add_policy_people(&config->policies[i], set, why))
			return false;
	return true;
}

/* A user that NSS lists as a member and then does not know is no reason to leave out the others. */
static bool keep(const struct config *config, const char *user, bool named,
		 const struct policy *policy, struct people *people)
{
	struct person *person = &people->items[people->count];
	struct failure why;

	if (!person_find(config, user, person, &why)) {
		(void)complain("%s: %s", user, why.text);
		free(person->user);
		return !named;
	}
	if (policy && person->policy != policy) {
		free(person->user);
		return true;
	}
	people->count++;
	if (!named || person->policy)
		return true;
	(void)complain("%s: has no container: %s", user, person->reason);
	return false;
}

static int find_all(const struct config *config, const struct name_set *names, bool named,
		    const struct policy *policy, struct people *people)
{
	bool kept = true;

	people->items = calloc(names->count + 1, sizeof(*people->items));
	if (!people->items)
		return complain("out of memory");
	for (size_t i = 0; i < names->count; i++)
		kept = keep(config, names->items[i], named, policy, people) && kept;
	if (kept)
		return STATUS_GO_ON;
	people_free(people);
	return STATUS_FAILED;
}

int select_people(const struct context *context, const struct selector *selector,
		  const struct operands *names, struct people *people)
{
	const struct policy *policy = NULL;
	_cleanup_names_ struct name_set set = {0};
	struct failure why;

	*people = (struct people){0};
	if (context->policy_trouble.kind != FAILURE_NONE)
		return complain("without sound policies nobody's container is known");
	if (selector->policy) {
		policy = policy_by_name(context->config, selector->policy);
		if (!policy)
			return complain("there is no policy '%s'", selector->policy);
	}
	for (size_t i = 0; i < names->count; i++)
		if (!name_set_add(&set, names->items[i]))
			return complain("out of memory");
	name_set_sort(&set);
	if (names->count == 0 && !collect_names(context->config, selector, policy, &set, &why))
		return complain("%s", why.text);
	return find_all(context->config, &set, names->count > 0, policy, people);
}

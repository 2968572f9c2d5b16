/* policy/select.c - which policy and which pool are for the one who asks. */
#include <string.h>

#include "policy/build.h"
#include "policy/image.h"
#include "policy/policy.h"

/* The first name of the list, in the list's order, that is one of the subject's groups. */
static const char *find_group(const struct string_list *list, const struct subject *subject)
{
	for (size_t i = 0; i < list->count; i++)
		for (size_t j = 0; j < subject->group_count; j++)
			if (strcmp(list->items[i], subject->groups[j]) == 0)
				return list->items[i];
	return NULL;
}

bool config_is_exempt(const struct config *config, const struct subject *subject)
{
	if (strcmp(subject->user, "root") == 0)
		return true;
	return config && (string_list_contains(&config->exempt_users, subject->user) ||
			  find_group(&config->exempt_groups, subject));
}

/*
 * Does the policy match? A group that matched goes before a user that did, because a template may
 * need it.
 */
static bool matches(const struct policy *policy, const struct subject *subject,
		    const char **matched_group)
{
	const char *group = find_group(&policy->groups, subject);

	*matched_group = group ? group : "";
	if (policy->services.count > 0 &&
	    !string_list_contains(&policy->services, subject->service))
		return false;
	if (policy->users.count == 0 && policy->groups.count == 0)
		return true;
	return group || string_list_contains(&policy->users, subject->user);
}

/* A pool that the policy names wins; then the first pool that is for the policy or a group. */
static const struct pool *find_pool_for(const struct config *config, const struct policy *policy,
					const struct subject *subject)
{
	for (size_t i = 0; policy->pool && i < config->pool_count; i++)
		if (strcmp(config->pools[i].name, policy->pool) == 0)
			return &config->pools[i];
	for (size_t i = 0; i < config->pool_count; i++)
		if (string_list_contains(&config->pools[i].policies, policy->name))
			return &config->pools[i];
	for (size_t i = 0; i < config->pool_count; i++)
		if (find_group(&config->pools[i].groups, subject))
			return &config->pools[i];
	return NULL;
}

/* Is it this policy? Then *out says so. */
static bool choose(const struct config *config, const struct policy *policy,
		   const struct subject *subject, struct selection *out)
{
	if (!matches(policy, subject, &out->matched_group))
		return false;
	out->policy = policy;
	if (policy->action == POLICY_CONTAIN)
		out->pool = find_pool_for(config, policy, subject);
	return true;
}

/* Most policies name nobody that the subject is; they are not even unpacked. */
static bool select_in_image(const struct config *config, const struct subject *subject,
			    struct selection *out)
{
	struct name_filter names = {0};

	name_filter_add(&names, subject->user);
	for (size_t i = 0; i < subject->group_count; i++)
		name_filter_add(&names, subject->groups[i]);
	for (size_t i = 0; i < config_image_count(config->image); i++) {
		const struct policy *policy;

		if (!config_image_may_match(config->image, i, &names))
			continue;
		policy = config_image_policy(config->image, i);
		if (!policy)
			return false;
		if (choose(config, policy, subject, out))
			break;
	}
	return true;
}

bool config_select(const struct config *config, const struct subject *subject,
		   struct selection *out)
{
	bool readable = true;

	*out = (struct selection){.matched_group = ""};
	if (config->image)
		readable = select_in_image(config, subject, out);
	for (size_t i = 0; i < config->policy_count && !out->policy; i++)
		(void)choose(config, &config->policies[i], subject, out);
	if (!out->policy)
		out->matched_group = "";
	return readable;
}

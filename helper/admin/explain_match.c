/* helper/admin/explain_match.c - why a policy matches a login, or why not. */
#include <stdio.h>
#include <string.h>

#include "helper/admin/explain.h"

static bool list_has(const struct string_list *list, const char *item)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], item) == 0)
			return true;
	return false;
}

/* The first group of the list that the subject is in, as policies name it; NULL when there is none.
 */
static const char *shared_group(const struct string_list *groups, const struct subject *subject)
{
	for (size_t i = 0; i < groups->count; i++)
		for (size_t j = 0; j < subject->group_count; j++)
			if (strcmp(groups->items[i], subject->groups[j]) == 0)
				return groups->items[i];
	return NULL;
}

/* "a", "b" and "c" from a list, cut with dots when it does not fit. */
static void quote_list(const struct string_list *list, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < list->count; i++) {
		const char *between = i == 0 ? "" : i + 1 == list->count ? " and " : ", ";
		int length = snprintf(out + used, size - used, "%s\"%s\"", between, list->items[i]);

		if (length < 0 || (size_t)length >= size - used) {
			(void)snprintf(out + used, size - used, "...");
			return;
		}
		used += (size_t)length;
	}
}

bool explain_match(const struct policy *policy, const struct subject *subject, char *reason,
		   size_t size)
{
	const char *group = shared_group(&policy->groups, subject);
	bool everyone = policy->users.count == 0 && policy->groups.count == 0;
	char names[160];

	if (!everyone && !group && !list_has(&policy->users, subject->user)) {
		quote_list(policy->groups.count ? &policy->groups : &policy->users, names,
			   sizeof(names));
		(void)snprintf(reason, size, "%s is not %s %s%s", subject->user,
			       policy->groups.count ? "in" : "among the users", names,
			       policy->groups.count && policy->users.count ? ", nor named in users"
									   : "");
		return false;
	}
	if (policy->services.count && !list_has(&policy->services, subject->service)) {
		quote_list(&policy->services, names, sizeof(names));
		(void)snprintf(reason, size, "is for %s, not for \"%s\"", names, subject->service);
		return false;
	}
	if (everyone)
		(void)snprintf(reason, size, "is for everybody");
	else if (list_has(&policy->users, subject->user))
		(void)snprintf(reason, size, "names user \"%s\"", subject->user);
	else
		(void)snprintf(reason, size, "names group \"%s\"", group);
	return true;
}

bool explain_exempt(const struct config *config, const struct subject *subject, char *reason,
		    size_t size)
{
	const char *group = shared_group(&config->exempt_groups, subject);

	if (!config_is_exempt(config, subject))
		return false;
	if (list_has(&config->exempt_users, subject->user))
		(void)snprintf(reason, size, "user \"%s\" is exempt in carrel.conf", subject->user);
	else if (group)
		(void)snprintf(reason, size, "group \"%s\" is exempt in carrel.conf", group);
	else
		(void)snprintf(reason, size, "root is always exempt");
	return true;
}

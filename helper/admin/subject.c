/* helper/admin/subject.c - a user of this machine as the policies see one. */
#include "helper/admin/subject.h"

#include <errno.h>
#include <stdlib.h>

bool subject_names_load(const char *user, const char *service, struct subject_names *names,
			struct failure *why)
{
	struct account *account = account_lookup(user, why);
	const char **groups;
	size_t count = 0;

	if (!account)
		return false;
	groups = calloc(account->group_count + 1, sizeof(*groups));
	if (!groups) {
		account_free(account);
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot list the groups of %s", user);
	}
	for (size_t i = 0; i < account->group_count; i++)
		if (account->groups[i].name)
			groups[count++] = account->groups[i].name;
	*names = (struct subject_names){
	    .account = account,
	    .groups = groups,
	    .subject = {.user = account->name,
			.service = service,
			.groups = groups,
			.group_count = count},
	};
	return true;
}

void subject_names_free(struct subject_names *names)
{
	free(names->groups);
	account_free(names->account);
}

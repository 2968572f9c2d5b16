/* helper/admin/subject.h - a user of this machine as the policies see one. */
#ifndef CARREL_HELPER_ADMIN_SUBJECT_H
#define CARREL_HELPER_ADMIN_SUBJECT_H

#include "helper/accounts/accounts.h"
#include "policy/policy.h"

struct subject_names {
	struct account *account;
	const char **groups; /* their names, owned by the account */
	struct subject subject;
};

/* Look a user up. `service` must outlive the result. False with *why. */
bool subject_names_load(const char *user, const char *service, struct subject_names *names,
			struct failure *why);
void subject_names_free(struct subject_names *names);

#endif

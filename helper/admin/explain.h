/* helper/admin/explain.h - why a login gets what it gets, found out purely. */
#ifndef CARREL_HELPER_ADMIN_EXPLAIN_H
#define CARREL_HELPER_ADMIN_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

/*
 * Does the policy match the subject, and by what? `reason` gets one clause: "group \"students\"",
 * or why not: "is for service \"cron\" only". The same rule as config_select, in words.
 */
bool explain_match(const struct policy *policy, const struct subject *subject, char *reason,
		   size_t size);

/* Why the subject is exempt, or false with reason untouched. */
bool explain_exempt(const struct config *config, const struct subject *subject, char *reason,
		    size_t size);

/* One effective value of a policy: as the file would have it, and "FILE:LINE" or "default". */
struct explained_value {
	char key[80];
	char *value;
	char from[300];
};

struct explained_values {
	struct explained_value *items;
	size_t count;
	bool failed; /* out of memory */
};

/* Everything a container of this policy gets; `pool` may be NULL. */
void explain_values(const struct policy *policy, const struct pool *pool,
		    struct explained_values *values);
void explained_values_free(struct explained_values *values);

#endif

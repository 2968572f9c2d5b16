/* policy/check.h - what must hold between keys, blocks and files that are each fine alone. */
#ifndef CARREL_POLICY_CHECK_H
#define CARREL_POLICY_CHECK_H

#include "policy/schema.h"

/* NULL when there is none of that name. */
const struct policy *find_policy(const struct config *config, const char *name);
const struct pool *find_pool(const struct config *config, const char *name);

/* The keys of one policy against each other; the block knows their lines. */
bool check_policy(const char *file, cfg_t *block, const struct key *keys,
		  const struct policy *policy, struct failure *why);

/* The last bind of a policy: where it comes from, where it goes; sets its target when unset. */
bool check_bind(const struct config *config, const struct policy *policy, struct bind_mount *bind,
		struct failure *why);

/* The keys of carrel.conf against each other. */
bool check_main(const char *file, cfg_t *block, const struct config *config, struct failure *why);

/* Policies and pools against each other, when all files are read. */
bool check_references(const struct config *config, struct failure *why);

#endif

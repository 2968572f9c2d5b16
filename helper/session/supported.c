/* helper/session/supported.c - what a policy may ask for that this version does not do. */
#include "helper/session/supported.h"

#include "helper/storage/storage.h"

static bool refuse(const struct policy *policy, const char *key, struct failure *why)
{
	return fail(why, FAILURE_UNSUPPORTED, 0,
		    "policy '%s' (%s:%u) asks for %s, which this version cannot enforce: remove it",
		    policy->name, policy->where.file, policy->where.line, key);
}

bool policy_supported(const struct config *config, const struct policy *policy, struct failure *why)
{
	if (policy->action != POLICY_CONTAIN)
		return true;
	if (policy->network == NETWORK_NAT)
		return refuse(policy, "network = nat", why);
	if (policy->limits.value[LIMIT_NETWORK_RATE] < LIMIT_UNLIMITED)
		return refuse(policy, "network_rate", why);
	return storage_check(config, policy, why);
}

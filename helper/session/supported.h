/* helper/session/supported.h - what a policy may ask for that this version does not do. */
#ifndef CARREL_HELPER_SESSION_SUPPORTED_H
#define CARREL_HELPER_SESSION_SUPPORTED_H

#include "base/failure.h"
#include "policy/policy.h"

/*
 * A limit that is written down but not enforced would be worse than none: a policy that asks for
 * something this version or its storage cannot do is refused, FAILURE_UNSUPPORTED with what and
 * why. Asked at every login and by `carrel policy check`.
 */
bool policy_supported(const struct config *config, const struct policy *policy,
		      struct failure *why);

#endif

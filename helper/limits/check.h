/* helper/limits/check.h - can a limit be enforced on this host at all? */
#ifndef CARREL_HELPER_LIMITS_CHECK_H
#define CARREL_HELPER_LIMITS_CHECK_H

#include <stdbool.h>

#include "helper/limits/limits.h"

/* Does /proc/swaps name any swap space? True when it cannot be told. */
bool host_has_swap(void);

/*
 * The part of limits_check and limits_check_pool that needs only the layout and the numbers: values
 * that the kernel does not take, controllers that are missing, what v1 cannot express. Cheap enough
 * to be asked again whenever a cgroup is made.
 */
bool limits_check_values(const struct cgroup_layout *layout, const struct limits *limits,
			 bool is_pool, struct failure *why);

#endif

/* helper/limits/apply.h - write the limits of one cgroup directory, and see that the kernel took
 * them. */
#ifndef CARREL_HELPER_LIMITS_APPLY_H
#define CARREL_HELPER_LIMITS_APPLY_H

#include "helper/limits/table.h"

/* One cgroup directory, in one hierarchy. */
struct limit_target {
	int dir;
	const struct cgroup_root *root; /* its hierarchy */
	const char *name;               /* the container or pool, for messages */
	bool fresh;                     /* just made: everything is unlimited */
};

enum limits_part { LIMITS_ALL, LIMITS_QUICK, LIMITS_SLOW };

/*
 * Write every limit of this part (is_slow in the table) whose controller is in this hierarchy. In a
 * cgroup that is not fresh, what the policy does not limit is set back to unlimited, and what is as
 * wanted is not written again; at no moment is a limit off that was on and stays on. `device` may
 * be NULL when no rate is set.
 */
bool limits_apply(const struct limit_target *target, const struct limits *limits,
		  const struct limit_device *device, enum limits_part part, struct failure *why);

#endif

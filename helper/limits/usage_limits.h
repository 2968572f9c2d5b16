/* helper/limits/usage_limits.h - the limits that the kernel holds a container to at this moment. */
#ifndef CARREL_HELPER_LIMITS_USAGE_LIMITS_H
#define CARREL_HELPER_LIMITS_USAGE_LIMITS_H

#include "helper/limits/table.h"

/*
 * Read back what cgroup_create wrote, in the units of the policy: memory, swap, cpu, cpu_weight,
 * pids and, when `device` is not NULL, the rates on that disk. LIMIT_UNLIMITED where the kernel
 * holds to nothing, LIMIT_UNSET for all that it cannot tell.
 */
void cgroup_limits_read(const struct cgroup_layout *layout, const struct cgroup *cgroup,
			const struct limit_device *device, struct limits *limits);

#endif

/* helper/limits/pool.h - the cgroup that the containers of a pool share. */
#ifndef CARREL_HELPER_LIMITS_POOL_H
#define CARREL_HELPER_LIMITS_POOL_H

#include "helper/limits/table.h"

/*
 * Make the pool's directory in one hierarchy, let its children have the controllers, write its
 * limits. The directory stays when a later step fails: an empty pool limits nobody. -1 with *why
 * filled.
 */
int cgroup_make_pool(const struct cgroup_root *root, const char *pool, const struct limits *limits,
		     const struct limit_device *device, struct failure *why);

/*
 * The limits of a container so that they fit below its pool's: v1 refuses a child whose CPU quota
 * is larger than its parent's, where v2 takes the smaller of the two. To the container it is the
 * same.
 */
struct limits cgroup_fit_into_pool(const struct cgroup_root *root, const struct limits *limits,
				   const struct limits *pool_limits);

#endif

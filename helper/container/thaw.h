/* helper/container/thaw.h - let a container go on that an admin's command was holding when it died.
 */
#ifndef CARREL_HELPER_CONTAINER_THAW_H
#define CARREL_HELPER_CONTAINER_THAW_H

#include <stdbool.h>

#include "base/failure.h"
#include "helper/limits/limits.h"
#include "helper/registry/registry.h"

/* In the container's folder in /run, from before its processes are held until they are let go. */
#define FROZEN_MARK "frozen"

/* Is the mark there? */
bool container_is_held(const struct registry *registry, const char *name);

/*
 * Let it go when the mark says that it is being held. The caller has the container's lock, so that
 * nobody holds it on purpose. `pool` is NULL or "" for none. Cheap when there is no mark.
 */
bool container_thaw(const struct registry *registry, const struct cgroup_layout *layout,
		    const char *name, const char *pool, struct failure *why);

#endif

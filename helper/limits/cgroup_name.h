/* helper/limits/cgroup_name.h - the directory names of containers and pools. Pure. */
#ifndef CARREL_HELPER_LIMITS_CGROUP_NAME_H
#define CARREL_HELPER_LIMITS_CGROUP_NAME_H

#include <stdbool.h>

#include "base/failure.h"

#define CGROUP_NAME_SIZE 80

/*
 * The directory of a container. A name that could also be a control file ("tasks", or anything with
 * a dot: "cpu.max") or a pool ("pool-x") gets a '_' in front, and so does one that begins with '_':
 * no two containers share, nobody is taken for a pool. FAILURE_REQUEST for what is no name at all.
 */
bool cgroup_container_directory(const char *name, char out[CGROUP_NAME_SIZE], struct failure *why);

/* The directory of a pool: "pool-NAME". */
bool cgroup_pool_directory(const char *name, char out[CGROUP_NAME_SIZE], struct failure *why);

#endif

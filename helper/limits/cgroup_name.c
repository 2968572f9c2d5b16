/* helper/limits/cgroup_name.c - names that are nobody else's in a cgroup directory. */
#include "helper/limits/cgroup_name.h"

#include <stdio.h>
#include <string.h>

#define POOL_PREFIX "pool-"

/* Checked by the caller too; a name that walks out of Carrel's place must not depend on that. */
static bool is_one_component(const char *name, struct failure *why)
{
	size_t length = strlen(name);

	if (length == 0 || length > 64 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strpbrk(name, "/\n"))
		return fail(why, FAILURE_REQUEST, 0, "'%.64s' cannot be the name of a cgroup",
			    name);
	return true;
}

static bool is_ambiguous(const char *name)
{
	/* v1's files that have no dot, and where carrel.service keeps its own process. */
	static const char *const taken[] = {"tasks", "notify_on_release", "release_agent",
					    "anchor"};

	if (name[0] == '_' || strchr(name, '.') ||
	    strncmp(name, POOL_PREFIX, strlen(POOL_PREFIX)) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LENGTH(taken); i++)
		if (strcmp(name, taken[i]) == 0)
			return true;
	return false;
}

bool cgroup_container_directory(const char *name, char out[CGROUP_NAME_SIZE], struct failure *why)
{
	if (!is_one_component(name, why))
		return false;
	(void)snprintf(out, CGROUP_NAME_SIZE, "%s%s", is_ambiguous(name) ? "_" : "", name);
	return true;
}

bool cgroup_pool_directory(const char *name, char out[CGROUP_NAME_SIZE], struct failure *why)
{
	if (!is_one_component(name, why))
		return false;
	(void)snprintf(out, CGROUP_NAME_SIZE, POOL_PREFIX "%s", name);
	return true;
}

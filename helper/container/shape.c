/* helper/container/shape.c - what a policy says of the shape of its containers, purely. */
#include <sched.h>
#include <string.h>

#include "helper/container/container.h"

bool policy_is_shared(const struct policy *policy)
{
	for (const char *at = strchr(policy->container_name, '%'); at; at = strchr(at + 2, '%'))
		if (at[1] == 'u')
			return false;
		else if (at[1] == '\0')
			break;
	return true;
}

uint32_t container_namespaces(const struct policy *policy)
{
	uint32_t all = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP;

	return policy->network == NETWORK_HOST ? all : all | CLONE_NEWNET;
}

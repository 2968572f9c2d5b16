/* join/container.c - check everything, then go through with it. */
#include "join/steps.h"

bool join_container(const struct join_plan *plan, struct failure *why)
{
	struct join_ready ready;
	bool joined = join_check(plan, &ready, why) && join_commit(&ready, why);

	join_release(&ready);
	return joined;
}

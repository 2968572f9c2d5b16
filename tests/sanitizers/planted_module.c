/* tests/sanitizers/planted_module.c - a mistake in the last step of the join, in the container. */
#include "join/steps.h"
#include "tests/sanitizers/planted.h"

bool __real_join_confine(const struct join_ready *ready, struct failure *why);
bool __wrap_join_confine(const struct join_ready *ready, struct failure *why);

bool __wrap_join_confine(const struct join_ready *ready, struct failure *why)
{
	return __real_join_confine(freed_copy(ready, sizeof(*ready)), why);
}

/* policy/paths.h - which paths a policy may name. */
#ifndef CARREL_POLICY_PATHS_H
#define CARREL_POLICY_PATHS_H

#include <stdbool.h>

#include "base/failure.h"

/* True when the path is `top` or below it; both are clean. */
bool path_is_below(const char *path, const char *top);

/* An absolute path as the kernel would print it: no "..", ".", empty part or slash at the end. */
bool path_check(const char *path, struct failure *why);

/* What may be bound from the host, and where in a container it may be put. */
bool bind_source_check(const char *path, struct failure *why);
bool bind_target_check(const char *path, struct failure *why);

#endif

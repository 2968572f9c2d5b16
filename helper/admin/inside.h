/* helper/admin/inside.h - carrel typed inside a container: what it may tell of the container. */
#ifndef CARREL_HELPER_ADMIN_INSIDE_H
#define CARREL_HELPER_ADMIN_INSIDE_H

#include <stdbool.h>

#include "base/failure.h"
#include "helper/init/status.h"

/* Is this process in a container of Carrel's? */
bool is_inside(void);

/* Ask PID 1 of this container how it stands. False with *why when it does not tell in time. */
bool inside_status(struct container_status *status, struct failure *why);

#endif

/* helper/admin/freeze.h - let a container go on that an admin has frozen. */
#ifndef CARREL_HELPER_ADMIN_FREEZE_H
#define CARREL_HELPER_ADMIN_FREEZE_H

#include "helper/admin/context.h"

/* Nothing to do when it is not frozen. Before it is stopped: PID 1 must be able to listen. */
bool container_let_go(const struct context *context, const char *name,
		      const struct running_record *record, struct failure *why);

#endif

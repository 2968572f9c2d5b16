/* helper/admin/quota_stopped.h - bring the data of a stopped container to today's limits. */
#ifndef CARREL_HELPER_ADMIN_QUOTA_STOPPED_H
#define CARREL_HELPER_ADMIN_QUOTA_STOPPED_H

#include "helper/admin/context.h"

/*
 * Do to the data of a container that does not run what its next start would: limit, grow, or move
 * them to a storage that can hold what the policy of its user asks for, as long as it takes. The
 * caller holds its lock. *changes gets what is different now, "storage plain -> image", or "".
 * FAILURE_MISSING when nothing is stored. False with *why on failure.
 */
bool quota_apply_stopped(const struct context *context, const char *name, char *changes,
			 size_t size, struct failure *why);

#endif

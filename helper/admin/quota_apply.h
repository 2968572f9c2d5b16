/* helper/admin/quota_apply.h - bring a running container to the limits of today's policy files. */
#ifndef CARREL_HELPER_ADMIN_QUOTA_APPLY_H
#define CARREL_HELPER_ADMIN_QUOTA_APPLY_H

#include "helper/admin/context.h"

/*
 * Write the limits of its policy to the cgroups of a running container, and let its PID 1 know of
 * those that it keeps. *changes gets what is different now, "memory 512M -> 1G, ...", or "". Where
 * it uses more memory than the new limit nothing is changed, since the kernel would kill for it:
 * FAILURE_BUSY, with the numbers. One that does not run has its data held, grown or moved
 * (quota_stopped.h). Takes the registry's lock. False with *why on failure.
 */
bool quota_apply(const struct context *context, const char *name, char *changes, size_t size,
		 struct failure *why);

/* What `from` and `to` differ in, as above. Pure. */
void quota_changes(const struct limits *from, const struct limits *to, char *out, size_t size);

#endif

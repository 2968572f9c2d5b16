/* helper/admin/gc_traces.h - cgroups and run-time folders that belong to nobody any more. */
#ifndef CARREL_HELPER_ADMIN_GC_TRACES_H
#define CARREL_HELPER_ADMIN_GC_TRACES_H

#include "helper/admin/context.h"

typedef void traces_tell(void *data, const char *name);

/*
 * Empty cgroups of containers that the registry does not know to run, as after /run/carrel was
 * emptied; and the empty ones of ended sessions, which are no news.
 */
void traces_clear_cgroups(const struct context *context, bool dry_run, traces_tell *tell,
			  void *data);

/* Folders in /run/carrel/containers of what neither runs nor is stored. False with *why. */
bool traces_clear_folders(const struct context *context, bool dry_run, traces_tell *tell,
			  void *data, struct failure *why);

#endif

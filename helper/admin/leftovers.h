/* helper/admin/leftovers.h - take directories away in a way that can be interrupted anywhere. */
#ifndef CARREL_HELPER_ADMIN_LEFTOVERS_H
#define CARREL_HELPER_ADMIN_LEFTOVERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"

/*
 * What is being made is called ".new-NAME-RANDOM", what is being removed ".removing-NAME-RANDOM":
 * no name of a container or image starts with a dot, so nobody mistakes a part for the whole.
 */
#define LEFTOVER_NEW      ".new-"
#define LEFTOVER_REMOVING ".removing-"
#define LEFTOVER_NAME_MAX 96

/* PREFIX NAME "-" and eight random hex digits. */
bool leftover_name(const char *prefix, const char *name, char out[LEFTOVER_NAME_MAX],
		   struct failure *why);

/*
 * One import or removal at a time in a directory: an exclusive lock on it. FAILURE_BUSY with `what`
 * when another has it. Close to release; -1 with *why.
 */
int leftovers_lock(int dir, const char *what, struct failure *why);

/*
 * Remove what interrupted imports and removals left in `dir`; the caller holds the lock. `tell` is
 * called with each name, before it is removed; with dry_run nothing is removed.
 */
bool leftovers_clear(int dir, bool dry_run, void (*tell)(void *context, const char *name),
		     void *context, struct failure *why);

/* Rename `name` away at once, then remove it at leisure. The caller holds the lock. */
bool remove_by_renaming(int dir, const char *name, struct failure *why);

#endif

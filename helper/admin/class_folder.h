/* helper/admin/class_folder.h - the folder of a group that its members see in /class/GROUP. */
#ifndef CARREL_HELPER_ADMIN_CLASS_FOLDER_H
#define CARREL_HELPER_ADMIN_CLASS_FOLDER_H

#include "helper/admin/context.h"

/*
 * state_dir/class/GROUP, root's, 0750 for the group: what is in it is readable for all who get that
 * far. Made when `create`. An O_RDONLY descriptor with an exclusive lock, so that two admins follow
 * one another; -1 with *why, FAILURE_MISSING when there is no such group or no folder yet.
 */
int class_folder_open(const struct context *context, const char *group, bool create,
		      struct failure *why);

/* Is this a path that stays in the folder: no "..", not absolute, nothing hidden? */
bool class_path_is_sound(const char *path);

/*
 * Put what is open in `from` (a file, or a folder and all that is in it) into `to` as `name`. Each
 * file appears whole or not at all. What is neither is left out and told, and counts as failure.
 * False with *why.
 */
bool class_put(int from, int to, const char *name, bool *all, struct failure *why);

/* Print it as a table, or as a JSON array. Returns the exit status. */
int class_list(int folder, bool as_json, bool no_header);

#endif

/* helper/limits/kept_mounts.h - where cgroups are mounted, kept from login to login. */
#ifndef CARREL_HELPER_LIMITS_KEPT_MOUNTS_H
#define CARREL_HELPER_LIMITS_KEPT_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "helper/limits/layout_parse.h"

/*
 * /proc/self/mountinfo is a long text on a machine with many mounts, of which a login needs the few
 * lines about cgroups. What they say is kept in a file below `dir` (/run/carrel). Whoever uses it
 * still opens every place and compares its device number, and reads anew when one is another.
 */

/*
 * The mounts that were kept while the machine had the hierarchies that `cgroups` (the text of some
 * /proc/PID/cgroup) tells of, without `root` and `own`; false when there are none.
 */
bool kept_mounts_load(int dir, const char *cgroups, struct cgroup_mounts *mounts);

/* Keep the mounts. What cannot be kept is read anew the next time. */
void kept_mounts_store(int dir, const char *cgroups, const struct cgroup_mounts *mounts);

/* Forget them: something of them was not as it looked. */
void kept_mounts_forget(int dir);

/*
 * The file's text: a heading, a line for each hierarchy, "ID:CONTROLLERS", an empty line, how many
 * mounts there are, and for each a line of numbers with its name and place behind it. NULL without
 * memory. Pure.
 */
char *kept_mounts_text(const char *cgroups, const struct cgroup_mounts *mounts, size_t *length);

/* The mounts in such a text, if it begins with the hierarchies of `cgroups` and is whole. Pure. */
bool kept_mounts_parse(const char *text, const char *cgroups, struct cgroup_mounts *mounts);

#endif

/* helper/limits/kept_mounts.h - where cgroups are mounted, kept from login to login. */
#ifndef CARREL_HELPER_LIMITS_KEPT_MOUNTS_H
#define CARREL_HELPER_LIMITS_KEPT_MOUNTS_H

#include <stddef.h>

/*
 * /proc/self/mountinfo is a long text on a machine with many mounts, of which a login needs the few
 * lines about cgroups. They are kept in a file below `dir` (/run/carrel). Whoever uses them still
 * opens every place and compares its device number, and reads anew when one is another.
 */

/*
 * The lines that were kept while the machine had the hierarchies that `cgroups` (the text of some
 * /proc/PID/cgroup) tells of, as a new text for cgroup_layout_parse; NULL when there are none.
 */
char *kept_mounts_load(int dir, const char *cgroups);

/* Keep the lines about cgroups of a mountinfo. What cannot be kept is read anew the next time. */
void kept_mounts_store(int dir, const char *cgroups, const char *mountinfo);

/* Forget them: something of them was not as it looked. */
void kept_mounts_forget(int dir);

/*
 * The file's text: a line for each hierarchy, "ID:CONTROLLERS", an empty line, the lines of
 * mountinfo whose file system is a cgroup one. NULL without memory. Pure.
 */
char *kept_mounts_text(const char *cgroups, const char *mountinfo, size_t *length);

/* The lines in such a text, if it begins with the hierarchies of `cgroups`; else NULL. Pure. */
const char *kept_mounts_lines(const char *text, const char *cgroups);

#endif

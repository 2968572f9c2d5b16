/* helper/admin/cp_halves.h - the two sides of a copy; each can be the one inside. */
#ifndef CARREL_HELPER_ADMIN_CP_HALVES_H
#define CARREL_HELPER_ADMIN_CP_HALVES_H

#include <stdbool.h>

/*
 * Both print what goes wrong and load nothing, for they run in a container too. `prefix` stands in
 * front of paths in messages: "alice:" inside.
 */

/* The last component of a path, which may be empty, "." or "..": then there is no name in it. */
const char *cp_name(const char *path);

/* Write the file or folder at `path` to `stream`. 0 or 1. */
int cp_send(const char *prefix, const char *path, int stream);

/*
 * Make it at `path`: below it, as `name`, when that is a folder, else there. `name` is NULL for
 * what is in a folder only. *ended (may be NULL) tells that the other side failed, which has told
 * it. 0 or 1.
 */
int cp_receive(const char *prefix, const char *path, const char *name, int stream, bool *ended);

#endif

/* account/account.h - who the user is on the host. */
#ifndef CARREL_ACCOUNT_H
#define CARREL_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/failure.h"

#define ACCOUNT_NAME_MAX  256  /* what the wire and utmp-like records take */
#define ACCOUNT_FIELD_MAX 4096 /* PATH_MAX: longer homes and shells cannot be used anyway */

struct account_group {
	gid_t gid;
	char *name; /* NULL when the gid has no name */
};

struct account {
	char *name;
	uid_t uid;
	gid_t gid; /* the primary group; groups[0] is the same */
	char *home, *shell, *gecos;
	struct account_group *groups; /* primary first, then the supplementary ones, no doubles */
	size_t group_count;
};

/*
 * Look a user up through NSS (getpwnam_r, getgrouplist, getgrgid_r; any number of groups).
 * FAILURE_MISSING when there is no such user, FAILURE_SYSTEM when NSS could not say, about the user
 * or the name of one of the groups; FAILURE_DATA when a name (256 bytes), home or shell (4096) is
 * too long. Of gecos the first 4096 bytes are kept.
 * NULL with *why on failure; account_free releases it.
 */
struct account *account_lookup(const char *user, struct failure *why);
void account_free(struct account *account);

/*
 * Names of the members of a group as NSS lists them (gr_mem only), for shared containers. Caller
 * frees each and the list. On failure there is no list: FAILURE_MISSING when there is no such
 * group, FAILURE_SYSTEM when NSS could not say.
 */
bool account_group_members(const char *group, char ***members, size_t *count, struct failure *why);

/*
 * An account as bytes: uid, gid, group count, each gid, then NUL-terminated name, gecos, home,
 * shell and the groups' names. Caller frees; NULL when out of memory.
 */
void *account_pack(const struct account *account, size_t *length);

/*
 * Back; the result is one allocation, for free(3), with its strings inside `data`. NULL when
 * malformed. Pure.
 */
struct account *account_unpack(const void *data, size_t length);

#endif

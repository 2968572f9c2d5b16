/* helper/init/account_step.h - bring a user's entries into the container's passwd and group. */
#ifndef CARREL_HELPER_INIT_ACCOUNT_STEP_H
#define CARREL_HELPER_INIT_ACCOUNT_STEP_H

#include <stdbool.h>
#include <stddef.h>

#include "helper/accounts/accounts.h"

/*
 * An account as bytes, for PLAN_ACCOUNT: uid, gid, group count, each gid, then NUL-terminated name,
 * gecos, home, shell and the groups' names. Caller frees; NULL when out of memory.
 */
void *account_pack(const struct account *account, size_t *length);

/* Back; the result is one allocation with its strings inside `data`. NULL when malformed. Pure. */
struct account *account_unpack(const void *data, size_t length);

/* Merge into FOLDER/passwd and FOLDER/group (an empty file when missing). errno on false. */
bool account_merge(const char *folder, const struct account *account);

#endif

/* helper/init/account_step.h - bring a user's entries into the container's passwd and group. */
#ifndef CARREL_HELPER_INIT_ACCOUNT_STEP_H
#define CARREL_HELPER_INIT_ACCOUNT_STEP_H

#include <stdbool.h>

#include "helper/accounts/accounts.h"

/* Merge into FOLDER/passwd and FOLDER/group (an empty file when missing). errno on false. */
bool account_merge(const char *folder, const struct account *account);

#endif

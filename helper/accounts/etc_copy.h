/* helper/accounts/etc_copy.h - copy the readable part of /etc. */
#ifndef CARREL_HELPER_ETC_COPY_H
#define CARREL_HELPER_ETC_COPY_H

#include <stdbool.h>

#include "base/failure.h"

/*
 * Fill the empty directory `to` (a descriptor that is not O_PATH) with what all users can read
 * below `etc`, and the links in place of passwd and the like. Owners of 65536 and more become
 * root, set-id bits and extended attributes are not kept, nor are the times of directories.
 * A file that changes while it is read is left out: compare fingerprints afterwards.
 * More than 64 MiB is an error. A failure leaves `to` half full.
 */
bool etc_copy(int etc, int to, struct failure *why);

#endif

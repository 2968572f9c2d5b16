/* helper/accounts/etc_copy.h - copy the readable part of /etc. */
#ifndef CARREL_HELPER_ETC_COPY_H
#define CARREL_HELPER_ETC_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

/*
 * Fill the empty directory `to` (a descriptor that is not O_PATH) with what all users can read
 * below `etc`, and the links in place of passwd and the like. Owners of 65536 and more become
 * root, set-id bits and extended attributes are not kept, nor are the times of directories.
 * More than 64 MiB is an error. A failure leaves `to` half full.
 *
 * *fingerprint becomes what etc_fingerprint gives for an /etc that is as the copy shows it. A file
 * that changes while it is read is left out, of the fingerprint too.
 */
bool etc_copy(int etc, int to, const char *epoch, uint64_t *fingerprint, struct failure *why);

#endif

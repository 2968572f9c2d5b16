/* helper/accounts/etc_fingerprint.h - tell whether the readable part of /etc changed. */
#ifndef CARREL_HELPER_ETC_FINGERPRINT_H
#define CARREL_HELPER_ETC_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

/*
 * A number that is another one when something that a snapshot shows of /etc has changed: names,
 * inodes, sizes, modes, owners and times, whatever the order in which they are listed. Content is
 * not read. What no snapshot shows does not count, so a new password changes nothing.
 *
 * `epoch` goes into it: a text that is another one when older snapshots must not be used again.
 */
bool etc_fingerprint(int etc, const char *epoch, uint64_t *fingerprint, struct failure *why);

#endif

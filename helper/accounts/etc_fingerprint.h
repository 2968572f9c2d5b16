/* helper/accounts/etc_fingerprint.h - tell whether the readable part of /etc changed. */
#ifndef CARREL_HELPER_ETC_FINGERPRINT_H
#define CARREL_HELPER_ETC_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/failure.h"

/*
 * A number that is another one when something that a snapshot shows of /etc has changed: names,
 * inodes, sizes, modes, owners and times, whatever the order in which they are listed. Content is
 * not read. What no snapshot shows does not count, so a new password changes nothing.
 *
 * `epoch` goes into it: a text that is another one when older snapshots must not be used again.
 */
bool etc_fingerprint(int etc, const char *epoch, uint64_t *fingerprint, struct failure *why);

/*
 * The parts of it, for who sees the entries anyway: the fingerprint is the sum of the start and of
 * all entries. `path` stands for the directory of an entry: of /etc it is the start, of others what
 * print_path makes of the parent's and the name.
 */
uint64_t print_start(const char *epoch);
uint64_t print_path(uint64_t path, const char *name);
uint64_t print_entry(uint64_t path, const char *name, const struct stat *status);

#endif

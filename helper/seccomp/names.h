/* helper/seccomp/names.h - the names of system calls and their numbers on this machine. */
#ifndef CARREL_HELPER_SECCOMP_NAMES_H
#define CARREL_HELPER_SECCOMP_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"

/* Known elsewhere, but this architecture does not have it (open on aarch64). */
#define CALL_NOT_HERE (-1)

/*
 * The number of a system call, or CALL_NOT_HERE. False when neither our table nor libseccomp
 * knows the name.
 */
bool call_number(const char *name, int *number);

/* The same for a name that an admin wrote: a failure of kind POLICY, with the nearest name. */
bool call_number_checked(const char *name, int *number, struct failure *why);

#endif

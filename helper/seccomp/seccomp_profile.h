/* helper/seccomp/seccomp_profile.h - the system calls that a contained process may make. */
#ifndef CARREL_HELPER_SECCOMP_PROFILE_H
#define CARREL_HELPER_SECCOMP_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"
#include "policy/policy.h"

/*
 * The compiled program (an array of struct sock_filter) for a policy as a sealed memfd.
 *
 * The profile is an allow list in one table (table.c), grouped, each group with its reason. Calls
 * that are known but not allowed return EPERM; calls the kernel may grow later return ENOSYS;
 * clone3 returns ENOSYS so that libcs fall back to clone, whose flags can be checked (no new user
 * namespaces, no CLONE_NEW*). ioctl TIOCSTI and TIOCLINUX are refused. Other architectures (i386,
 * x32) are killed.
 *
 * `cache` is a directory descriptor (root-only, /run/carrel/seccomp): the program is compiled once
 * per distinct set of rules, stored under the hash of the rules and the table's version, vetted by fd
 * when read back, and recompiled when it is not as we wrote it.
 *
 * Returns the memfd, -1 with *why on failure.
 */
int seccomp_program_open(int cache, bool allow_root, const struct string_list *allow,
			 const struct string_list *deny, struct failure *why);

/* Are all names known to libseccomp? For `carrel policy check`. */
bool seccomp_names_check(const struct string_list *names, struct failure *why);

/* The capabilities that programs inside may ever have: 0 for root = no, a reviewed set for root. */
uint64_t capability_bounding_set(bool allow_root);

/*
 * Narrow the calling process (the helper) before it reads anything: drop every capability but those
 * in its table (libcap), set no_new_privs and load a short deny list (hand-built program, no
 * compile at run time). Proves that what was dropped is gone.
 */
bool helper_confine(struct failure *why);

#endif

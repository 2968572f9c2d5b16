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
 * x32) are killed. `allow_root` lets raw sockets be made, as the bounding set does.
 *
 * The policy's `allow` and `deny` change single answers; what would break the container's walls, or
 * keep login services from giving up root, is fixed and refused with a failure of kind POLICY.
 *
 * `cache` is a directory descriptor (root-only, /run/carrel/seccomp): the program is compiled once
 * per distinct set of rules, stored under the hash of the rules and of the build that compiled
 * them, vetted by fd when read back, and recompiled when it is not as we wrote it. With -1 nothing
 * is read or kept: `carrel policy check` can try a policy's rules in this way.
 *
 * Returns the memfd, -1 with *why on failure.
 */
int seccomp_program_open(int cache, bool allow_root, const struct string_list *allow,
			 const struct string_list *deny, struct failure *why);

/*
 * Are all names known to libseccomp or to our table? For `carrel policy check`. Whether a policy
 * may allow or deny them only seccomp_program_open tells.
 */
bool seccomp_names_check(const struct string_list *names, struct failure *why);

/* The capabilities that programs inside may ever have: 0 for root = no, a reviewed set for root. */
uint64_t capability_bounding_set(bool allow_root);

/*
 * Narrow the calling process (the helper) before it reads anything: drop every capability but those
 * in its table, set no_new_privs and load a short deny list (hand-built program, no
 * compile at run time). Proves that what was dropped is gone. carrel-init and mkfs inherit all of
 * it; their own user namespace gives init what it needs in there.
 */
bool helper_confine(struct failure *why);

#endif

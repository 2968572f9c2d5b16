/* join/join.h - the calling process moves into a container and becomes its confined root. */
#ifndef CARREL_JOIN_H
#define CARREL_JOIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"

#define JOIN_UMASK_UNSET ((mode_t)-1)

struct join_plan {
	int init;            /* pidfd of the container's PID 1; stays the caller's */
	int seccomp;         /* sealed memfd, an array of struct sock_filter; stays the caller's */
	unsigned namespaces; /* CLONE_NEW* bits; user, mount and PID must be among them */
	bool allow_root;     /* programs inside may gain privileges by set-user-ID files */
	uint64_t bounding_set; /* capabilities that programs started inside may ever have */
	mode_t umask;          /* to set, or JOIN_UMASK_UNSET */
};

/*
 * Join. Everything that can be checked is checked first; then the process joins and is confined.
 *
 * On success the process is root of the container and nobody on the host: its groups are those
 * that the container maps to themselves, its capabilities those that a login service needs
 * (join/privileges.c), it is not dumpable, every descriptor above 2 is close-on-exec, the seccomp
 * program is loaded, the current directory is the container's root, lookups of names use files
 * only and messages are in the locale C, which loads no code. What it forks is in the PID
 * namespace. It cannot start threads any more: the kernel refuses a thread that would be in
 * another PID namespace than its process (clone(2), EINVAL).
 *
 * False with *why filled: the caller must not go on with the login. When the reason is found in
 * the checks or by setns(2) itself the process is where it was. When a later step fails it is in
 * the container's namespaces with no capability, an empty bounding set and no_new_privs: it can
 * report the failure and end, and a service that overlooks the refusal cannot become the user.
 *
 * Nothing here links more than libc, because it runs inside every login service.
 */
bool join_container(const struct join_plan *plan, struct failure *why);

#endif

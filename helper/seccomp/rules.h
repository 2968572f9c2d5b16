/* helper/seccomp/rules.h - the table and a policy's changes to it, as one answer a number. */
#ifndef CARREL_HELPER_SECCOMP_RULES_H
#define CARREL_HELPER_SECCOMP_RULES_H

#include <stdbool.h>

#include "base/failure.h"
#include "helper/seccomp/table.h"
#include "policy/policy.h"

/* More than the highest number on the architectures of arch.h (469 in Linux 6.18). */
#define CALL_NUMBERS 512

/* What a policy says about system calls. Borrowed from the policy. */
struct seccomp_rules {
	bool allow_root;
	const struct string_list *allow;
	const struct string_list *deny;
};

struct call {
	enum call_answer answer;
	const char *checked_as; /* for CALL_CHECK: the name in argument_rules */
};

/*
 * Work out the answer to every number. A policy that names an unknown call, changes a fixed
 * answer, or both allows and denies a call, is refused with a failure of kind POLICY.
 */
bool rules_resolve(const struct seccomp_rules *rules, struct call calls[CALL_NUMBERS],
		   struct failure *why);

#endif

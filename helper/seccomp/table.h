/* helper/seccomp/table.h - every system call that we know, and the answer it gets. */
#ifndef CARREL_HELPER_SECCOMP_TABLE_H
#define CARREL_HELPER_SECCOMP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum call_answer {
	CALL_ABSENT, /* ENOSYS, as on a kernel that does not have it: also for calls in no group */
	CALL_ALLOW,  /* the kernel decides */
	CALL_CHECK,  /* the first of argument_rules that fits decides */
	CALL_REFUSE, /* EPERM */
};

struct call_group {
	const char *subject;
	const char *reason; /* read by an admin whose policy tries to change a fixed answer */
	enum call_answer answer;
	bool fixed;        /* a policy can neither allow nor deny these */
	const char *calls; /* names between single spaces */
};

extern const struct call_group call_groups[];
extern const size_t call_group_count;

/*
 * Calls that are younger than libseccomp 2.5.4 of Debian 12. Since Linux 5.1 a new call has the
 * same number everywhere, but for the two that only x86_64 has.
 */
struct young_call {
	const char *name;
	int number;
};

extern const struct young_call young_calls[];
extern const size_t young_call_count;

/*
 * Every argument that we check is a 32-bit quantity in the kernel (int, unsigned int, or the low
 * half of clone's flags), which ignores what a caller leaves in the upper half of the register. So
 * only the lower half is compared: garbage above cannot make a refused value look like another.
 */
struct argument_condition {
	unsigned argument;
	uint32_t mask; /* 0: holds for every value */
	uint32_t value;
};

struct argument_rule {
	const char *call;
	bool only_without_root; /* skipped for policies with root = yes */
	struct argument_condition when[2];
	uint32_t result; /* SECCOMP_RET_* */
};

extern const struct argument_rule argument_rules[];
extern const size_t argument_rule_count;

/* The group in which a name stands, or NULL. */
const struct call_group *call_group_find(const char *name);

/* The next name of a group: sets *name and *length, moves *position. False at the end. */
bool call_group_next(const char **position, const char **name, size_t *length);

#endif

/* policy/limit_rules.h - which values each limit may have in a policy file. */
#ifndef CARREL_POLICY_LIMIT_RULES_H
#define CARREL_POLICY_LIMIT_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

enum limit_unit { UNIT_SIZE, UNIT_CPU, UNIT_RATE, UNIT_BIT_RATE, UNIT_COUNT };

struct limit_rule {
	const char *name; /* the key in the files */
	enum limit_unit unit;
	uint64_t low, high;
	bool may_be_unlimited; /* "unlimited" is a value too */
};

/* The rule of a limit; NULL for an id that is none. */
const struct limit_rule *limit_rule(enum limit_id id);

/* Read a value of this limit: by its unit, within its range. */
bool limit_parse(enum limit_id id, const char *text, uint64_t *value, struct failure *why);

#endif

/* policy/limit_rules.c - the name, the unit and the range of every limit. */
#include "policy/limit_rules.h"

#include <string.h>

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define TIB (1024 * 1024 * MIB)
#define TOP (1024 * TIB)

/*
 * The lowest values are those with which a shell still starts: a container that cannot even show
 * an error to its user helps nobody. The highest ones of the counts are the kernel's:
 * PID_MAX_LIMIT (include/linux/threads.h) and sysctl_nr_open_max (fs/file.c).
 */
static const struct limit_rule rules[LIMIT_COUNT] = {
    [LIMIT_MEMORY] = {"memory", UNIT_SIZE, 4 * MIB, TOP, true},
    [LIMIT_SWAP] = {"swap", UNIT_SIZE, 0, TOP, true},
    [LIMIT_CPU] = {"cpu", UNIT_CPU, 100, 10000000, true},
    [LIMIT_CPU_WEIGHT] = {"cpu_weight", UNIT_COUNT, 1, 10000, false},
    [LIMIT_PIDS] = {"pids", UNIT_COUNT, 8, 4194304, true},
    [LIMIT_DISK] = {"disk", UNIT_SIZE, 16 * MIB, TOP, true},
    [LIMIT_INODES] = {"inodes", UNIT_COUNT, 1000, UINT32_MAX, true},
    [LIMIT_TMP] = {"tmp", UNIT_SIZE, MIB, TOP, false},
    [LIMIT_READ_RATE] = {"read_rate", UNIT_RATE, 64 * KIB, TIB, true},
    [LIMIT_WRITE_RATE] = {"write_rate", UNIT_RATE, 64 * KIB, TIB, true},
    [LIMIT_NETWORK_RATE] = {"network_rate", UNIT_BIT_RATE, 64000, UINT64_C(1000000000000), true},
    [LIMIT_SESSIONS] = {"sessions", UNIT_COUNT, 1, 65535, true},
    [LIMIT_OPEN_FILES] = {"open_files", UNIT_COUNT, 64, 1073741816, true},
    [LIMIT_PROCESSES] = {"processes", UNIT_COUNT, 8, 4194304, true},
    [LIMIT_CORE] = {"core", UNIT_SIZE, 0, TOP, true},
    [LIMIT_FILE_SIZE] = {"file_size", UNIT_SIZE, MIB, TOP, true},
    [LIMIT_STACK] = {"stack", UNIT_SIZE, 256 * KIB, TOP, true},
    [LIMIT_LOCKED_MEMORY] = {"locked_memory", UNIT_SIZE, 0, TOP, true},
};

const struct limit_rule *limit_rule(enum limit_id id)
{
	return (unsigned)id < LIMIT_COUNT ? &rules[id] : NULL;
}

static bool parse_unit(const struct limit_rule *rule, const char *text, uint64_t *value,
		       struct failure *why)
{
	switch (rule->unit) {
	case UNIT_SIZE:
		return parse_size(text, value, why);
	case UNIT_CPU:
		return parse_cpu(text, value, why);
	case UNIT_RATE:
		return parse_rate(text, value, why);
	case UNIT_BIT_RATE:
		return parse_bit_rate(text, value, why);
	case UNIT_COUNT:
		return parse_count(text, 0, UINT64_C(1) << 60, value, why);
	}
	return fail(why, FAILURE_POLICY, 0, "\"%s\" has no unit", rule->name);
}

bool limit_parse(enum limit_id id, const char *text, uint64_t *value, struct failure *why)
{
	const struct limit_rule *rule = limit_rule(id);
	char low[32], high[32];
	uint64_t parsed;

	if (strcmp(text, "unlimited") == 0) {
		if (!rule->may_be_unlimited)
			return fail(why, FAILURE_POLICY, 0, "it cannot be \"unlimited\"");
		*value = LIMIT_UNLIMITED;
		return true;
	}
	if (!parse_unit(rule, text, &parsed, why))
		return false;
	if (parsed < rule->low || parsed > rule->high) {
		policy_limit_format(id, rule->low, low, sizeof(low));
		policy_limit_format(id, rule->high, high, sizeof(high));
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.40s\" is out of range; it must be from %s to %s%s", text, low,
			    high, rule->may_be_unlimited ? ", or \"unlimited\"" : "");
	}
	*value = parsed;
	return true;
}

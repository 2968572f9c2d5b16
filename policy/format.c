/* policy/format.c - say a policy's values in the words of its file. */
#include <inttypes.h>
#include <stdio.h>

#include "policy/limit_rules.h"
#include "policy/policy.h"
#include "policy/words.h"

const char *policy_limit_name(enum limit_id id)
{
	const struct limit_rule *rule = limit_rule(id);

	return rule ? rule->name : "unknown";
}

/* The largest unit that leaves no rest, so that reading the text again gives the same value. */
static void format_scaled(uint64_t value, uint64_t step, const char *const units[], size_t count,
			  char *out, size_t size)
{
	size_t unit = 0;

	while (value != 0 && unit + 1 < count && value % step == 0) {
		value /= step;
		unit++;
	}
	(void)snprintf(out, size, "%" PRIu64 "%s", value, value == 0 ? "" : units[unit]);
}

static void format_cpu(uint64_t hundredths, char *out, size_t size)
{
	uint64_t whole = hundredths / 100, rest = hundredths % 100;

	if (rest == 0)
		(void)snprintf(out, size, "%" PRIu64 "%%", whole);
	else if (rest % 10 == 0)
		(void)snprintf(out, size, "%" PRIu64 ".%" PRIu64 "%%", whole, rest / 10);
	else
		(void)snprintf(out, size, "%" PRIu64 ".%02" PRIu64 "%%", whole, rest);
}

void policy_limit_format(enum limit_id id, uint64_t value, char *out, size_t size)
{
	static const char *const bytes[] = {"B", "K", "M", "G", "T"};
	static const char *const bits[] = {"bit", "Kbit", "Mbit", "Gbit"};
	const struct limit_rule *rule = limit_rule(id);

	if (value == LIMIT_UNSET || !rule) {
		(void)snprintf(out, size, "%s", "");
		return;
	}
	if (value == LIMIT_UNLIMITED) {
		(void)snprintf(out, size, "unlimited");
		return;
	}
	switch (rule->unit) {
	case UNIT_SIZE:
	case UNIT_RATE:
		format_scaled(value, 1024, bytes, ARRAY_LENGTH(bytes), out, size);
		break;
	case UNIT_BIT_RATE:
		format_scaled(value, 1000, bits, ARRAY_LENGTH(bits), out, size);
		break;
	case UNIT_CPU:
		format_cpu(value, out, size);
		break;
	case UNIT_COUNT:
		(void)snprintf(out, size, "%" PRIu64, value);
		break;
	}
}

void policy_duration_format(uint64_t seconds, char out[48])
{
	static const struct {
		uint64_t seconds;
		char letter;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t used = 0;

	if (seconds >= TIME_NEVER || seconds == 0) {
		(void)snprintf(out, 48, "%s",
			       seconds == TIME_UNSET ? "unset"
			       : seconds             ? "never"
						     : "0s");
		return;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
		if (seconds < units[i].seconds)
			continue;
		used += (size_t)snprintf(out + used, 48 - used, "%" PRIu64 "%c",
					 seconds / units[i].seconds, units[i].letter);
		seconds %= units[i].seconds;
	}
}

const char *const action_words[] = {
    [POLICY_CONTAIN] = "contain",
    [POLICY_HOST] = "host",
    [POLICY_DENY] = "deny",
    NULL,
};

const char *const home_words[] = {
    [HOME_PRIVATE] = "private",
    [HOME_BIND] = "bind",
    [HOME_TMPFS] = "tmpfs",
    NULL,
};

const char *const network_words[] = {
    [NETWORK_NONE] = "none",
    [NETWORK_HOST] = "host",
    [NETWORK_NAT] = "nat",
    NULL,
};

const char *const storage_words[] = {
    [STORAGE_AUTO] = "auto",   [STORAGE_PROJECT] = "project", [STORAGE_BTRFS] = "btrfs",
    [STORAGE_IMAGE] = "image", [STORAGE_PLAIN] = "plain",     NULL,
};

static const char *word_of(const char *const words[], size_t length, unsigned value)
{
	return value + 1 < length ? words[value] : "unknown";
}

const char *policy_action_name(enum policy_action action)
{
	return word_of(action_words, ARRAY_LENGTH(action_words), action);
}

const char *home_mode_name(enum home_mode mode)
{
	return word_of(home_words, ARRAY_LENGTH(home_words), mode);
}

const char *network_mode_name(enum network_mode mode)
{
	return word_of(network_words, ARRAY_LENGTH(network_words), mode);
}

const char *storage_kind_name(enum storage_kind kind)
{
	return word_of(storage_words, ARRAY_LENGTH(storage_words), kind);
}

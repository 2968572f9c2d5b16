/* policy/values.c - sizes, shares, rates, durations and counts, exactly as an admin writes them. */
#include <string.h>

#include "policy/policy.h"

/* Far above any machine and far below LIMIT_UNLIMITED, so that sums of values cannot wrap. */
#define VALUE_CEILING (UINT64_C(1) << 60)

#define CPU_LOWEST  UINT64_C(100)      /* 1% */
#define CPU_HIGHEST UINT64_C(10000000) /* 100000% */

#define DURATION_HIGHEST (UINT64_C(36500) * 24 * 60 * 60)

struct unit {
	const char *name;
	uint64_t factor;
};

/*
 * The digits at *text, without a sign, spaces or needless zeros in front ("010" could be meant as
 * octal). Leaves *text behind them.
 */
static bool take_digits(const char **text, uint64_t *number)
{
	const char *at = *text;
	uint64_t sum = 0;

	if (*at < '0' || *at > '9' || (*at == '0' && at[1] >= '0' && at[1] <= '9'))
		return false;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (sum > VALUE_CEILING / 10)
			return false;
		sum = sum * 10 + (uint64_t)(*at - '0');
	}
	*text = at;
	*number = sum;
	return sum <= VALUE_CEILING;
}

/* Digits and one of the units; a bare "0" needs none. */
static bool parse_with_unit(const char *text, const struct unit *units, size_t count,
			    uint64_t *value)
{
	const char *at = text;
	uint64_t number;

	if (!take_digits(&at, &number))
		return false;
	if (*at == '\0' && number == 0) {
		*value = 0;
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(at, units[i].name) != 0)
			continue;
		if (number > VALUE_CEILING / units[i].factor)
			return false;
		*value = number * units[i].factor;
		return true;
	}
	return false;
}

static const struct unit size_units[] = {
    {"B", 1},
    {"K", UINT64_C(1) << 10},
    {"M", UINT64_C(1) << 20},
    {"G", UINT64_C(1) << 30},
    {"T", UINT64_C(1) << 40},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
};

bool parse_size(const char *text, uint64_t *bytes, struct failure *why)
{
	if (parse_with_unit(text, size_units, ARRAY_LENGTH(size_units), bytes))
		return true;
	return fail(why, FAILURE_POLICY, 0,
		    "\"%.40s\" is not a size; write whole digits and K, M, G or T, as in \"512M\"",
		    text);
}

bool parse_rate(const char *text, uint64_t *bytes, struct failure *why)
{
	if (parse_with_unit(text, size_units, ARRAY_LENGTH(size_units), bytes))
		return true;
	return fail(why, FAILURE_POLICY, 0,
		    "\"%.40s\" is not a rate; write the bytes per second as whole digits and "
		    "K, M, G or T, as in \"20M\"",
		    text);
}

bool parse_bit_rate(const char *text, uint64_t *bits, struct failure *why)
{
	/* Decimal, as tc(8) and everyone who sells a line counts bits. */
	static const struct unit units[] = {
	    {"bit", 1},
	    {"Kbit", 1000},
	    {"Mbit", 1000 * 1000},
	    {"Gbit", 1000 * 1000 * 1000},
	};

	if (parse_with_unit(text, units, ARRAY_LENGTH(units), bits))
		return true;
	return fail(why, FAILURE_POLICY, 0,
		    "\"%.40s\" is not a line rate; write whole digits and Kbit, Mbit or Gbit, "
		    "as in \"10Mbit\"",
		    text);
}

/* At most two decimals, in hundredths: ".5" is 50. */
static bool take_decimals(const char **text, uint64_t *hundredths)
{
	const char *at = *text;

	*hundredths = 0;
	if (*at != '.')
		return true;
	at++;
	if (*at < '0' || *at > '9')
		return false;
	*hundredths = (uint64_t)(*at++ - '0') * 10;
	if (*at >= '0' && *at <= '9')
		*hundredths += (uint64_t)(*at++ - '0');
	*text = at;
	return true;
}

bool parse_cpu(const char *text, uint64_t *hundredths, struct failure *why)
{
	const char *at = text;
	uint64_t percent, decimals, sum;

	if (!take_digits(&at, &percent) || !take_decimals(&at, &decimals) || strcmp(at, "%") != 0)
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.40s\" is not a share of the processors; write a percentage of "
			    "one of them, as in \"50%%\", or \"200%%\" for two",
			    text);
	sum = percent > CPU_HIGHEST ? CPU_HIGHEST + 1 : percent * 100 + decimals;
	if (sum < CPU_LOWEST || sum > CPU_HIGHEST)
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.40s\" is out of range; it must be from 1%% to 100000%%", text);
	*hundredths = sum;
	return true;
}

/* "1h30m": parts from the largest unit to the smallest, each unit at most once. */
static bool take_duration(const char *text, uint64_t *seconds)
{
	static const struct unit units[] = {
	    {"w", 7 * 24 * 60 * 60}, {"d", 24 * 60 * 60}, {"h", 60 * 60}, {"m", 60}, {"s", 1},
	};
	const char *at = text;
	uint64_t sum = 0;
	size_t next = 0;

	do {
		uint64_t number;

		if (!take_digits(&at, &number))
			return false;
		while (next < ARRAY_LENGTH(units) && *at != units[next].name[0])
			next++;
		if (next == ARRAY_LENGTH(units) ||
		    number > (VALUE_CEILING - sum) / units[next].factor)
			return false;
		sum += number * units[next].factor;
		next++;
		at++;
	} while (*at != '\0');
	*seconds = sum;
	return true;
}

bool parse_duration(const char *text, uint64_t *seconds, struct failure *why)
{
	if (strcmp(text, "never") == 0) {
		*seconds = TIME_NEVER;
		return true;
	}
	if (strcmp(text, "0") == 0) {
		*seconds = 0;
		return true;
	}
	if (!take_duration(text, seconds))
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.40s\" is not a duration; write digits and w, d, h, m or s, as in "
			    "\"30m\" or \"1h30m\", or \"never\"",
			    text);
	if (*seconds > DURATION_HIGHEST)
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.40s\" is out of range; it must be at most 36500d, or \"never\"",
			    text);
	return true;
}

bool parse_count(const char *text, uint64_t low, uint64_t high, uint64_t *count,
		 struct failure *why)
{
	const char *at = text;
	uint64_t number;

	if (text[strspn(text, "0123456789")] != '\0' || *text == '\0')
		return fail(why, FAILURE_POLICY, 0, "\"%.40s\" is not a whole number", text);
	if (!take_digits(&at, &number) || number < low || number > high)
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.40s\" is out of range; it must be from %llu to %llu", text,
			    (unsigned long long)low, (unsigned long long)high);
	*count = number;
	return true;
}

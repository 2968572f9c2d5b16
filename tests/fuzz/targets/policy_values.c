/* targets/policy_values.c - sizes, shares, rates, durations and counts of a policy. */
/* Sources: policy/values.c policy/format.c policy/limit_rules.c helper/images/versions.c
 * base/holds.c helper/registry/record.c helper/registry/record_file.c base/failure.c base/files.c
 * base/directories.c base/tree_remove.c
 */
#include "helper/images/versions.h"
#include "policy/limit_rules.h"
#include "policy/policy.h"
#include "tests/fuzz/targets/fuzz.h"

#define CEILING (UINT64_C(1) << 60)

/* What is shown to an admin can be written into the file again. */
static void check_limit(enum limit_id id, const char *text)
{
	const struct limit_rule *rule = limit_rule(id);
	struct failure why = {0};
	uint64_t value, again;
	char shown[64];

	if (!limit_parse(id, text, &value, &why)) {
		MUST(why.kind == FAILURE_POLICY && why.text[0]);
		return;
	}
	MUST((value >= rule->low && value <= rule->high) ||
	     (value == LIMIT_UNLIMITED && rule->may_be_unlimited));
	policy_limit_format(id, value, shown, sizeof(shown));
	MUST(limit_parse(id, shown, &again, &why) && again == value);
}

static void check_duration(const char *text)
{
	struct failure why = {0};
	uint64_t seconds, again;
	char shown[48];

	if (!parse_duration(text, &seconds, &why))
		return;
	MUST(seconds == TIME_NEVER || seconds <= UINT64_C(36500) * 86400);
	policy_duration_format(seconds, shown);
	MUST(parse_duration(shown, &again, &why) && again == seconds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), digits[16];
	struct failure why;
	uint64_t value;
	uint32_t version;

	for (int id = 0; id < LIMIT_COUNT; id++)
		check_limit((enum limit_id)id, text);
	check_duration(text);
	MUST(!parse_size(text, &value, &why) || value <= CEILING);
	MUST(!parse_rate(text, &value, &why) || value <= CEILING);
	MUST(!parse_bit_rate(text, &value, &why) || value <= CEILING);
	MUST(!parse_cpu(text, &value, &why) || (value >= 100 && value <= 10000000));
	MUST(!parse_count(text, 3, 9, &value, &why) || (value >= 3 && value <= 9));
	if (image_version_parse(text, &version)) {
		MUST(version > 0 && version <= IMAGE_VERSION_MAX);
		(void)snprintf(digits, sizeof(digits), "%u", version);
		MUST(strcmp(digits, text) == 0);
	}
	free(text);
	return 0;
}

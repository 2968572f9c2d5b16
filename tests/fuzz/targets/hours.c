/* targets/hours.c - the hours of a policy. */
/* Sources: policy/hours.c base/failure.c */
#include "policy/hours.h"
#include "tests/fuzz/targets/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct failure why = {0};
	struct hours hours;

	if (hours_parse(text, &hours, &why)) {
		time_t now = 1711846800 + (time_t)size * 4321, change; /* a change of the clock */

		MUST(hours.count > 0 && hours_are_sound(&hours));
		MUST(hours_shortest(&hours) >= 60 && hours_shortest(&hours) <= 86400);
		change = hours_next_change(&hours, now);
		MUST(change == 0 ||
		     (change > now && hours_open(&hours, change) != hours_open(&hours, now)));
		MUST(change == 0 || hours_open(&hours, change - 1) == hours_open(&hours, now));
	} else {
		MUST(why.kind == FAILURE_POLICY && why.text[0]);
	}
	free(text);
	return 0;
}

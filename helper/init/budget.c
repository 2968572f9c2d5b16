/* helper/init/budget.c - add up a day's processor time, so that it outlives containers and boots.
 */
#include "helper/init/budget.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/limits/control_file.h"
#include "helper/limits/usage_parse.h"

#define COUNTER_TEXT 2048
#define DAY_SECONDS  86400

uint32_t budget_day(time_t when)
{
	struct tm parts;

	if (!localtime_r(&when, &parts))
		return 0;
	return (uint32_t)((parts.tm_year + 1900) * 10000 + (parts.tm_mon + 1) * 100 +
			  parts.tm_mday);
}

time_t budget_renewal(time_t now)
{
	uint32_t today = budget_day(now);
	time_t before = now, after = now + DAY_SECONDS + 2 * 3600; /* a day has up to 25 hours */

	while (after - before > 1) {
		time_t middle = before + (after - before) / 2;

		if (budget_day(middle) == today)
			before = middle;
		else
			after = middle;
	}
	return after;
}

void budget_account(struct budget_record *record, uint32_t day, uint64_t counter_microseconds)
{
	if (record->day != day) {
		record->day = day;
		record->used_microseconds = 0;
	} else if (counter_microseconds >= record->counter_microseconds) {
		record->used_microseconds += counter_microseconds - record->counter_microseconds;
	} else {
		record->used_microseconds += counter_microseconds;
	}
	record->counter_microseconds = counter_microseconds;
}

void budget_format(const struct budget_record *record, char text[BUDGET_RECORD_SIZE + 1])
{
	(void)snprintf(text, BUDGET_RECORD_SIZE + 1,
		       "day=%08" PRIu32 " used=%018" PRIu64 " counter=%018" PRIu64 "\n",
		       record->day % 100000000u,
		       record->used_microseconds % UINT64_C(1000000000000000000),
		       record->counter_microseconds % UINT64_C(1000000000000000000));
}

bool budget_parse(const char *text, struct budget_record *record)
{
	char again[BUDGET_RECORD_SIZE + 1];

	/* Whatever does not come out again the same was not written by us. */
	if (sscanf(text, "day=%8" SCNu32 " used=%18" SCNu64 " counter=%18" SCNu64, &record->day,
		   &record->used_microseconds, &record->counter_microseconds) != 3)
		return false;
	budget_format(record, again);
	return strcmp(text, again) == 0;
}

void budget_read(int file, struct budget_record *record)
{
	char text[BUDGET_RECORD_SIZE + 1];

	if (!control_read_fd(file, text, sizeof(text)) || !budget_parse(text, record))
		*record = (struct budget_record){0};
}

bool budget_write(int file, const struct budget_record *record)
{
	char text[BUDGET_RECORD_SIZE + 1];
	size_t length;

	budget_format(record, text);
	length = strlen(text);
	return pwrite(file, text, length, 0) == (ssize_t)length;
}

uint64_t budget_counter(int file, bool v1)
{
	char text[COUNTER_TEXT];
	uint64_t value;

	if (file < 0 || !control_read_fd(file, text, sizeof(text)))
		return UINT64_MAX;
	value = usage_parse(text, v1 ? USAGE_NUMBER : USAGE_LINE, "usage_usec", NULL);
	return v1 && value != UINT64_MAX ? value / 1000 : value;
}

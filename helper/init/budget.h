/* helper/init/budget.h - the processor time that a container has used today. */
#ifndef CARREL_HELPER_INIT_BUDGET_H
#define CARREL_HELPER_INIT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* In state_dir/containers/NAME: one line, always of the same length, written in place. */
#define BUDGET_FILE        "cpu_day"
#define BUDGET_RECORD_SIZE 64

struct budget_record {
	uint32_t day;                  /* 20261124, by the local clock */
	uint64_t used_microseconds;    /* on that day */
	uint64_t counter_microseconds; /* what the cgroup's counter had then */
};

/* Local date of a moment as a number, 20261124. localtime_r(3) only, see policy/hours.h. */
uint32_t budget_day(time_t when);

/* The next local midnight after `now`, when the budget is new. */
time_t budget_renewal(time_t now);

/*
 * Pure: bring the record up to the counter's reading of now. A counter that went back is that of
 * a new cgroup, all of whose time is of today; what was used between the last reading of another
 * day and now counts on neither.
 */
void budget_account(struct budget_record *record, uint32_t day, uint64_t counter_microseconds);

/*
 * Read and write the record through a descriptor. A record that is empty or damaged, as after the
 * machine lost power, reads as nothing used: bookkeeping of a day is no reason to refuse a login.
 * Writing is one pwrite(2) of one line in place: who is killed leaves the old line or the new.
 */
void budget_read(int file, struct budget_record *record);
bool budget_write(int file, const struct budget_record *record);

/* The text of the file, for both; false when it is not such a record. Pure. */
void budget_format(const struct budget_record *record, char text[BUDGET_RECORD_SIZE + 1]);
bool budget_parse(const char *text, struct budget_record *record);

/* The counter of a cgroup: cpuacct.usage (v1), cpu.stat (v2); UINT64_MAX when it cannot be read. */
uint64_t budget_counter(int file, bool v1);

#endif

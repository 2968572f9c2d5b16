/* helper/admin/top_rows.h - what `carrel top` knows of the containers that run, and how fast it
 * grows. */
#ifndef CARREL_HELPER_ADMIN_TOP_ROWS_H
#define CARREL_HELPER_ADMIN_TOP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/admin/context.h"

/* One container. UINT64_MAX where nothing is known, or nothing limits it. */
struct top_row {
	char name[65], user[257], policy[65], state[16];
	uint64_t sessions, processes;
	uint64_t cpu_microseconds; /* since it started */
	uint64_t memory_bytes, memory_limit;
	uint64_t disk_bytes, disk_limit;
	uint64_t io_bytes;   /* read and written, since it started */
	uint64_t idle_since; /* seconds since the epoch, 0 while there are sessions */
	uint64_t started_at;
	uint64_t cpu_permille; /* of one processor, since the look before */
	uint64_t io_rate;      /* bytes a second, since the look before */
};

/* One look at all of them, in the order of their names. */
struct top_look {
	struct top_row *rows; /* owned */
	size_t count;
	uint64_t taken_ms; /* CLOCK_BOOTTIME */
	uint64_t taken_at; /* seconds since the epoch */
};

/* Look at all that run. False with nothing held; what was wrong has been complained about. */
bool top_look_take(const struct context *context, struct top_look *look);
void top_look_free(struct top_look *look);

/*
 * Pure. The rates between two looks: unknown for a container that was not there before, or has been
 * started anew, and where a counter went back.
 */
void top_look_rates(const struct top_look *before, struct top_look *now);

#endif

/* helper/limits/table.h - which file of a cgroup holds which limit, and how it is written. Pure. */
#ifndef CARREL_HELPER_LIMITS_TABLE_H
#define CARREL_HELPER_LIMITS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/limits/limits.h"
#include "policy/policy.h"

/* A whole disk. */
struct limit_device {
	unsigned major, minor;
};

enum limit_shape {
	SHAPE_NUMBER,       /* "536870912" */
	SHAPE_QUOTA_PERIOD, /* "50000 100000": v2's cpu.max */
	SHAPE_DEVICE,       /* "254:0 1048576": a line for each disk, v1 */
	SHAPE_DEVICE_KEY,   /* "254:0 rbps=1048576 wbps=max ...": a line for each disk, v2 */
};

struct limit_file {
	const char *name; /* NULL: this version has no such file, and needs none */
	enum limit_shape shape;
	const char *key;  /* of SHAPE_DEVICE_KEY: "rbps" */
	const char *none; /* what is written where there is no limit: "max", "-1" */
	uint64_t (*value)(const struct limits *limits); /* in the file's unit, or LIMIT_UNLIMITED */
};

struct limit_row {
	enum limit_id limit;
	enum cgroup_controller controller;
	uint64_t least; /* the smallest value that the kernel holds, in the policy's unit */
	uint64_t slack; /* how far the kernel may round what is written down */
	/*
	 * The kernel walks through every cgroup of the machine when it is written
	 * (tg_cfs_schedulable_down() in kernel/sched/core.c): with 2,000 containers 0.7 ms.
	 */
	bool is_slow;
	struct limit_file v2, v1;
};

#define LIMIT_ROW_COUNT 8
extern const struct limit_row limit_rows[LIMIT_ROW_COUNT];

/* True when the policy sets a bound: not silent, not "unlimited". */
bool limit_is_set(const struct limits *limits, enum limit_id limit);

/* Room for any text of limit_file_format and for the file of a limit without devices. */
#define LIMIT_TEXT_SIZE 128

/* What to write for `value`. `device` may be NULL for the shapes without one. */
void limit_file_format(const struct limit_file *file, uint64_t value,
		       const struct limit_device *device, char text[LIMIT_TEXT_SIZE]);

/*
 * The value that the text of the file holds (for `device`, where the shape has one), or
 * LIMIT_UNLIMITED. LIMIT_UNSET when the text makes no sense.
 */
uint64_t limit_file_parse(const struct limit_file *file, const char *text,
			  const struct limit_device *device);

/* Does the kernel hold to what we wanted, but for its rounding? */
bool limit_row_agrees(const struct limit_row *row, uint64_t wanted, uint64_t held);

/*
 * The next disk that the text of a file with devices has a line for, other than `keep` (may be
 * NULL). *cursor starts at the text. False at its end.
 */
bool limit_file_next_device(const char **cursor, const struct limit_device *keep,
			    struct limit_device *device);

#endif

/* helper/limits/table.c - the one place that says which kernel file holds which limit. */
#include "helper/limits/table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The period that both versions start with. A quota of less than 1 ms is refused (v2: EINVAL). */
#define CPU_PERIOD_MICROSECONDS 100000
#define CPU_LEAST               100

/* PID_MAX_LIMIT of a 64-bit kernel: no host has more tasks, and pids.max takes no larger number. */
#define PIDS_MOST 4194304

/* Nobody can have more memory than this; v1 shows it where v2 shows "max" (PAGE_COUNTER_MAX). */
#define BYTES_MOST (UINT64_C(0x7fffffffffffffff) & ~UINT64_C(4095))

/* Limits of memory are kept in pages. 64 KiB is the largest page of any architecture. */
#define MEMORY_SLACK 65535

bool limit_is_set(const struct limits *limits, enum limit_id limit)
{
	return limits->value[limit] != LIMIT_UNSET && limits->value[limit] != LIMIT_UNLIMITED;
}

static uint64_t value_or(const struct limits *limits, enum limit_id limit, uint64_t otherwise)
{
	return limit_is_set(limits, limit) ? limits->value[limit] : otherwise;
}

static uint64_t bytes(uint64_t value)
{
	return value >= BYTES_MOST ? LIMIT_UNLIMITED : value;
}

static uint64_t memory(const struct limits *limits)
{
	return bytes(value_or(limits, LIMIT_MEMORY, LIMIT_UNLIMITED));
}

static uint64_t swap(const struct limits *limits)
{
	return bytes(value_or(limits, LIMIT_SWAP, LIMIT_UNLIMITED));
}

/* v1 bounds the sum only. Without a memory limit there is no sum: limits_check refuses that. */
static uint64_t memory_and_swap(const struct limits *limits)
{
	uint64_t first = memory(limits), second = swap(limits);

	if (first == LIMIT_UNLIMITED || second == LIMIT_UNLIMITED)
		return LIMIT_UNLIMITED;
	return bytes(first + second);
}

static uint64_t cpu_quota(const struct limits *limits)
{
	uint64_t hundredths = value_or(limits, LIMIT_CPU, LIMIT_UNLIMITED);

	if (hundredths >= UINT64_MAX / CPU_PERIOD_MICROSECONDS)
		return LIMIT_UNLIMITED;
	return hundredths * (CPU_PERIOD_MICROSECONDS / 10000);
}

static uint64_t cpu_period(const struct limits *limits)
{
	(void)limits;
	return CPU_PERIOD_MICROSECONDS;
}

static uint64_t cpu_weight(const struct limits *limits)
{
	return value_or(limits, LIMIT_CPU_WEIGHT, 100);
}

/* v1 counts everyone's share as 1024, and knows none below 2. */
static uint64_t cpu_shares(const struct limits *limits)
{
	uint64_t shares = cpu_weight(limits) * 1024 / 100;

	return shares < 2 ? 2 : shares;
}

static uint64_t pids(const struct limits *limits)
{
	uint64_t count = value_or(limits, LIMIT_PIDS, LIMIT_UNLIMITED);

	return count > PIDS_MOST ? LIMIT_UNLIMITED : count;
}

static uint64_t read_rate(const struct limits *limits)
{
	return bytes(value_or(limits, LIMIT_READ_RATE, LIMIT_UNLIMITED));
}

static uint64_t write_rate(const struct limits *limits)
{
	return bytes(value_or(limits, LIMIT_WRITE_RATE, LIMIT_UNLIMITED));
}

/*
 * Rows are written in this order. A memory limit without a swap limit leaves swap alone, as the
 * kernel does. memory.oom.group stays 0: one process that is too large dies, not the whole
 * container.
 */
const struct limit_row limit_rows[LIMIT_ROW_COUNT] = {
    {
	.limit = LIMIT_MEMORY,
	.controller = CGROUP_MEMORY,
	.slack = MEMORY_SLACK,
	.v2 = {"memory.max", SHAPE_NUMBER, NULL, "max", memory},
	.v1 = {"memory.limit_in_bytes", SHAPE_NUMBER, NULL, "-1", memory},
    },
    {
	.limit = LIMIT_SWAP,
	.controller = CGROUP_MEMORY,
	.slack = MEMORY_SLACK,
	.v2 = {"memory.swap.max", SHAPE_NUMBER, NULL, "max", swap},
	.v1 = {"memory.memsw.limit_in_bytes", SHAPE_NUMBER, NULL, "-1", memory_and_swap},
    },
    {
	.limit = LIMIT_CPU,
	.controller = CGROUP_CPU,
	.least = CPU_LEAST,
	.is_slow = true,
	.v1 = {"cpu.cfs_period_us", SHAPE_NUMBER, NULL, NULL, cpu_period},
    },
    {
	.limit = LIMIT_CPU,
	.controller = CGROUP_CPU,
	.least = CPU_LEAST,
	.is_slow = true,
	.v2 = {"cpu.max", SHAPE_QUOTA_PERIOD, NULL, "max", cpu_quota},
	.v1 = {"cpu.cfs_quota_us", SHAPE_NUMBER, NULL, "-1", cpu_quota},
    },
    {
	.limit = LIMIT_CPU_WEIGHT,
	.controller = CGROUP_CPU,
	.least = 1,
	.v2 = {"cpu.weight", SHAPE_NUMBER, NULL, NULL, cpu_weight},
	.v1 = {"cpu.shares", SHAPE_NUMBER, NULL, NULL, cpu_shares},
    },
    {
	.limit = LIMIT_PIDS,
	.controller = CGROUP_PIDS,
	.v2 = {"pids.max", SHAPE_NUMBER, NULL, "max", pids},
	.v1 = {"pids.max", SHAPE_NUMBER, NULL, "max", pids},
    },
    {
	.limit = LIMIT_READ_RATE,
	.controller = CGROUP_IO,
	.least = 1,
	.v2 = {"io.max", SHAPE_DEVICE_KEY, "rbps", "max", read_rate},
	.v1 = {"blkio.throttle.read_bps_device", SHAPE_DEVICE, NULL, "0", read_rate},
    },
    {
	.limit = LIMIT_WRITE_RATE,
	.controller = CGROUP_IO,
	.least = 1,
	.v2 = {"io.max", SHAPE_DEVICE_KEY, "wbps", "max", write_rate},
	.v1 = {"blkio.throttle.write_bps_device", SHAPE_DEVICE, NULL, "0", write_rate},
    },
};

void limit_file_format(const struct limit_file *file, uint64_t value,
		       const struct limit_device *device, char text[LIMIT_TEXT_SIZE])
{
	char number[24];

	if (value == LIMIT_UNLIMITED)
		(void)snprintf(number, sizeof(number), "%s", file->none);
	else
		(void)snprintf(number, sizeof(number), "%" PRIu64, value);
	switch (file->shape) {
	case SHAPE_NUMBER:
		(void)snprintf(text, LIMIT_TEXT_SIZE, "%s", number);
		break;
	case SHAPE_QUOTA_PERIOD:
		(void)snprintf(text, LIMIT_TEXT_SIZE, "%s %d", number, CPU_PERIOD_MICROSECONDS);
		break;
	case SHAPE_DEVICE:
		(void)snprintf(text, LIMIT_TEXT_SIZE, "%u:%u %s", device->major, device->minor,
			       number);
		break;
	case SHAPE_DEVICE_KEY:
		(void)snprintf(text, LIMIT_TEXT_SIZE, "%u:%u %s=%s", device->major, device->minor,
			       file->key, number);
		break;
	}
}

static uint64_t parse_number(const char *text, const char **end)
{
	char *after;
	uint64_t value;

	if (strncmp(text, "max", 3) == 0 || strncmp(text, "-1", 2) == 0) {
		*end = text + (text[0] == 'm' ? 3 : 2);
		return LIMIT_UNLIMITED;
	}
	errno = 0;
	value = strtoull(text, &after, 10);
	*end = after;
	if (text[0] < '0' || text[0] > '9' || errno != 0)
		return LIMIT_UNSET;
	return bytes(value);
}

static bool is_device_line(const char *line, const struct limit_device *device)
{
	unsigned major, minor;

	return sscanf(line, "%u:%u ", &major, &minor) == 2 && major == device->major &&
	       minor == device->minor;
}

/* The rest of the device's line after "M:m ", or NULL: a disk without a line has no limit. */
static const char *find_device(const char *text, const struct limit_device *device)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		if (is_device_line(text, device)) {
			size_t head = strcspn(text, " ");

			return head < length ? text + head + 1 : NULL;
		}
		text += length + (text[length] == '\n');
	}
	return NULL;
}

static const char *find_key(const char *line, const char *key)
{
	size_t length = strlen(key);

	while (*line && *line != '\n') {
		size_t word = strcspn(line, " \n");

		if (strncmp(line, key, length) == 0 && line[length] == '=')
			return line + length + 1;
		line += word + (line[word] == ' ');
	}
	return NULL;
}

uint64_t limit_file_parse(const struct limit_file *file, const char *text,
			  const struct limit_device *device)
{
	const char *end = text;
	uint64_t value;

	if (file->shape == SHAPE_DEVICE || file->shape == SHAPE_DEVICE_KEY)
		text = find_device(text, device);
	if (text && file->shape == SHAPE_DEVICE_KEY)
		text = find_key(text, file->key);
	if (!text)
		return LIMIT_UNLIMITED;
	value = parse_number(text, &end);
	if (file->shape == SHAPE_QUOTA_PERIOD && strtoull(end, NULL, 10) != CPU_PERIOD_MICROSECONDS)
		return LIMIT_UNSET;
	return value;
}

bool limit_row_agrees(const struct limit_row *row, uint64_t wanted, uint64_t held)
{
	if (wanted == LIMIT_UNLIMITED || held == LIMIT_UNLIMITED || held == LIMIT_UNSET)
		return wanted == held;
	return held <= wanted && wanted - held <= row->slack;
}

bool limit_file_next_device(const char **cursor, const struct limit_device *keep,
			    struct limit_device *device)
{
	while (**cursor) {
		const char *line = *cursor;
		size_t length = strcspn(line, "\n");

		*cursor = line + length + (line[length] == '\n');
		if (sscanf(line, "%u:%u ", &device->major, &device->minor) == 2 &&
		    !(keep && is_device_line(line, keep)))
			return true;
	}
	return false;
}

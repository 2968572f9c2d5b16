/* helper/session/welcome.c - what somebody who logs in is greeted with. */
#include "helper/session/welcome.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* From here on it is told: early enough to clear up, late enough to be read. */
#define NEAR_PERCENT 80

static bool is_near(uint64_t used, uint64_t limit)
{
	return used != UINT64_MAX && limit != UINT64_MAX && limit > 0 &&
	       (double)used > (double)limit * NEAR_PERCENT / 100;
}

static unsigned percent(uint64_t used, uint64_t limit)
{
	return used >= limit ? 100 : (unsigned)((double)used * 100 / (double)limit);
}

static uint64_t left(uint64_t used, uint64_t limit)
{
	return used >= limit ? 0 : limit - used;
}

static void size_text(uint64_t bytes, char out[24])
{
	static const char *const units[] = {"KB", "MB", "GB", "TB"};
	double value = (double)bytes / 1024;
	size_t unit = 0;

	while (value >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	(void)snprintf(out, 24, value < 10 && unit > 1 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void welcome_add(const char *line, char *out, size_t size)
{
	size_t used = strlen(out);

	if (!*line)
		return;
	(void)snprintf(out + used, size - used, "%s%s", used && out[used - 1] != '\n' ? "\n" : "",
		       line);
}

void welcome_text(const char *policy_text, const struct storage_usage *disk, char *out, size_t size)
{
	char line[160], rest[24], all[24];

	(void)snprintf(out, size, "%s", policy_text ? policy_text : "");
	if (is_near(disk->disk_bytes, disk->disk_limit_bytes)) {
		size_text(left(disk->disk_bytes, disk->disk_limit_bytes), rest);
		size_text(disk->disk_limit_bytes, all);
		(void)snprintf(line, sizeof(line), "Your disk is %u %% full: %s of %s left.",
			       percent(disk->disk_bytes, disk->disk_limit_bytes), rest, all);
		welcome_add(line, out, size);
	}
	if (is_near(disk->inodes, disk->inode_limit)) {
		(void)snprintf(line, sizeof(line),
			       "Your disk has %u %% of the files it can hold: %" PRIu64
			       " of %" PRIu64 " left.",
			       percent(disk->inodes, disk->inode_limit),
			       left(disk->inodes, disk->inode_limit), disk->inode_limit);
		welcome_add(line, out, size);
	}
}

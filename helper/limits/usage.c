/* helper/limits/usage.c - what a container uses, by the kernel's own account. */
#include <fcntl.h>
#include <linux/major.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/limits/cgroup_name.h"
#include "helper/limits/control_file.h"
#include "helper/limits/limits.h"
#include "helper/limits/usage_parse.h"

#define FILE_SIZE 16384 /* some hundred lines of io.stat */

struct usage_file {
	const char *name;
	enum usage_shape shape;
	const char *key;
	unsigned divisor; /* of the file's unit, to get ours */
};

/* The first ones are those of cgroup_usage_glance. */
#define GLANCE_ROWS 3
/* The last ones are those of cgroup_usage_hits. */
#define HIT_ROWS    2
#define SPENT_FIRST 2 /* processor time, highest memory, bytes read and written */
#define SPENT_LAST  5

static const struct usage_row {
	size_t offset; /* in struct cgroup_usage */
	enum cgroup_controller controller;
	struct usage_file v2, v1;
} usage_rows[] = {
    {
	offsetof(struct cgroup_usage, memory_bytes),
	CGROUP_MEMORY,
	.v2 = {"memory.current", USAGE_NUMBER, NULL, 1},
	.v1 = {"memory.usage_in_bytes", USAGE_NUMBER, NULL, 1},
    },
    {
	offsetof(struct cgroup_usage, pids),
	CGROUP_PIDS,
	.v2 = {"pids.current", USAGE_NUMBER, NULL, 1},
	.v1 = {"pids.current", USAGE_NUMBER, NULL, 1},
    },
    {
	offsetof(struct cgroup_usage, cpu_microseconds),
	CGROUP_CPUACCT,
	.v2 = {"cpu.stat", USAGE_LINE, "usage_usec", 1},
	.v1 = {"cpuacct.usage", USAGE_NUMBER, NULL, 1000},
    },
    {
	offsetof(struct cgroup_usage, memory_peak_bytes),
	CGROUP_MEMORY,
	.v2 = {"memory.peak", USAGE_NUMBER, NULL, 1},
	.v1 = {"memory.max_usage_in_bytes", USAGE_NUMBER, NULL, 1},
    },
    {
	offsetof(struct cgroup_usage, read_bytes),
	CGROUP_IO,
	.v2 = {"io.stat", USAGE_DISKS_KEYS, "rbytes", 1},
	.v1 = {"blkio.throttle.io_service_bytes", USAGE_DISKS, "Read", 1},
    },
    {
	offsetof(struct cgroup_usage, written_bytes),
	CGROUP_IO,
	.v2 = {"io.stat", USAGE_DISKS_KEYS, "wbytes", 1},
	.v1 = {"blkio.throttle.io_service_bytes", USAGE_DISKS, "Write", 1},
    },
    {
	offsetof(struct cgroup_usage, swap_bytes),
	CGROUP_MEMORY,
	.v2 = {"memory.swap.current", USAGE_NUMBER, NULL, 1},
	.v1 = {"memory.stat", USAGE_LINE, "swap", 1},
    },
    {
	offsetof(struct cgroup_usage, memory_kills),
	CGROUP_MEMORY,
	.v2 = {"memory.events", USAGE_LINE, "oom_kill", 1},
	.v1 = {"memory.oom_control", USAGE_LINE, "oom_kill", 1},
    },
    {
	offsetof(struct cgroup_usage, pids_refusals),
	CGROUP_PIDS,
	.v2 = {"pids.events", USAGE_LINE, "max", 1},
	.v1 = {"pids.events", USAGE_LINE, "max", 1},
    },
};

/*
 * What goes through a loop, device mapper or md device is counted there and again on the disks
 * below it. A container's own layer may be on a loop device: only what reaches a disk counts.
 */
static bool is_at_the_bottom(unsigned major, unsigned minor)
{
	static const char *const stacked[] = {"dm", "md"};

	if (major == LOOP_MAJOR)
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(stacked); i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major, minor,
			       stacked[i]);
		if (access(path, F_OK) == 0)
			return false;
	}
	return true;
}

/* The hierarchy in which the row's controller is; layout->root_count when there is none. */
static size_t root_of(const struct usage_row *row, const struct cgroup_layout *layout)
{
	size_t i = 0;

	while (i < layout->root_count && !(layout->roots[i].controllers & 1U << row->controller))
		i++;
	return i;
}

static uint64_t parse(const struct usage_file *file, const char *text)
{
	uint64_t value = usage_parse(text, file->shape, file->key, is_at_the_bottom);

	/* Without a rate limit Linux 6.1 does not count on v1: 0 may be any number. */
	if (file->shape == USAGE_DISKS && value == 0)
		return UINT64_MAX;
	return value == UINT64_MAX ? value : value / file->divisor;
}

static uint64_t read_row(const struct usage_row *row, const struct cgroup_layout *layout,
			 const struct cgroup *cgroup)
{
	size_t i = root_of(row, layout);
	const struct usage_file *file;
	char text[FILE_SIZE];

	if (i >= layout->root_count || i >= cgroup->count || cgroup->dirs[i] < 0)
		return UINT64_MAX;
	file = layout->roots[i].v2 ? &row->v2 : &row->v1;
	return control_read(cgroup->dirs[i], file->name, text, sizeof(text)) ? parse(file, text)
									     : UINT64_MAX;
}

/* Shared memory is not among these: the lists of files are of what a disk has too. */
uint64_t cgroup_file_cache(const struct cgroup_layout *layout, const struct cgroup *cgroup)
{
	static const struct usage_row rows[] = {
	    {
		.controller = CGROUP_MEMORY,
		.v2 = {"memory.stat", USAGE_LINE, "inactive_file", 1},
		.v1 = {"memory.stat", USAGE_LINE, "inactive_file", 1},
	    },
	    {
		.controller = CGROUP_MEMORY,
		.v2 = {"memory.stat", USAGE_LINE, "active_file", 1},
		.v1 = {"memory.stat", USAGE_LINE, "active_file", 1},
	    },
	};
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		uint64_t bytes = read_row(&rows[i], layout, cgroup);

		sum += bytes == UINT64_MAX ? 0 : bytes;
	}
	return sum;
}

/* The file by its path below Carrel's own cgroup, read once: what is looked for stands in front. */
static uint64_t glance_at(const struct usage_row *row, const struct cgroup_layout *layout,
			  const char *directory)
{
	size_t i = root_of(row, layout);
	_cleanup_close_ int fd = -1;
	const struct usage_file *file;
	char path[3 * CGROUP_NAME_SIZE], text[128];
	ssize_t length;

	if (i >= layout->root_count)
		return UINT64_MAX;
	file = layout->roots[i].v2 ? &row->v2 : &row->v1;
	(void)snprintf(path, sizeof(path), "%s/%s", directory, file->name);
	fd = openat(layout->roots[i].dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return UINT64_MAX;
	text[length] = '\0';
	return parse(file, text);
}

static uint64_t *field_of(struct cgroup_usage *usage, const struct usage_row *row)
{
	return (uint64_t *)(void *)((char *)usage + row->offset);
}

void cgroup_usage_read(const struct cgroup_layout *layout, const struct cgroup *cgroup,
		       struct cgroup_usage *usage)
{
	for (size_t i = 0; i < ARRAY_LENGTH(usage_rows); i++)
		*field_of(usage, &usage_rows[i]) = read_row(&usage_rows[i], layout, cgroup);
}

static void read_some(size_t first, size_t last, const struct cgroup_layout *layout,
		      const struct cgroup *cgroup, struct cgroup_usage *usage)
{
	memset(usage, 0xff, sizeof(*usage)); /* UINT64_MAX: unknown */
	for (size_t i = first; i <= last; i++)
		*field_of(usage, &usage_rows[i]) = read_row(&usage_rows[i], layout, cgroup);
}

void cgroup_usage_hits(const struct cgroup_layout *layout, const struct cgroup *cgroup,
		       struct cgroup_usage *usage)
{
	const size_t end = ARRAY_LENGTH(usage_rows);

	read_some(end - HIT_ROWS, end - 1, layout, cgroup, usage);
}

void cgroup_usage_spent(const struct cgroup_layout *layout, const struct cgroup *cgroup,
			struct cgroup_usage *usage)
{
	read_some(SPENT_FIRST, SPENT_LAST, layout, cgroup, usage);
}

void cgroup_usage_glance(const struct cgroup_layout *layout, const char *name, const char *pool,
			 struct cgroup_usage *usage)
{
	char own[CGROUP_NAME_SIZE], above[CGROUP_NAME_SIZE], directory[2 * CGROUP_NAME_SIZE];
	struct failure ignored;

	memset(usage, 0xff, sizeof(*usage)); /* UINT64_MAX: unknown */
	if (!cgroup_container_directory(name, own, &ignored) ||
	    (pool && !cgroup_pool_directory(pool, above, &ignored)))
		return;
	(void)snprintf(directory, sizeof(directory), "%s%s%s", pool ? above : "", pool ? "/" : "",
		       own);
	for (size_t i = 0; i < GLANCE_ROWS; i++)
		*field_of(usage, &usage_rows[i]) = glance_at(&usage_rows[i], layout, directory);
}

void cgroup_usage_prepare(const struct cgroup_layout *layout)
{
	char text[FILE_SIZE];

	for (size_t i = 0; i < layout->root_count; i++)
		if (layout->roots[i].v2)
			(void)control_read(layout->roots[i].dir, "cpu.stat", text, sizeof(text));
}

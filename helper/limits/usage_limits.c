/* helper/limits/usage_limits.c - the limits that the kernel holds a container to at this moment. */
#include "helper/limits/usage_limits.h"

#include "helper/limits/control_file.h"

/* A line for each disk that has a limit: room for some fifty. */
#define FILE_SIZE 4096

/* Of the kernel's unit the policy's; the reverse of limit_file.value. */
static uint64_t as_policy_has_it(const struct limit_row *row, bool v2, uint64_t held,
				 const struct limits *limits)
{
	uint64_t memory = limits->value[LIMIT_MEMORY];

	if (held >= LIMIT_UNLIMITED)
		return held;
	switch (row->limit) {
	case LIMIT_CPU: /* microseconds in a period of 100 ms */
		return held / 10;
	case LIMIT_CPU_WEIGHT:
		return v2 ? held : (held * 100 + 1023) / 1024;
	case LIMIT_SWAP: /* v1 holds the sum; the row of memory comes first */
		if (v2)
			return held;
		return memory < LIMIT_UNLIMITED && held >= memory ? held - memory : LIMIT_UNSET;
	default:
		return held;
	}
}

static bool is_per_device(const struct limit_file *file)
{
	return file->shape == SHAPE_DEVICE || file->shape == SHAPE_DEVICE_KEY;
}

static void read_row(const struct limit_row *row, const struct cgroup_root *root, int dir,
		     const struct limit_device *device, struct limits *limits)
{
	const struct limit_file *file = root->v2 ? &row->v2 : &row->v1;
	char text[FILE_SIZE];
	uint64_t held;

	/* v1 has a file for the period of the quota too, which is always the same. */
	if (!file->name || (row->limit == LIMIT_CPU && !row->v2.name) ||
	    (is_per_device(file) && !device) || !control_read(dir, file->name, text, sizeof(text)))
		return;
	held = limit_file_parse(file, text, device);
	limits->value[row->limit] = as_policy_has_it(row, root->v2, held, limits);
}

void cgroup_limits_read(const struct cgroup_layout *layout, const struct cgroup *cgroup,
			const struct limit_device *device, struct limits *limits)
{
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		limits->value[i] = LIMIT_UNSET;
	for (size_t i = 0; i < LIMIT_ROW_COUNT; i++) {
		for (size_t r = 0; r < layout->root_count && r < cgroup->count; r++) {
			if (cgroup->dirs[r] >= 0 &&
			    layout->roots[r].controllers & 1U << limit_rows[i].controller)
				read_row(&limit_rows[i], &layout->roots[r], cgroup->dirs[r], device,
					 limits);
		}
	}
}

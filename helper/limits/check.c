/* helper/limits/check.c - say beforehand which limit this host cannot hold, and why. */
#include "helper/limits/check.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "helper/limits/control_file.h"
#include "helper/limits/layout_parse.h"
#include "helper/limits/table.h"

bool host_has_swap(void)
{
	char text[1024];

	/* The first line is the heading. */
	if (!control_read(AT_FDCWD, "/proc/swaps", text, sizeof(text)))
		return true;
	return text[strcspn(text, "\n")] != '\0' && text[strcspn(text, "\n") + 1] != '\0';
}

static const struct cgroup_root *root_of(const struct cgroup_layout *layout,
					 enum cgroup_controller controller)
{
	for (size_t i = 0; i < layout->root_count; i++)
		if (layout->roots[i].controllers & (1U << controller))
			return &layout->roots[i];
	return NULL;
}

static bool is_rate(enum limit_id limit)
{
	return limit == LIMIT_READ_RATE || limit == LIMIT_WRITE_RATE;
}

static bool check_row(const struct cgroup_layout *layout, const struct limits *limits,
		      const struct limit_row *row, bool is_pool, struct failure *why)
{
	const struct cgroup_root *root = root_of(layout, row->controller);
	const char *name = policy_limit_name(row->limit);

	if (!limit_is_set(limits, row->limit))
		return true;
	if (limits->value[row->limit] < row->least) {
		char least[32];

		policy_limit_format(row->limit, row->least, least, sizeof(least));
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "'%s' is less than the kernel can hold anyone to: %s is the least",
			    name, least);
	}
	if (!root)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "'%s' cannot be enforced: the cgroup controller '%s' is not available "
			    "in %s; see cgroup_disable= on the kernel's command line, Delegate= "
			    "of carrel.service, and that no process is in %s itself",
			    name, cgroup_controller_name(row->controller, true), layout->parent,
			    layout->parent);
	if (root->v2)
		return true;
	/* blk-throttle keeps every v1 cgroup's account apart from its parent's (throtl_pd_init). */
	if (is_pool && is_rate(row->limit))
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "'%s' of a pool cannot be enforced: cgroup v1 does not add up the "
			    "rates of containers; set it in the policies or use cgroup v2",
			    name);
	/* v1 bounds the sum of the two only. */
	if (row->limit == LIMIT_SWAP && !limit_is_set(limits, LIMIT_MEMORY) && host_has_swap())
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "'%s' cannot be enforced without '%s' on cgroup v1: set both", name,
			    policy_limit_name(LIMIT_MEMORY));
	return true;
}

bool limits_check_values(const struct cgroup_layout *layout, const struct limits *limits,
			 bool is_pool, struct failure *why)
{
	for (size_t i = 0; i < LIMIT_ROW_COUNT; i++)
		if (!check_row(layout, limits, &limit_rows[i], is_pool, why))
			return false;
	return true;
}

/* A controller may be there without a file: no CFS bandwidth, no throttling, no swap accounting. */
static bool check_files(const struct cgroup_layout *layout, const struct limits *limits,
			struct failure *why)
{
	for (size_t i = 0; i < LIMIT_ROW_COUNT; i++) {
		const struct limit_row *row = &limit_rows[i];
		const struct cgroup_root *root = root_of(layout, row->controller);
		const char *file;

		if (!root || !limit_is_set(limits, row->limit))
			continue;
		file = root->v2 ? row->v2.name : row->v1.name;
		if (!file || faccessat(root->dir, file, F_OK, 0) == 0)
			continue;
		if (row->limit == LIMIT_SWAP && !host_has_swap())
			continue;
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "'%s' cannot be enforced: this kernel has no %s in the cgroup "
			    "hierarchy %s%s",
			    policy_limit_name(row->limit), file, root->name,
			    row->limit == LIMIT_SWAP ? "; boot with swapaccount=1 or without swap"
						     : "");
	}
	return true;
}

bool limits_check(const struct cgroup_layout *layout, const struct limits *limits,
		  struct failure *why)
{
	return limits_check_values(layout, limits, false, why) && check_files(layout, limits, why);
}

bool limits_check_pool(const struct cgroup_layout *layout, const struct limits *limits,
		       struct failure *why)
{
	return limits_check_values(layout, limits, true, why) && check_files(layout, limits, why);
}

const char *limits_caveat(const struct cgroup_layout *layout, const struct limits *limits)
{
	const struct cgroup_root *io = root_of(layout, CGROUP_IO);

	/* Documentation/admin-guide/cgroup-v1/blkio-controller.rst: writeback is the root's. */
	if (io && !io->v2 && limit_is_set(limits, LIMIT_WRITE_RATE))
		return "write_rate holds direct and synchronous writes only: cgroup v1 counts "
		       "buffered writes as the host's; boot with cgroup v2 to hold them all";
	return NULL;
}

/* helper/limits/pool.c - make the cgroup of a pool and hold its containers together to its limits.
 */
#include "helper/limits/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "helper/limits/apply.h"
#include "helper/limits/cgroup_name.h"
#include "helper/limits/control_file.h"
#include "helper/limits/directory.h"
#include "helper/limits/layout.h"

/* The containers' directories are below this one and get files only for what is enabled in it. */
static bool enable_for_children(int dir, const struct cgroup_root *root, const char *pool,
				struct failure *why)
{
	unsigned wanted = 0;

	for (size_t i = 0; i < LIMIT_ROW_COUNT; i++)
		wanted |= 1U << limit_rows[i].controller;
	wanted &= root->controllers;
	if (!root->v2 || cgroup_enable_controllers(dir, wanted) == wanted)
		return true;
	/* "No internal processes": a cgroup with processes cannot share out memory, CPU or I/O. */
	return fail(why, errno == EBUSY ? FAILURE_BUSY : FAILURE_SYSTEM, errno,
		    "cannot enable the controllers below the cgroup of pool '%s'; if there are "
		    "processes in its cgroup.procs, end or move them",
		    pool);
}

static const struct limit_file *v1_quota(void)
{
	for (size_t i = 0; i < LIMIT_ROW_COUNT; i++)
		if (limit_rows[i].limit == LIMIT_CPU && limit_rows[i].v2.name)
			return &limit_rows[i].v1;
	return NULL;
}

static uint64_t read_quota(int dir)
{
	char text[LIMIT_TEXT_SIZE];

	if (!control_read(dir, v1_quota()->name, text, sizeof(text)))
		return LIMIT_UNLIMITED;
	return limit_file_parse(v1_quota(), text, NULL);
}

/*
 * v1 refuses a quota that is smaller than a child's (EINVAL). The children get theirs back, if the
 * pool grows again, when their limits are next written. Failures show when the pool's own is
 * written.
 */
static void lower_children(int pool, uint64_t quota)
{
	_cleanup_closedir_ DIR *listing = NULL;
	int dir = openat(pool, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[LIMIT_TEXT_SIZE];
	struct dirent *entry;

	listing = dir < 0 ? NULL : fdopendir(dir);
	if (!listing) {
		cleanup_close(&dir);
		return;
	}
	limit_file_format(v1_quota(), quota, NULL, text);
	while ((entry = readdir(listing))) {
		_cleanup_close_ int child = -1;
		uint64_t held;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		child = control_open_dir(pool, entry->d_name);
		held = child < 0 ? LIMIT_UNLIMITED : read_quota(child);
		if (held < LIMIT_UNLIMITED && held > quota)
			(void)file_write_at(child, v1_quota()->name, text);
	}
}

static void make_way_for_quota(int dir, const struct cgroup_root *root, const struct limits *limits)
{
	uint64_t quota = v1_quota()->value(limits);

	if (!root->v2 && (root->controllers & 1U << CGROUP_CPU) && quota < read_quota(dir))
		lower_children(dir, quota);
}

int cgroup_make_pool(const struct cgroup_root *root, const char *pool, const struct limits *limits,
		     const struct limit_device *device, struct failure *why)
{
	char name[CGROUP_NAME_SIZE];
	struct limit_target target = {.root = root, .name = pool};
	_cleanup_close_ int dir = -1;

	if (!cgroup_pool_directory(pool, name, why))
		return -1;
	dir = cgroup_make_directory(root->dir, name, &target.fresh, "pool", root, why);
	if (dir < 0)
		return -1;
	target.dir = dir;
	if (!target.fresh)
		make_way_for_quota(dir, root, limits);
	if (!limits_apply(&target, limits, device, LIMITS_ALL, why)) {
		failure_prefix(why, "pool");
		return -1;
	}
	return enable_for_children(dir, root, pool, why) ? take_fd(&dir) : -1;
}

struct limits cgroup_fit_into_pool(const struct cgroup_root *root, const struct limits *limits,
				   const struct limits *pool_limits)
{
	struct limits fitting = *limits;

	if (!root->v2 && pool_limits && limit_is_set(limits, LIMIT_CPU) &&
	    limit_is_set(pool_limits, LIMIT_CPU) &&
	    pool_limits->value[LIMIT_CPU] < limits->value[LIMIT_CPU])
		fitting.value[LIMIT_CPU] = pool_limits->value[LIMIT_CPU];
	return fitting;
}

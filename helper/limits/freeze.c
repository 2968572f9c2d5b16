/* helper/limits/freeze.c - hold every process of a container where it is, and let go again. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/files.h"
#include "helper/limits/control_file.h"
#include "helper/limits/limits.h"

/* Only a process in an uninterruptible sleep takes longer: it freezes when it wakes. */
#define PATIENCE_MS 5000

/* The directory that has the freezer's files, -1 when there is none. */
static int freezer_of(const struct cgroup_layout *layout, const struct cgroup *cgroup, bool *v2)
{
	for (size_t i = 0; i < layout->root_count && i < cgroup->count; i++) {
		if (!(layout->roots[i].controllers & 1U << CGROUP_FREEZER))
			continue;
		*v2 = layout->roots[i].v2;
		return cgroup->dirs[i];
	}
	return -1;
}

static bool is_frozen(int dir, bool v2)
{
	char state[256];

	if (!control_read(dir, v2 ? "cgroup.events" : "freezer.state", state, sizeof(state)))
		return false;
	return v2 ? strstr(state, "frozen 1") != NULL : strcmp(state, "FROZEN\n") == 0;
}

static bool set(int dir, bool v2, bool frozen)
{
	if (v2)
		return file_write_at(dir, "cgroup.freeze", frozen ? "1" : "0");
	return file_write_at(dir, "freezer.state", frozen ? "FROZEN" : "THAWED");
}

bool cgroup_freeze(const struct cgroup_layout *layout, const struct cgroup *cgroup,
		   struct failure *why)
{
	const struct timespec millisecond = {.tv_nsec = 1000000};
	bool v2 = false;
	int dir = freezer_of(layout, cgroup, &v2);

	if (dir < 0)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "cannot hold the container's processes: there is neither cgroup v2 nor "
			    "the v1 freezer; stop it first");
	if (!set(dir, v2, true))
		return fail(why, FAILURE_SYSTEM, errno, "cannot freeze the container's processes");
	for (int i = 0; i < PATIENCE_MS; i++) {
		if (is_frozen(dir, v2))
			return true;
		(void)nanosleep(&millisecond, NULL);
	}
	(void)set(dir, v2, false);
	return fail(why, FAILURE_BUSY, 0,
		    "one of the container's processes hangs in the kernel and cannot be held: try "
		    "again, or stop the container first");
}

bool cgroup_thaw(const struct cgroup_layout *layout, const struct cgroup *cgroup,
		 struct failure *why)
{
	bool v2 = false;
	int dir = freezer_of(layout, cgroup, &v2);

	return dir < 0 || set(dir, v2, false) ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot thaw the container's processes");
}

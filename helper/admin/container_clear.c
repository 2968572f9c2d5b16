/* helper/admin/container_clear.c - clear what a container that has ended left in /run and the
 * cgroups. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/containers.h"

#define LOCK_PATIENCE_MS 5000
#define BUSY_TRIES       40 /* of 50 ms: the last processes leave a moment after PID 1 */

static bool has_cgroup(const struct context *context, const char *name, const char *pool)
{
	struct cgroup cgroup;
	struct failure ignored;

	if (!context->has_layout ||
	    !cgroup_open(&context->layout, name, *pool ? pool : NULL, &cgroup, &ignored))
		return false;
	cgroup_close(&cgroup);
	return true;
}

bool container_has_traces(const struct context *context, const char *name, char pool[65])
{
	_cleanup_close_ int dir = dir_open_at(context->registry.run_containers, name, true);
	_cleanup_close_ int init = -1;
	struct running_record record;
	struct failure ignored;

	pool[0] = '\0';
	if (dir < 0 || !registry_running(&context->registry, name, &record, &init, &ignored) ||
	    init >= 0)
		return false;
	memcpy(pool, record.pool, sizeof(record.pool));
	return record.pid > 0 || faccessat(dir, "control", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       has_cgroup(context, name, pool);
}

void container_kill(const struct context *context, const char *name, const char *pool)
{
	struct cgroup cgroup;
	struct failure ignored;

	if (!cgroup_open(&context->layout, name, *pool ? pool : NULL, &cgroup, &ignored))
		return;
	(void)cgroup_kill(&context->layout, &cgroup, &ignored);
	cgroup_close(&cgroup);
}

static bool remove_cgroup(const struct context *context, const char *name, const char *pool,
			  struct failure *why)
{
	const struct timespec pause = {.tv_nsec = 50000000};

	for (int i = 0; context->has_layout; i++) {
		if (cgroup_remove(&context->layout, name, *pool ? pool : NULL, why))
			return true;
		if (why->kind != FAILURE_BUSY || i == 2 * BUSY_TRIES)
			return false;
		if (i == BUSY_TRIES)
			container_kill(context, name, pool);
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

bool container_clear(const struct context *context, const char *name, bool dry_run, bool *cleared,
		     struct failure *why)
{
	_cleanup_close_ int lock = -1;
	char pool[65];

	*cleared = container_has_traces(context, name, pool);
	if (!*cleared || dry_run)
		return true;
	lock = registry_lock(&context->registry, name, LOCK_PATIENCE_MS, why);
	if (lock < 0)
		return false;
	/* Again under the lock: a login may have started it meanwhile, and then nothing is ours. */
	*cleared = container_has_traces(context, name, pool);
	if (!*cleared)
		return true;
	if (!remove_cgroup(context, name, pool, why))
		return false;
	registry_clear_runtime(&context->registry, name);
	return true;
}

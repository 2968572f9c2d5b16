/* helper/limits/cgroup.c - make, open and remove the cgroups of a container. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "helper/limits/apply.h"
#include "helper/limits/cgroup_name.h"
#include "helper/limits/check.h"
#include "helper/limits/control_file.h"
#include "helper/limits/device.h"
#include "helper/limits/directory.h"
#include "helper/limits/limits.h"
#include "helper/limits/pool.h"
#include "helper/limits/session_cgroup.h"

/* Exiting processes leave their cgroup a moment after they can no longer be seen. */
#define REMOVE_PATIENCE_MS 50

/* How often to start again because somebody removed the empty pool under our hands. */
#define CREATE_ATTEMPTS 3

int cgroup_make_directory(int parent, const char *name, bool *fresh, const char *what,
			  const struct cgroup_root *root, struct failure *why)
{
	int dir;

	*fresh = mkdirat(parent, name, 0755) == 0;
	if (!*fresh && errno != EEXIST)
		return fail_fd(why, FAILURE_SYSTEM, errno,
			       "cannot make the %s's cgroup '%s' (hierarchy %s)", what, name,
			       root->name);
	dir = control_open_dir(parent, name);
	if (dir < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno,
			       "cannot open the %s's cgroup '%s' (hierarchy %s)", what, name,
			       root->name);
	return dir;
}

int cgroup_open_above(const struct cgroup_root *root, const char *pool)
{
	char directory[CGROUP_NAME_SIZE];
	struct failure why;

	if (!pool)
		return fcntl(root->dir, F_DUPFD_CLOEXEC, 0);
	if (!cgroup_pool_directory(pool, directory, &why)) {
		errno = EINVAL;
		return -1;
	}
	return control_open_dir(root->dir, directory);
}

/* What cgroup_create or cgroup_begin was asked for. */
struct order {
	enum limits_part part;
	const char *name;
	char directory[CGROUP_NAME_SIZE];
	const char *pool;
	const struct limits *limits, *pool_limits;
	const struct limit_device *device; /* NULL: no rate is set */
};

static int create_in(const struct cgroup_root *root, const struct order *order, bool *fresh,
		     struct failure *why)
{
	struct limits limits = cgroup_fit_into_pool(root, order->limits, order->pool_limits);
	struct limit_target target = {.root = root, .name = order->name};
	_cleanup_close_ int above = -1;
	_cleanup_close_ int dir = -1;

	if (order->pool) {
		above = cgroup_make_pool(root, order->pool, order->pool_limits, order->device, why);
		if (above < 0)
			return -1;
	}
	dir = cgroup_make_directory(order->pool ? above : root->dir, order->directory, fresh,
				    "container", root, why);
	if (dir < 0)
		return -1;
	target.dir = dir;
	target.fresh = *fresh;
	return limits_apply(&target, &limits, order->device, order->part, why) ? take_fd(&dir) : -1;
}

/* Take back what this call made, and the pool if that leaves it empty. */
static void undo(const struct cgroup_layout *layout, const struct order *order,
		 const bool fresh[CGROUP_MAX_ROOTS])
{
	char pool[CGROUP_NAME_SIZE];
	struct failure ignored;

	for (size_t i = 0; i < layout->root_count; i++) {
		_cleanup_close_ int above = cgroup_open_above(&layout->roots[i], order->pool);

		if (fresh[i] && above >= 0)
			(void)unlinkat(above, order->directory, AT_REMOVEDIR);
		if (order->pool && cgroup_pool_directory(order->pool, pool, &ignored))
			(void)unlinkat(layout->roots[i].dir, pool, AT_REMOVEDIR);
	}
}

static bool create_once(const struct cgroup_layout *layout, const struct order *order,
			struct cgroup *cgroup, struct failure *why)
{
	bool fresh[CGROUP_MAX_ROOTS] = {false};

	for (cgroup->count = 0; cgroup->count < layout->root_count; cgroup->count++) {
		size_t i = cgroup->count;

		cgroup->dirs[i] = create_in(&layout->roots[i], order, &fresh[i], why);
		if (cgroup->dirs[i] < 0) {
			cgroup_close(cgroup);
			undo(layout, order, fresh);
			return false;
		}
	}
	return true;
}

static bool wants_rate(const struct limits *limits)
{
	return limits &&
	       (limit_is_set(limits, LIMIT_READ_RATE) || limit_is_set(limits, LIMIT_WRITE_RATE));
}

/* Another login that removes the last other container of the pool takes the pool away as well. */
static bool lost_its_pool(const struct order *order, const struct failure *why)
{
	return order->pool && why->kind == FAILURE_SYSTEM &&
	       (why->error == ENOENT || why->error == ENODEV);
}

static bool create(enum limits_part part, const struct cgroup_layout *layout, const char *name,
		   const struct limits *limits, const char *pool, const struct limits *pool_limits,
		   int device, struct cgroup *cgroup, struct failure *why)
{
	struct limits unlimited;
	struct limit_device disk;
	struct order order = {.part = part, .name = name, .pool = pool, .limits = limits};

	for (size_t i = 0; i < LIMIT_COUNT; i++)
		unlimited.value[i] = LIMIT_UNSET;
	if (pool)
		order.pool_limits = pool_limits ? pool_limits : &unlimited;
	cgroup->count = 0;
	if (!cgroup_container_directory(name, order.directory, why) ||
	    !limits_check_values(layout, limits, false, why) ||
	    (pool && !limits_check_values(layout, order.pool_limits, true, why)))
		return false;
	if (wants_rate(limits) || wants_rate(order.pool_limits)) {
		if (!device_of_disk(device, &disk, why))
			return false;
		order.device = &disk;
	}
	for (int attempt = 1; !create_once(layout, &order, cgroup, why); attempt++)
		if (attempt == CREATE_ATTEMPTS || !lost_its_pool(&order, why))
			return false;
	return true;
}

bool cgroup_create(const struct cgroup_layout *layout, const char *name,
		   const struct limits *limits, const char *pool, const struct limits *pool_limits,
		   int device, struct cgroup *cgroup, struct failure *why)
{
	return create(LIMITS_ALL, layout, name, limits, pool, pool_limits, device, cgroup, why);
}

bool cgroup_begin(const struct cgroup_layout *layout, const char *name, const struct limits *limits,
		  const char *pool, const struct limits *pool_limits, int device,
		  struct cgroup *cgroup, struct failure *why)
{
	return create(LIMITS_QUICK, layout, name, limits, pool, pool_limits, device, cgroup, why);
}

bool cgroup_complete(const struct cgroup_layout *layout, const struct cgroup *cgroup,
		     const char *name, const struct limits *limits,
		     const struct limits *pool_limits, struct failure *why)
{
	for (size_t i = 0; i < layout->root_count && i < cgroup->count; i++) {
		const struct cgroup_root *root = &layout->roots[i];
		const struct limits fitting = cgroup_fit_into_pool(root, limits, pool_limits);
		const struct limit_target target = {
		    .dir = cgroup->dirs[i], .root = root, .name = name};

		if (!limits_apply(&target, &fitting, NULL, LIMITS_SLOW, why))
			return false;
	}
	return true;
}

static int open_in(const struct cgroup_root *root, const char *pool, const char *directory)
{
	_cleanup_close_ int above = pool ? cgroup_open_above(root, pool) : -1;

	if (pool && above < 0)
		return -1;
	return control_open_dir(pool ? above : root->dir, directory);
}

bool cgroup_open(const struct cgroup_layout *layout, const char *name, const char *pool,
		 struct cgroup *cgroup, struct failure *why)
{
	char directory[CGROUP_NAME_SIZE];
	bool found = false;

	cgroup->count = 0;
	if (!cgroup_container_directory(name, directory, why))
		return false;
	for (; cgroup->count < layout->root_count; cgroup->count++) {
		const struct cgroup_root *root = &layout->roots[cgroup->count];
		int dir = open_in(root, pool, directory);

		if (dir < 0 && errno != ENOENT) {
			cgroup_close(cgroup);
			return fail(why, FAILURE_SYSTEM, errno,
				    "cannot open the cgroup of '%s' (hierarchy %s)", name,
				    root->name);
		}
		cgroup->dirs[cgroup->count] = dir;
		found |= dir >= 0;
	}
	return found || fail(why, FAILURE_MISSING, 0, "there is no cgroup of '%s'", name);
}

void cgroup_close(struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->count; i++) {
		cleanup_close(&cgroup->dirs[i]);
		cgroup->dirs[i] = -1;
	}
	cgroup->count = 0;
}

static void sweep_sessions(int above, const char *directory)
{
	_cleanup_close_ int dir = control_open_dir(above, directory);

	if (dir >= 0)
		session_cgroups_sweep(dir);
}

static bool remove_directory(int above, const char *directory, unsigned *patience_ms)
{
	const struct timespec millisecond = {.tv_nsec = 1000000};

	while (unlinkat(above, directory, AT_REMOVEDIR) < 0) {
		if (errno == ENOENT)
			return true;
		if (errno != EBUSY || *patience_ms == 0)
			return false;
		(*patience_ms)--;
		sweep_sessions(above, directory);
		(void)nanosleep(&millisecond, NULL);
	}
	return true;
}

bool cgroup_remove(const struct cgroup_layout *layout, const char *name, const char *pool,
		   struct failure *why)
{
	char directory[CGROUP_NAME_SIZE], pool_directory[CGROUP_NAME_SIZE];
	unsigned patience_ms = REMOVE_PATIENCE_MS;

	if (!cgroup_container_directory(name, directory, why) ||
	    (pool && !cgroup_pool_directory(pool, pool_directory, why)))
		return false;
	for (size_t i = 0; i < layout->root_count; i++) {
		const struct cgroup_root *root = &layout->roots[i];
		_cleanup_close_ int above = cgroup_open_above(root, pool);

		if (above < 0 && errno == ENOENT)
			continue;
		if (above < 0 || !remove_directory(above, directory, &patience_ms))
			return fail(why, errno == EBUSY ? FAILURE_BUSY : FAILURE_SYSTEM, errno,
				    "cannot remove the cgroup of '%s' (hierarchy %s)", name,
				    root->name);
		/* Not while other containers are in it (EBUSY). */
		if (pool)
			(void)unlinkat(root->dir, pool_directory, AT_REMOVEDIR);
	}
	return true;
}

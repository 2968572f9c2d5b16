/* helper/admin/quota_apply.c - bring a running container to the limits of today's policy files. */
#include "helper/admin/quota_apply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/admin/containers.h"
#include "helper/admin/quota_stopped.h"
#include "helper/admin/table.h"
#include "helper/limits/device.h"
#include "helper/limits/usage_limits.h"
#include "helper/storage/storage.h"

#define LOCK_PATIENCE_MS 5000

/* What the steps of one container have in common. */
struct applying {
	const struct context *context;
	const char *name;
	struct running_record record;
	const struct policy *policy;
	const struct pool *pool; /* in whose cgroup it is, or NULL */
	int place;               /* its folder in state_dir: on the disk that the rates are for */
	struct limit_device disk;
	bool has_disk;
};

void quota_changes(const struct limits *from, const struct limits *to, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (int id = 0; id < LIMIT_COUNT; id++) {
		uint64_t before = from->value[id], after = to->value[id];
		char old[32], new[32];

		if (before == LIMIT_UNSET || after == LIMIT_UNSET || before == after ||
		    used + 1 >= size)
			continue;
		policy_limit_format((enum limit_id)id, before, old, sizeof(old));
		policy_limit_format((enum limit_id)id, after, new, sizeof(new));
		used += (size_t)snprintf(out + used, size - used, "%s%s %s -> %s", used ? ", " : "",
					 policy_limit_name((enum limit_id)id), old, new);
	}
}

static const struct pool *pool_by_name(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->pool_count; i++)
		if (strcmp(config->pools[i].name, name) == 0)
			return &config->pools[i];
	return NULL;
}

static bool find_policy(struct applying *it, struct failure *why)
{
	const struct config *config = it->context->config;

	it->policy = policy_by_name(config, it->record.policy);
	if (!it->policy)
		return fail(why, FAILURE_POLICY, 0,
			    "its policy \"%s\" is not in the policy files any more: it keeps its "
			    "limits until its next start",
			    it->record.policy);
	if (!*it->record.pool)
		return true;
	it->pool = pool_by_name(config, it->record.pool);
	return it->pool || fail(why, FAILURE_POLICY, 0,
				"its pool \"%s\" is not in the policy files any more: it keeps its "
				"limits until its next start",
				it->record.pool);
}

/* Memory that cannot be taken from its processes: without what only caches files. */
static uint64_t memory_needed(const struct applying *it, const struct cgroup *cgroup)
{
	struct cgroup_usage usage;
	uint64_t cache;

	cgroup_usage_read(&it->context->layout, cgroup, &usage);
	if (usage.memory_bytes == UINT64_MAX)
		return 0;
	cache = cgroup_file_cache(&it->context->layout, cgroup);
	return cache < usage.memory_bytes ? usage.memory_bytes - cache : 0;
}

static bool check_use(const struct applying *it, const struct cgroup *cgroup,
		      const struct limits *held, struct failure *why)
{
	uint64_t limit = it->policy->limits.value[LIMIT_MEMORY], needed;
	char has[16], may[32];

	if (limit >= LIMIT_UNLIMITED || limit >= held->value[LIMIT_MEMORY])
		return true;
	needed = memory_needed(it, cgroup);
	if (needed <= limit)
		return true;
	format_bytes(needed, has);
	policy_limit_format(LIMIT_MEMORY, limit, may, sizeof(may));
	return fail(why, FAILURE_BUSY, 0,
		    "its processes use %s of memory, more than the %s of policy \"%s\": nothing is "
		    "changed, since the kernel would have to kill some of them",
		    has, may, it->policy->name);
}

static bool apply_disk(const struct applying *it, struct failure *why)
{
	const struct context *context = it->context;

	return storage_check(context->config, it->policy, why) &&
	       storage_apply(&context->registry, it->name, context->config, it->policy, why);
}

static bool write_limits(const struct applying *it, struct failure *why)
{
	struct cgroup written;

	if (!cgroup_create(&it->context->layout, it->name, &it->policy->limits,
			   it->pool ? it->pool->name : NULL, it->pool ? &it->pool->limits : NULL,
			   it->place, &written, why))
		return false;
	cgroup_close(&written);
	return true;
}

static bool apply_limits(const struct applying *it, char *changes, size_t size, struct failure *why)
{
	const struct cgroup_layout *layout = &it->context->layout;
	const struct limit_device *disk = it->has_disk ? &it->disk : NULL;
	struct limits before, after;
	struct cgroup cgroup;
	bool applied;

	if (!limits_check(layout, &it->policy->limits, why) ||
	    (it->pool && !limits_check_pool(layout, &it->pool->limits, why)) ||
	    !cgroup_open(layout, it->name, it->pool ? it->pool->name : NULL, &cgroup, why))
		return false;
	cgroup_limits_read(layout, &cgroup, disk, &before);
	/* What may be refused for its numbers comes first: nothing has changed then. */
	applied =
	    check_use(it, &cgroup, &before, why) && apply_disk(it, why) && write_limits(it, why);
	cgroup_limits_read(layout, &cgroup, disk, &after);
	cgroup_close(&cgroup);
	if (applied)
		quota_changes(&before, &after, changes, size);
	return applied;
}

/* What PID 1 itself holds to. It tells how large its disk is. */
static bool tell_init(const struct applying *it, struct storage_usage *disk, struct failure *why)
{
	uint64_t idle = it->policy->time.idle_seconds;
	uint64_t sessions = it->policy->limits.value[LIMIT_SESSIONS];
	const struct control_request request = {
	    .version = CONTROL_VERSION,
	    .verb = CONTROL_SETTINGS,
	    .stop_seconds = (uint32_t)it->policy->time.stop_seconds,
	    .session_limit = sessions >= LIMIT_UNLIMITED ? 0 : (uint32_t)sessions,
	    .idle_seconds = idle == TIME_UNSET || idle == TIME_NEVER ? UINT64_MAX : idle,
	};
	struct control_answer answer;

	if (!control_call(&it->context->registry, it->name, &request, &answer, NULL, NULL, why))
		return false;
	*disk = answer.disk;
	return true;
}

static void add_disk(const char *key, uint64_t before, uint64_t after, bool bytes, char *changes,
		     size_t size)
{
	size_t used = strlen(changes);
	char old[24], new[24];

	if (before == after || before == UINT64_MAX || after == UINT64_MAX)
		return;
	if (bytes) {
		format_bytes(before, old);
		format_bytes(after, new);
	} else {
		(void)snprintf(old, sizeof(old), "%" PRIu64, before);
		(void)snprintf(new, sizeof(new), "%" PRIu64, after);
	}
	(void)snprintf(changes + used, size - used, "%s%s %s -> %s", used ? ", " : "", key, old,
		       new);
}

/* The room that the inside sees now, and saw before. */
static bool tell_disk(const struct applying *it, const struct storage_usage *before, char *changes,
		      size_t size, struct failure *why)
{
	struct storage_usage after;

	if (!tell_init(it, &after, why))
		return false;
	add_disk("disk", before->disk_limit_bytes, after.disk_limit_bytes, true, changes, size);
	add_disk("inodes", before->inode_limit, after.inode_limit, false, changes, size);
	return true;
}

bool quota_apply(const struct context *context, const char *name, char *changes, size_t size,
		 struct failure *why)
{
	struct applying it = {.context = context, .name = name, .place = -1};
	_cleanup_close_ int lock = registry_lock(&context->registry, name, LOCK_PATIENCE_MS, why);
	_cleanup_close_ int init = -1, place = -1;
	struct storage_usage disk;
	struct failure no_disk;

	if (lock < 0 || !registry_running(&context->registry, name, &it.record, &init, why))
		return false;
	if (init < 0)
		return quota_apply_stopped(context, name, changes, size, why);
	if (!context->has_layout) {
		*why = context->layout_trouble;
		return false;
	}
	it.place = place = registry_state_dir(&context->registry, name, false, why);
	if (place < 0 || !find_policy(&it, why))
		return false;
	it.has_disk = device_of_disk(place, &it.disk, &no_disk);
	if (!tell_init(&it, &disk, why) || !apply_limits(&it, changes, size, why))
		return false;
	return tell_disk(&it, &disk, changes, size, why);
}

/* helper/admin/container_info.c - gather what the records, PID 1 and the kernel know of a
 * container. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/admin/container_parts.h"
#include "helper/admin/containers.h"
#include "helper/admin/expire.h"
#include "helper/limits/usage_limits.h"

static void ask_init(const struct context *context, struct container_info *info)
{
	const struct control_request request = {.version = CONTROL_VERSION, .verb = CONTROL_STATUS};
	struct control_answer answer;
	struct failure ignored;

	info->sessions = calloc(CONTROL_SESSIONS_MAX, sizeof(*info->sessions));
	if (!info->sessions || !control_call(&context->registry, info->name, &request, &answer,
					     info->sessions, &info->session_room, &ignored))
		return;
	container_answered(info, &answer);
	for (size_t i = 0; i < info->session_room; i++) {
		struct control_session *session = &info->sessions[i];

		session->user[sizeof(session->user) - 1] = '\0';
		session->service[sizeof(session->service) - 1] = '\0';
		session->tty[sizeof(session->tty) - 1] = '\0';
		session->rhost[sizeof(session->rhost) - 1] = '\0';
	}
}

void container_answered(struct container_info *info, const struct control_answer *answer)
{
	info->answers = true;
	info->stopping = answer->result == CONTROL_STOPPING;
	info->session_count = answer->session_count;
	info->idle_since = answer->idle_since;
	info->disk = answer->disk;
	info->cpu_day_left_microseconds = answer->cpu_day_left_microseconds;
}

void container_read_usage(const struct context *context, struct container_info *info,
			  enum container_detail detail)
{
	const char *pool = *info->running.pool ? info->running.pool : NULL;
	struct cgroup cgroup;
	struct failure ignored;

	if (context->has_layout && detail == DETAIL_LIST)
		cgroup_usage_glance(&context->layout, info->name, pool, &info->usage);
	if (!context->has_layout || detail == DETAIL_LIST ||
	    !cgroup_open(&context->layout, info->name, pool, &cgroup, &ignored))
		return;
	cgroup_usage_read(&context->layout, &cgroup, &info->usage);
	cgroup_limits_read(&context->layout, &cgroup, NULL, &info->held);
	cgroup_close(&cgroup);
}

/* What PID 1 has not told. One that is damaged shows nothing. */
void container_read_disk(const struct context *context, struct container_info *info)
{
	struct failure ignored;

	if (info->disk.disk_bytes == UINT64_MAX)
		(void)storage_usage_stored(&context->registry, info->name, context->config,
					   &info->stored, info->runs, &info->disk, &ignored);
}

void container_unknown(const char *name, struct container_info *info)
{
	memset(info, 0, sizeof(*info));
	info->name = name;
	info->init = -1;
	memset(&info->usage, 0xff, sizeof(info->usage)); /* UINT64_MAX: unknown */
	memset(&info->held, 0xff, sizeof(info->held));   /* LIMIT_UNSET */
	storage_usage_clear(&info->disk);
	info->cpu_day_left_microseconds = info->expires_at = UINT64_MAX;
}

static uint64_t expiry_of(const struct context *context, const struct container_info *info)
{
	const struct policy *policy = policy_by_name(context->config, info->stored.policy);
	uint64_t expire = policy ? policy->time.expire_seconds : TIME_NEVER;

	if (info->runs || expire == TIME_UNSET || expire == TIME_NEVER ||
	    info->stored.last_used_at == 0)
		return UINT64_MAX;
	return info->stored.last_used_at + expire + expire_grace(expire);
}

bool container_read_stored(const struct context *context, struct container_info *info,
			   struct failure *why)
{
	const struct limits *limits;

	if (!registry_stored(&context->registry, info->name, &info->stored, why))
		return false;
	if (!info->runs && info->stored.version == 0)
		return fail(why, FAILURE_MISSING, 0, "there is no container of that name");
	limits = limits_of_policy(context->config, container_policy(info));
	info->expires_at = expiry_of(context, info);
	info->memory_limit = limits ? limits->value[LIMIT_MEMORY] : LIMIT_UNSET;
	return true;
}

static bool read_records(const struct context *context, struct container_info *info,
			 struct failure *why)
{
	if (!name_is_valid(info->name))
		return fail(why, FAILURE_MISSING, 0, "there is no container of that name");
	if (!registry_running(&context->registry, info->name, &info->running, &info->init, why))
		return false;
	info->runs = info->init >= 0;
	return container_read_stored(context, info, why);
}

bool container_info_load(const struct context *context, const char *name,
			 struct container_info *info, struct failure *why)
{
	container_unknown(name, info);
	if (!read_records(context, info, why)) {
		container_info_close(info);
		return false;
	}
	if (info->runs) {
		info->frozen = registry_is_frozen(&context->registry, name);
		if (!info->frozen)
			ask_init(context, info);
		container_read_usage(context, info, DETAIL_ALL);
	}
	container_read_disk(context, info);
	return true;
}

void container_info_close(struct container_info *info)
{
	cleanup_close(&info->init);
	info->init = -1;
	free(take_ptr(info->sessions));
	info->session_room = 0;
}

const char *container_state(const struct container_info *info)
{
	if (!info->runs)
		return "stopped";
	if (info->frozen)
		return "frozen";
	if (!info->answers)
		return "no answer";
	return info->stopping ? "stopping" : "running";
}

const char *container_user(const struct container_info *info)
{
	return info->stored.version ? info->stored.user : info->running.user;
}

const char *container_policy(const struct container_info *info)
{
	return info->runs ? info->running.policy : info->stored.policy;
}

const char *container_image(const struct container_info *info)
{
	return info->runs ? info->running.image : info->stored.image;
}

static void copy_sessions(const struct container_info *info, struct container_status *status)
{
	for (size_t i = 0; i < info->session_room && i < STATUS_SESSIONS_MAX; i++) {
		const struct control_session *from = &info->sessions[i];
		struct status_session *to = &status->sessions[status->session_room++];

		to->since = from->since;
		to->left_seconds = from->left_seconds;
		(void)snprintf(to->user, sizeof(to->user), "%.64s", from->user);
		(void)snprintf(to->service, sizeof(to->service), "%.64s", from->service);
		(void)snprintf(to->tty, sizeof(to->tty), "%.64s", from->tty);
		(void)snprintf(to->rhost, sizeof(to->rhost), "%.64s", from->rhost);
	}
}

void container_info_status(const struct context *context, const struct container_info *info,
			   struct container_status *status)
{
	const struct policy *policy = policy_by_name(context->config, container_policy(info));

	status_clear(status);
	(void)snprintf(status->name, sizeof(status->name), "%.64s", info->name);
	(void)snprintf(status->policy, sizeof(status->policy), "%s", container_policy(info));
	(void)snprintf(status->image, sizeof(status->image), "%s", container_image(info));
	(void)snprintf(status->state, sizeof(status->state), "%s", container_state(info));
	status->disk = info->disk;
	status->in = info->usage;
	if (policy) {
		status->session_limit = policy->limits.value[LIMIT_SESSIONS];
		status->held = policy->limits; /* at its next start */
		if (policy->time.idle_seconds < TIME_NEVER)
			status->idle_seconds = policy->time.idle_seconds;
	}
	if (!info->runs)
		return;
	status->held = info->held;
	status->started_at = info->running.started_at;
	status->session_count = info->answers ? info->session_count : UINT64_MAX;
	status->cpu_day_left_microseconds = info->cpu_day_left_microseconds;
	copy_sessions(info, status);
}

void json_known(struct json *json, const char *key, uint64_t value)
{
	if (value >= LIMIT_UNLIMITED)
		json_string(json, key, NULL);
	else
		json_number(json, key, value);
}

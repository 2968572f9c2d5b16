/* helper/admin/container_info.c - gather what the records, PID 1 and the kernel know of a
 * container. */
#include <string.h>
#include <unistd.h>

#include "helper/admin/containers.h"

static void ask_init(const struct context *context, struct container_info *info)
{
	const struct control_request request = {.version = CONTROL_VERSION, .verb = CONTROL_STATUS};
	struct control_answer answer;
	struct failure ignored;

	info->answers = control_call(&context->registry, info->name, &request, &answer,
				     info->sessions, &info->session_room, &ignored);
	if (!info->answers)
		return;
	info->stopping = answer.result == CONTROL_STOPPING;
	info->session_count = answer.session_count;
	info->idle_since = answer.idle_since;
	for (size_t i = 0; i < info->session_room; i++) {
		struct control_session *session = &info->sessions[i];

		session->user[sizeof(session->user) - 1] = '\0';
		session->service[sizeof(session->service) - 1] = '\0';
		session->tty[sizeof(session->tty) - 1] = '\0';
		session->rhost[sizeof(session->rhost) - 1] = '\0';
	}
}

static void read_usage(const struct context *context, struct container_info *info)
{
	const char *pool = *info->running.pool ? info->running.pool : NULL;
	struct cgroup cgroup;
	struct failure ignored;

	memset(&info->usage, 0xff, sizeof(info->usage)); /* UINT64_MAX: unknown */
	if (!context->has_layout ||
	    !cgroup_open(&context->layout, info->name, pool, &cgroup, &ignored))
		return;
	cgroup_usage_read(&context->layout, &cgroup, &info->usage);
	cgroup_close(&cgroup);
}

bool container_info_load(const struct context *context, const char *name,
			 struct container_info *info, struct failure *why)
{
	const struct limits *limits;

	memset(info, 0, sizeof(*info));
	info->name = name;
	info->init = -1;
	memset(&info->usage, 0xff, sizeof(info->usage));
	if (!name_is_valid(name))
		return fail(why, FAILURE_MISSING, 0, "there is no container of that name");
	if (!registry_running(&context->registry, name, &info->running, &info->init, why) ||
	    !registry_stored(&context->registry, name, &info->stored, why)) {
		container_info_close(info);
		return false;
	}
	if (info->init < 0 && info->stored.version == 0)
		return fail(why, FAILURE_MISSING, 0, "there is no container of that name");
	if (info->init >= 0) {
		ask_init(context, info);
		read_usage(context, info);
	}
	limits = limits_of_policy(context->config, container_policy(info));
	info->memory_limit = limits ? limits->value[LIMIT_MEMORY] : LIMIT_UNSET;
	return true;
}

void container_info_close(struct container_info *info)
{
	cleanup_close(&info->init);
	info->init = -1;
}

const char *container_state(const struct container_info *info)
{
	if (info->init < 0)
		return "stopped";
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
	return info->init >= 0 ? info->running.policy : info->stored.policy;
}

const char *container_image(const struct container_info *info)
{
	return info->init >= 0 ? info->running.image : info->stored.image;
}

void json_known(struct json *json, const char *key, uint64_t value)
{
	if (value >= LIMIT_UNLIMITED)
		json_string(json, key, NULL);
	else
		json_number(json, key, value);
}

/* helper/admin/show.c - `carrel show`: everything that is known about one container. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "helper/admin/commands.h"
#include "helper/admin/containers.h"
#include "helper/admin/explain.h"
#include "helper/admin/table.h"

static void line(const char *key, const char *value)
{
	char safe[1200];

	text_make_safe(value, safe, sizeof(safe));
	(void)printf("%-19s %s\n", key, *safe ? safe : "-");
}

static void line_time(const char *key, uint64_t when)
{
	char text[32];

	format_time(when, text);
	line(key, text);
}

static void line_bytes(const char *key, uint64_t bytes)
{
	char text[16];

	format_bytes(bytes, text);
	line(key, text);
}

static void line_number(const char *key, uint64_t value)
{
	if (value == UINT64_MAX)
		line(key, "-");
	else
		(void)printf("%-19s %" PRIu64 "\n", key, value);
}

static void line_clock(const char *key, uint64_t seconds)
{
	char text[32];

	format_clock(seconds, text);
	line(key, text);
}

static void print_usage(const struct cgroup_usage *usage)
{
	line_number("processes", usage->pids);
	line_clock("cpu time", usage->cpu_microseconds == UINT64_MAX
				   ? UINT64_MAX
				   : usage->cpu_microseconds / 1000000);
	line_bytes("memory", usage->memory_bytes);
	line_bytes("memory peak", usage->memory_peak_bytes);
	line_bytes("swap", usage->swap_bytes);
	line_bytes("read", usage->read_bytes);
	line_bytes("written", usage->written_bytes);
	line_number("memory kills", usage->memory_kills);
	line_number("pids refused", usage->pids_refusals);
}

static void print_running(const struct container_info *info)
{
	line("hostname", info->running.hostname);
	line("pool", info->running.pool);
	line_number("pid of init", (uint64_t)info->running.pid);
	line_number("id block", info->running.block);
	line_time("started", info->running.started_at);
	if (info->answers && info->session_count == 0)
		line_time("idle since", info->idle_since);
	print_usage(&info->usage);
	if (info->cpu_day_left_microseconds != UINT64_MAX)
		line_clock("cpu left today", info->cpu_day_left_microseconds / 1000000);
}

static void print_limits(const struct context *context, const struct container_info *info)
{
	const struct policy *policy = policy_by_name(context->config, container_policy(info));
	char key[64], text[64];

	if (!policy) {
		line("limits", "its policy is not in the policy files any more");
		return;
	}
	for (int id = 0; id < LIMIT_COUNT; id++) {
		if (policy->limits.value[id] == LIMIT_UNSET)
			continue;
		policy_limit_format((enum limit_id)id, policy->limits.value[id], text,
				    sizeof(text));
		(void)snprintf(key, sizeof(key), "limit %s", policy_limit_name((enum limit_id)id));
		line(key, text);
	}
	policy_duration_format(policy->time.idle_seconds, text);
	line("ends when idle", text);
}

static bool print_sessions(const struct container_info *info)
{
	static const struct table_column columns[] = {
	    {"SESSION", true}, {"USER", false},  {"SERVICE", false}, {"TTY", false},
	    {"FROM", false},   {"SINCE", false}, {"LEFT", true},     {"PID", true}};
	struct table table;
	bool printed;

	if (info->session_room == 0)
		return true;
	(void)putchar('\n');
	table_init(&table, columns, ARRAY_LENGTH(columns));
	for (size_t i = 0; i < info->session_room; i++) {
		const struct control_session *session = &info->sessions[i];
		char id[16], pid[16], since[32], left[32];

		(void)snprintf(id, sizeof(id), "%u", session->id);
		(void)snprintf(pid, sizeof(pid), "%d", session->pid);
		format_time(session->since, since);
		format_clock(session->left_seconds, left);
		table_add(&table, (const char *const[]){id, session->user, session->service,
							*session->tty ? session->tty : NULL,
							*session->rhost ? session->rhost : NULL,
							since, left, pid});
	}
	printed = table_print(&table, stdout, true);
	table_free(&table);
	if (info->session_count > info->session_room)
		(void)printf("and %zu more\n", info->session_count - info->session_room);
	return printed;
}

static int print_text(const struct context *context, const struct container_info *info)
{
	line("name", info->name);
	line("user", container_user(info));
	line("policy", container_policy(info));
	line("image", container_image(info));
	line("state", container_state(info));
	line_time("created", info->stored.created_at);
	line_time("last used", info->stored.last_used_at);
	if (info->expires_at != UINT64_MAX)
		line_time("data expires", info->expires_at);
	line("storage", info->stored.storage);
	if (info->init >= 0)
		print_running(info);
	print_limits(context, info);
	if (!print_sessions(info))
		return complain("out of memory");
	return output_status(STATUS_OK);
}

static void write_usage(struct json *json, const struct cgroup_usage *usage)
{
	json_object_begin(json, "usage");
	json_known(json, "processes", usage->pids);
	json_known(json, "cpu_microseconds", usage->cpu_microseconds);
	json_known(json, "memory_bytes", usage->memory_bytes);
	json_known(json, "memory_peak_bytes", usage->memory_peak_bytes);
	json_known(json, "swap_bytes", usage->swap_bytes);
	json_known(json, "read_bytes", usage->read_bytes);
	json_known(json, "written_bytes", usage->written_bytes);
	json_known(json, "memory_kills", usage->memory_kills);
	json_known(json, "pids_refusals", usage->pids_refusals);
	json_object_end(json);
}

static void write_running(struct json *json, const struct container_info *info)
{
	json_string(json, "hostname", info->running.hostname);
	json_string(json, "pool", *info->running.pool ? info->running.pool : NULL);
	json_number(json, "pid", (uint64_t)info->running.pid);
	json_number(json, "id_block", info->running.block);
	json_number(json, "started_at", info->running.started_at);
	json_known(json, "idle_since", info->idle_since ? info->idle_since : UINT64_MAX);
	json_known(json, "cpu_day_left_microseconds", info->cpu_day_left_microseconds);
	write_usage(json, &info->usage);
}

static void write_limits(struct json *json, const struct context *context,
			 const struct container_info *info)
{
	const struct limits *limits = limits_of_policy(context->config, container_policy(info));

	json_object_begin(json, "limits");
	for (int id = 0; limits && id < LIMIT_COUNT; id++)
		json_known(json, policy_limit_name((enum limit_id)id), limits->value[id]);
	json_object_end(json);
}

static void write_sessions(struct json *json, const struct container_info *info)
{
	json_number(json, "session_count", info->session_count);
	json_array_begin(json, "sessions");
	for (size_t i = 0; i < info->session_room; i++) {
		const struct control_session *session = &info->sessions[i];

		json_object_begin(json, NULL);
		json_number(json, "id", session->id);
		json_string(json, "user", session->user);
		json_string(json, "service", session->service);
		json_string(json, "tty", session->tty);
		json_string(json, "rhost", session->rhost);
		json_number(json, "since", session->since);
		json_known(json, "left_seconds", session->left_seconds);
		json_number(json, "pid", session->pid > 0 ? (uint64_t)session->pid : 0);
		json_object_end(json);
	}
	json_array_end(json);
}

static int print_json(const struct context *context, const struct container_info *info)
{
	struct json json = {0};
	int status;

	json_object_begin(&json, NULL);
	json_string(&json, "name", info->name);
	json_string(&json, "user", container_user(info));
	json_string(&json, "policy", container_policy(info));
	json_string(&json, "image", container_image(info));
	json_string(&json, "state", container_state(info));
	json_number(&json, "created_at", info->stored.created_at);
	json_number(&json, "last_used_at", info->stored.last_used_at);
	json_known(&json, "expires_at", info->expires_at);
	json_string(&json, "storage", info->stored.storage);
	if (info->init >= 0)
		write_running(&json, info);
	write_limits(&json, context, info);
	write_sessions(&json, info);
	json_object_end(&json);
	status = json_print(&json);
	json_free(&json);
	return status;
}

int run_show(const struct command *command, int argc, char **argv)
{
	bool as_json = false;
	const struct option_spec specs[] = {{.name = "json", .flag = &as_json}};
	struct container_info info;
	struct context context;
	struct operands operands;
	struct failure why;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 1, 1, &operands);

	if (status != STATUS_GO_ON)
		return status;
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	if (container_info_load(&context, operands.items[0], &info, &why)) {
		status = as_json ? print_json(&context, &info) : print_text(&context, &info);
		container_info_close(&info);
	} else {
		status = complain("%s: %s", operands.items[0], why.text);
	}
	context_close(&context);
	return status;
}

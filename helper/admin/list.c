/* helper/admin/list.c - `carrel list`: one line for each container. */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/admin/commands.h"
#include "helper/admin/containers.h"
#include "helper/admin/table.h"

static const struct table_column columns[] = {
    {"NAME", false},     {"USER", false}, {"POLICY", false}, {"STATE", false}, {"SESSIONS", true},
    {"PROCESSES", true}, {"CPU", true},   {"MEMORY", true},  {"LIMIT", true},  {"SINCE", false},
};

static bool is_wanted(const char *name, const struct operands *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (fnmatch(patterns->items[i], name, 0) == 0)
			return true;
	return patterns->count == 0;
}

static uint64_t cpu_seconds(const struct container_info *info)
{
	uint64_t time = info->usage.cpu_microseconds;

	return time == UINT64_MAX ? UINT64_MAX : time / 1000000;
}

static void number(uint64_t value, char out[24])
{
	if (value == UINT64_MAX)
		(void)snprintf(out, 24, "-");
	else
		(void)snprintf(out, 24, "%" PRIu64, value);
}

static void add_row(const struct container_info *info, struct table *table)
{
	char sessions[24], processes[24], cpu[32], memory[16], limit[64], since[32];
	bool runs = info->init >= 0;

	number(info->answers ? info->session_count : UINT64_MAX, sessions);
	number(info->usage.pids, processes);
	format_clock(cpu_seconds(info), cpu);
	format_bytes(info->usage.memory_bytes, memory);
	policy_limit_format(LIMIT_MEMORY, info->memory_limit, limit, sizeof(limit));
	format_time(runs ? info->running.started_at : info->stored.last_used_at, since);
	table_add(table,
		  (const char *const[]){info->name, container_user(info), container_policy(info),
					container_state(info), sessions, processes, cpu, memory,
					*limit ? limit : NULL, since});
}

static void add_object(const struct container_info *info, struct json *json)
{
	bool runs = info->init >= 0;

	json_object_begin(json, NULL);
	json_string(json, "name", info->name);
	json_string(json, "user", container_user(info));
	json_string(json, "policy", container_policy(info));
	json_string(json, "state", container_state(info));
	json_known(json, "sessions", info->answers ? info->session_count : UINT64_MAX);
	json_known(json, "processes", info->usage.pids);
	json_known(json, "cpu_microseconds", info->usage.cpu_microseconds);
	json_known(json, "memory_bytes", info->usage.memory_bytes);
	json_known(json, "memory_limit_bytes", info->memory_limit);
	json_number(json, "since", runs ? info->running.started_at : info->stored.last_used_at);
	json_object_end(json);
}

/* A container that vanishes while we look is no error; one whose records are damaged is. */
static bool add_container(const struct context *context, const char *name, struct table *table,
			  struct json *json)
{
	struct container_info info;
	struct failure why;

	if (!container_info_load(context, name, &info, &why)) {
		if (why.kind == FAILURE_MISSING)
			return true;
		(void)complain("%s: %s", name, why.text);
		return false;
	}
	if (json)
		add_object(&info, json);
	else
		add_row(&info, table);
	container_info_close(&info);
	return true;
}

static int print_list(const struct context *context, const struct operands *patterns, bool as_json,
		      bool no_header)
{
	struct json json = {0};
	struct table table;
	struct failure why;
	char **names;
	size_t count;
	int status = STATUS_OK;

	if (!registry_names(&context->registry, &names, &count, &why))
		return complain("%s", why.text);
	table_init(&table, columns, ARRAY_LENGTH(columns));
	json_array_begin(&json, NULL);
	for (size_t i = 0; i < count; i++) {
		if (is_wanted(names[i], patterns) &&
		    !add_container(context, names[i], &table, as_json ? &json : NULL))
			status = STATUS_FAILED;
		free(names[i]);
	}
	free(names);
	json_array_end(&json);
	if (as_json && json_print(&json) != STATUS_OK)
		status = STATUS_FAILED;
	if (!as_json && !table_print(&table, stdout, !no_header))
		status = complain("out of memory");
	table_free(&table);
	json_free(&json);
	return output_status(status);
}

int run_list(const struct command *command, int argc, char **argv)
{
	bool as_json = false, no_header = false;
	const struct option_spec specs[] = {{.name = "json", .flag = &as_json},
					    {.name = "no-header", .flag = &no_header}};
	struct context context;
	struct operands patterns;
	struct failure why;
	int status = options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 0, OPERANDS_ANY,
				   &patterns);

	if (status != STATUS_GO_ON)
		return status;
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	status = print_list(&context, &patterns, as_json, no_header);
	context_close(&context);
	return status;
}

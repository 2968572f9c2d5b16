/* helper/admin/list.c - `carrel list`: one line for each container. */
#include <inttypes.h>
#include <stdio.h>

#include "helper/admin/commands.h"
#include "helper/admin/containers.h"
#include "helper/admin/framing.h"
#include "helper/admin/table.h"

static const struct table_column columns[] = {
    {"NAME", false},     {"USER", false}, {"POLICY", false}, {"STATE", false}, {"SESSIONS", true},
    {"PROCESSES", true}, {"CPU", true},   {"MEMORY", true},  {"LIMIT", true},  {"SINCE", false},
};

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

	number(info->answers ? info->session_count : UINT64_MAX, sessions);
	number(info->usage.pids, processes);
	format_clock(cpu_seconds(info), cpu);
	format_bytes(info->usage.memory_bytes, memory);
	policy_limit_format(LIMIT_MEMORY, info->memory_limit, limit, sizeof(limit));
	format_time(info->runs ? info->running.started_at : info->stored.last_used_at, since);
	table_add(table,
		  (const char *const[]){info->name, container_user(info), container_policy(info),
					container_state(info), sessions, processes, cpu, memory,
					*limit ? limit : NULL, since});
}

static void add_object(const struct container_info *info, struct json *json)
{
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
	json_number(json, "since",
		    info->runs ? info->running.started_at : info->stored.last_used_at);
	json_known(json, "expires_at", info->expires_at);
	json_object_end(json);
}

static void add(const struct container_info *info, void *data)
{
	struct listing *listing = data;

	if (listing->as_json)
		add_object(info, &listing->json);
	else
		add_row(info, &listing->table);
}

static int print_list(const struct context *context, const struct operands *patterns, void *data)
{
	struct listing *listing = data;
	struct names names;
	struct failure why;
	int status;

	if (!names_load(context, patterns, &names, &why))
		return complain("%s", why.text);
	listing_begin(listing, columns, ARRAY_LENGTH(columns));
	status = containers_load(context, names.items, names.count, DETAIL_LIST, add, listing);
	names_free(&names);
	return listing_end(listing, status);
}

int run_list(const struct command *command, int argc, char **argv)
{
	struct listing listing = {0};
	const struct option_spec specs[] = {{.name = "json", .flag = &listing.as_json},
					    {.name = "no-header", .flag = &listing.no_header}};
	const struct syntax syntax = {specs, ARRAY_LENGTH(specs), 0, OPERANDS_ANY};

	return command_run(command, argc, argv, &syntax, print_list, &listing);
}

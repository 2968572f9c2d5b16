/* helper/admin/status.c - `carrel status`: how it stands with a container, its own when inside. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "helper/admin/commands.h"
#include "helper/admin/containers.h"
#include "helper/admin/explain.h"
#include "helper/admin/framing.h"
#include "helper/admin/inside.h"

static void print_since(const struct container_status *status)
{
	uint64_t now = (uint64_t)time(NULL);
	char since[32], lasts[32];

	if (status->started_at == UINT64_MAX) {
		(void)printf("state       %s\n", status->state);
		return;
	}
	format_time(status->started_at, since);
	format_clock(now > status->started_at ? now - status->started_at : 0, lasts);
	(void)printf("state       %s since %s, for %s\n", status->state, since, lasts);
}

static void print_sessions(const struct container_status *status)
{
	if (status->session_count == UINT64_MAX)
		return;
	(void)printf("sessions    %" PRIu64, status->session_count);
	if (status->session_limit < LIMIT_UNLIMITED)
		(void)printf(" of %" PRIu64, status->session_limit);
	(void)putchar('\n');
}

/* What the kernel holds it to; the size of its disk is what it was made with. */
static void print_limits(const struct container_status *status)
{
	static const enum limit_id shown[] = {LIMIT_MEMORY, LIMIT_SWAP,      LIMIT_CPU,
					      LIMIT_PIDS,   LIMIT_READ_RATE, LIMIT_WRITE_RATE};
	char text[64];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(shown); i++) {
		if (status->held.value[shown[i]] >= LIMIT_UNLIMITED)
			continue;
		policy_limit_format(shown[i], status->held.value[shown[i]], text, sizeof(text));
		(void)printf("%s%s %s", count++ ? ", " : "limits      ",
			     policy_limit_name(shown[i]), text);
	}
	if (status->disk.disk_limit_bytes < LIMIT_UNLIMITED) {
		format_bytes(status->disk.disk_limit_bytes, text);
		(void)printf("%sdisk %s", count++ ? ", " : "limits      ", text);
	}
	(void)puts(count ? "" : "limits      none");
}

static bool print_session_table(const struct container_status *status)
{
	static const struct table_column columns[] = {{"USER", false},  {"SERVICE", false},
						      {"TTY", false},   {"FROM", false},
						      {"SINCE", false}, {"LEFT", true}};
	struct table table;
	bool printed;

	if (status->session_room == 0)
		return true;
	(void)putchar('\n');
	table_init(&table, columns, ARRAY_LENGTH(columns));
	for (size_t i = 0; i < status->session_room; i++) {
		const struct status_session *session = &status->sessions[i];
		char since[32], left[32];

		format_time(session->since, since);
		format_clock(session->left_seconds, left);
		table_add(&table, (const char *const[]){session->user, session->service,
							*session->tty ? session->tty : NULL,
							*session->rhost ? session->rhost : NULL,
							since, left});
	}
	printed = table_print(&table, stdout, true);
	table_free(&table);
	if (status->session_count > status->session_room)
		(void)printf("and %" PRIu64 " more\n",
			     status->session_count - status->session_room);
	return printed;
}

/* Inside, who is root there can listen on the socket in the place of PID 1, and say anything. */
static void print_name(const char *what, const char *name)
{
	char safe[4 * 65];

	text_make_safe(name, safe, sizeof(safe));
	(void)printf("%-10s  %s\n", what, safe);
}

static int print_text(const struct container_status *status)
{
	char idle[64];

	print_name("container", status->name);
	print_name("policy", status->policy);
	print_name("image", status->image);
	print_since(status);
	print_sessions(status);
	if (status->idle_seconds < TIME_NEVER) {
		policy_duration_format(status->idle_seconds, idle);
		(void)printf("ends        %s after the last session\n", idle);
	}
	if (status->cpu_day_left_microseconds != UINT64_MAX) {
		format_clock(status->cpu_day_left_microseconds / 1000000, idle);
		(void)printf("cpu left    %s today\n", idle);
	}
	print_limits(status);
	if (!print_session_table(status))
		return complain("out of memory");
	return output_status(STATUS_OK);
}

static void write_sessions(const struct container_status *status, struct json *json)
{
	json_known(json, "session_count", status->session_count);
	json_known(json, "session_limit", status->session_limit);
	json_array_begin(json, "sessions");
	for (size_t i = 0; i < status->session_room; i++) {
		json_object_begin(json, NULL);
		json_string(json, "user", status->sessions[i].user);
		json_string(json, "service", status->sessions[i].service);
		json_string(json, "tty", status->sessions[i].tty);
		json_string(json, "rhost", status->sessions[i].rhost);
		json_number(json, "since", status->sessions[i].since);
		json_known(json, "left_seconds", status->sessions[i].left_seconds);
		json_object_end(json);
	}
	json_array_end(json);
}

static int print_json(const struct container_status *status)
{
	struct json json = {0};
	int result;

	json_object_begin(&json, NULL);
	json_string(&json, "name", status->name);
	json_string(&json, "policy", status->policy);
	json_string(&json, "image", status->image);
	json_string(&json, "state", status->state);
	json_known(&json, "started_at", status->started_at);
	json_known(&json, "idle_seconds", status->idle_seconds);
	json_known(&json, "cpu_day_left_microseconds", status->cpu_day_left_microseconds);
	write_sessions(status, &json);
	json_object_begin(&json, "limits");
	for (int id = 0; id < LIMIT_COUNT; id++)
		if (status->held.value[id] < LIMIT_UNLIMITED)
			json_number(&json, policy_limit_name((enum limit_id)id),
				    status->held.value[id]);
	json_object_end(&json);
	json_object_end(&json);
	result = json_print(&json);
	json_free(&json);
	return result;
}

static int show_named(const struct context *context, const struct operands *names, void *data)
{
	const bool *as_json = data;
	struct container_status status;
	struct container_info info;
	struct failure why;

	if (!container_info_load(context, names->items[0], &info, &why))
		return complain("%s: %s", names->items[0], why.text);
	container_info_status(context, &info, &status);
	container_info_close(&info);
	return *as_json ? print_json(&status) : print_text(&status);
}

int run_status(const struct command *command, int argc, char **argv)
{
	bool as_json = false;
	const struct option_spec specs[] = {{.name = "json", .flag = &as_json}};
	struct container_status status;
	struct operands names;
	struct failure why;
	int result = options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 0, 1, &names);

	if (result != STATUS_GO_ON)
		return result;
	if (is_inside() && names.count == 0) {
		if (!inside_status(&status, &why))
			return complain("%s", why.text);
		return as_json ? print_json(&status) : print_text(&status);
	}
	result = require_root(command);
	if (result != STATUS_GO_ON)
		return result;
	if (names.count == 0)
		return usage_error(command, "name the container: you are not in one");
	return command_work_on(&names, show_named, &as_json);
}

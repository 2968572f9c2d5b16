/* helper/admin/explain_values.c - the values of a policy and where each one was set. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "helper/admin/explain.h"

#define DEFAULT_STOP_SECONDS 10

/* line 0 is the default; every other value was set in the policy's file. */
static _printf_(5, 6) void add(struct explained_values *values, const char *key,
			       const struct source_line *where, unsigned line, const char *format,
			       ...)
{
	struct explained_value *items =
	    reallocarray(values->items, values->count + 1, sizeof(*items));
	struct explained_value *item;
	va_list arguments;

	if (!items) {
		values->failed = true;
		return;
	}
	values->items = items;
	item = &items[values->count];
	va_start(arguments, format);
	if (vasprintf(&item->value, format, arguments) < 0)
		values->failed = true;
	else
		values->count++;
	va_end(arguments);
	if (values->failed)
		return;
	(void)snprintf(item->key, sizeof(item->key), "%s", key);
	if (line)
		(void)snprintf(item->from, sizeof(item->from), "%s:%u", where->file, line);
	else
		(void)snprintf(item->from, sizeof(item->from), "default");
}

/* A key whose own line is not kept: the policy's line, or the default when it has that value. */
static void add_text(struct explained_values *values, const struct policy *policy, const char *key,
		     const char *value, const char *default_value)
{
	bool is_default = !value || (default_value && strcmp(value, default_value) == 0);

	add(values, key, &policy->where, is_default ? 0 : policy->where.line, "%s",
	    value ? value : "unset");
}

static void add_duration(struct explained_values *values, const struct policy *policy,
			 const char *key, uint64_t seconds, uint64_t default_seconds)
{
	char text[48];

	policy_duration_format(seconds, text);
	add(values, key, &policy->where, seconds == default_seconds ? 0 : policy->where.line, "%s",
	    text);
}

static void add_list(struct explained_values *values, const struct policy *policy, const char *key,
		     const struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		add(values, key, &policy->where, policy->where.line, "%s", list->items[i]);
}

static void add_limits(struct explained_values *values, const struct policy *policy,
		       const struct pool *pool)
{
	char key[80], text[64];

	for (int id = 0; id < LIMIT_COUNT; id++) {
		policy_limit_format((enum limit_id)id, policy->limits.value[id], text,
				    sizeof(text));
		add(values, policy_limit_name((enum limit_id)id), &policy->where,
		    policy->limit_line[id], "%s", *text ? text : "unset");
	}
	for (int id = 0; pool && id < LIMIT_COUNT; id++) {
		if (pool->limits.value[id] == LIMIT_UNSET)
			continue;
		policy_limit_format((enum limit_id)id, pool->limits.value[id], text, sizeof(text));
		(void)snprintf(key, sizeof(key), "pool %s", policy_limit_name((enum limit_id)id));
		add(values, key, &pool->where, pool->where.line, "%s", text);
	}
}

static void add_time(struct explained_values *values, const struct policy *policy)
{
	add_duration(values, policy, "idle", policy->time.idle_seconds, TIME_UNSET);
	add_duration(values, policy, "session", policy->time.session_seconds, TIME_UNSET);
	add_duration(values, policy, "expire", policy->time.expire_seconds, TIME_UNSET);
	add_duration(values, policy, "cpu_day", policy->time.cpu_day_seconds, TIME_UNSET);
	add_text(values, policy, "hours", policy->hours_text, NULL);
	add_duration(values, policy, "warn", policy->time.warn_seconds, TIME_UNSET);
	add_duration(values, policy, "stop", policy->time.stop_seconds, DEFAULT_STOP_SECONDS);
}

void explain_values(const struct policy *policy, const struct pool *pool,
		    struct explained_values *values)
{
	add_text(values, policy, "image", policy->image, "host");
	add_text(values, policy, "home", home_mode_name(policy->home),
		 home_mode_name(HOME_PRIVATE));
	add_text(values, policy, "root", policy->root ? "yes" : "no", "no");
	add_text(values, policy, "network", network_mode_name(policy->network),
		 network_mode_name(NETWORK_NONE));
	for (size_t i = 0; i < policy->bind_count; i++)
		add(values, "bind", &policy->where, policy->where.line, "%s at %s, %s",
		    policy->binds[i].source, policy->binds[i].target,
		    policy->binds[i].readonly ? "read-only" : "writable");
	if (policy->umask == (mode_t)-1)
		add(values, "umask", &policy->where, 0, "unset");
	else
		add(values, "umask", &policy->where, policy->where.line, "%04o",
		    (unsigned)policy->umask);
	add_list(values, policy, "environment", &policy->environment);
	if (pool)
		add(values, "pool", &pool->where, pool->where.line, "%s", pool->name);
	else
		add(values, "pool", &policy->where, 0, "none");
	add_limits(values, policy, pool);
	add_time(values, policy);
	add_text(values, policy, "welcome", policy->welcome, NULL);
	add_list(values, policy, "seccomp allow", &policy->seccomp_allow);
	add_list(values, policy, "seccomp deny", &policy->seccomp_deny);
}

void explained_values_free(struct explained_values *values)
{
	for (size_t i = 0; i < values->count; i++)
		free(values->items[i].value);
	free(values->items);
	*values = (struct explained_values){0};
}

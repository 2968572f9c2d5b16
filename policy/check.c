/* policy/check.c - what must hold between keys, blocks and files that are each fine alone. */
#include "policy/check.h"

#include <string.h>

#include "policy/build.h"
#include "policy/nearest.h"
#include "policy/paths.h"
#include "policy/template.h"
#include "policy/tree.h"

const struct policy *find_policy(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->policy_count; i++)
		if (strcmp(config->policies[i].name, name) == 0)
			return &config->policies[i];
	return NULL;
}

const struct pool *find_pool(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->pool_count; i++)
		if (strcmp(config->pools[i].name, name) == 0)
			return &config->pools[i];
	return NULL;
}

/* A block, the keys that it knows and the file it is in: where to point. */
struct spot {
	const char *file;
	cfg_t *block;
	const struct key *keys;
	struct failure *why;
};

static unsigned line_of(const struct spot *spot, const char *name)
{
	for (const struct key *key = spot->keys; key->name; key++)
		if (strcmp(key->name, name) == 0)
			return tree_line(spot->block, key);
	return 0;
}

/* Without an action that contains, the keys of a container would look as if they held. */
static bool check_action(const struct spot *spot, const struct policy *policy)
{
	unsigned line = line_of(spot, "message");

	if (line != 0 && policy->action != POLICY_DENY)
		return fail(spot->why, FAILURE_POLICY, 0,
			    "%s:%u: \"message\" is shown with action = deny only; remove it, or "
			    "write it as welcome",
			    spot->file, line);
	if (policy->action == POLICY_CONTAIN)
		return true;
	for (const struct key *key = spot->keys; key->name; key++) {
		line = key->flags & KEY_CONTAIN ? tree_line(spot->block, key) : 0;
		if (line != 0)
			return fail(spot->why, FAILURE_POLICY, 0,
				    "%s:%u: \"%s\" needs a container, but the action of policy "
				    "\"%s\" is %s; remove the one or change the other",
				    spot->file, line, key->name, policy->name,
				    policy_action_name(policy->action));
	}
	return true;
}

/* %g stands for the group that matched: nobody may match without one. */
static bool check_group_template(const struct spot *spot, const struct policy *policy,
				 const char *key, const char *template)
{
	if (!template_uses(template, 'g') || (policy->groups.count > 0 && policy->users.count == 0))
		return true;
	return fail(spot->why, FAILURE_POLICY, 0,
		    "%s:%u: %s: \"%.80s\" has %%g, so policy \"%s\" must match by groups and not "
		    "by users",
		    spot->file, line_of(spot, key), key, template, policy->name);
}

static bool check_root(const struct spot *spot, const struct policy *policy)
{
	if (!policy->root || strcmp(policy->image, "host") != 0)
		return true;
	return fail(spot->why, FAILURE_POLICY, 0,
		    "%s:%u: root = yes needs an image of its own; set image to another than "
		    "\"host\"",
		    spot->file, line_of(spot, "root"));
}

static bool check_network(const struct spot *spot, const struct policy *policy)
{
	if (policy->limits.value[LIMIT_NETWORK_RATE] == LIMIT_UNSET ||
	    policy->network != NETWORK_HOST)
		return true;
	return fail(spot->why, FAILURE_POLICY, 0,
		    "%s:%u: network_rate cannot hold on the host's network; set network to nat or "
		    "remove it",
		    spot->file, policy->limit_line[LIMIT_NETWORK_RATE]);
}

static bool is_finite(uint64_t seconds)
{
	return seconds != TIME_UNSET && seconds != TIME_NEVER;
}

/* A warning must have time to come in: in a session, in a span of hours, in a day's budget. */
static bool check_time(const struct spot *spot, const struct policy *policy)
{
	const struct time_rules *time = &policy->time;
	const struct {
		const char *name;
		uint64_t seconds;
	} ends[] = {{"session", time->session_seconds},
		    {"every span of hours", hours_shortest(&time->hours)},
		    {"cpu_day", time->cpu_day_seconds}};

	for (size_t i = 0; i < ARRAY_LENGTH(ends); i++)
		if (is_finite(time->warn_seconds) && is_finite(ends[i].seconds) &&
		    time->warn_seconds >= ends[i].seconds)
			return fail(spot->why, FAILURE_POLICY, 0,
				    "%s:%u: time: warn must be shorter than %s, of whose end it "
				    "warns",
				    spot->file, line_of(spot, "time"), ends[i].name);
	return true;
}

static bool check_seccomp(const struct spot *spot, const struct policy *policy)
{
	for (size_t i = 0; i < policy->seccomp_allow.count; i++)
		if (string_list_contains(&policy->seccomp_deny, policy->seccomp_allow.items[i]))
			return fail(spot->why, FAILURE_POLICY, 0,
				    "%s:%u: seccomp: \"%s\" is both in allow and in deny; remove "
				    "one",
				    spot->file, line_of(spot, "seccomp"),
				    policy->seccomp_allow.items[i]);
	return true;
}

bool check_policy(const char *file, cfg_t *block, const struct key *keys,
		  const struct policy *policy, struct failure *why)
{
	const struct spot spot = {file, block, keys, why};

	return check_action(&spot, policy) &&
	       check_group_template(&spot, policy, "name", policy->container_name) &&
	       check_group_template(&spot, policy, "hostname", policy->hostname) &&
	       check_root(&spot, policy) && check_network(&spot, policy) &&
	       check_time(&spot, policy) && check_seccomp(&spot, policy);
}

bool check_bind(const struct config *config, const struct policy *policy, struct bind_mount *bind,
		struct failure *why)
{
	if (!bind_source_check(bind->source, why))
		return false;
	/* carrel.conf is read first, so that state_dir is known. */
	if (path_is_below(bind->source, config->state_dir))
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.80s\" cannot be bound; everyone's containers are in %.80s",
			    bind->source, config->state_dir);
	if (!bind->target && !string_set(&bind->target, bind->source, why))
		return false;
	if (!bind_target_check(bind->target, why))
		return false;
	for (size_t i = 0; i + 1 < policy->bind_count; i++)
		if (strcmp(policy->binds[i].target, bind->target) == 0)
			return fail(why, FAILURE_POLICY, 0,
				    "\"%.80s\" is the target of two binds; keep one", bind->target);
	return true;
}

static bool check_ids(const struct spot *spot, const struct config *config)
{
	uint64_t end = (uint64_t)config->id_base + (uint64_t)config->id_blocks * 65536;
	unsigned line = line_of(spot, "id_blocks");

	/* 4294967295 is "no id" to the kernel; its whole block stays out. */
	if (end <= UINT64_C(0xffff0000))
		return true;
	return fail(spot->why, FAILURE_POLICY, 0,
		    "%s:%u: id_base and id_blocks reach beyond the last id; %llu blocks fit",
		    spot->file, line != 0 ? line : line_of(spot, "id_base"),
		    (unsigned long long)((UINT64_C(0xffff0000) - config->id_base) / 65536));
}

static bool check_projects(const struct spot *spot, const struct config *config)
{
	uint64_t end = (uint64_t)config->project_base + config->project_ids;
	unsigned line = line_of(spot, "project_ids");

	if (end <= UINT32_MAX)
		return true;
	return fail(
	    spot->why, FAILURE_POLICY, 0,
	    "%s:%u: project_base and project_ids reach beyond the last project id; %llu fit",
	    spot->file, line != 0 ? line : line_of(spot, "project_base"),
	    (unsigned long long)(UINT32_MAX - config->project_base));
}

bool check_main(const char *file, cfg_t *block, const struct config *config, struct failure *why)
{
	const struct spot spot = {file, block, file_keys, why};

	return check_ids(&spot, config) && check_projects(&spot, config);
}

static bool check_pool_of(const struct config *config, const struct policy *policy,
			  struct failure *why)
{
	struct nearest nearest;

	if (!policy->pool || find_pool(config, policy->pool))
		return true;
	nearest_start(&nearest, policy->pool);
	for (size_t i = 0; i < config->pool_count; i++)
		nearest_offer(&nearest, config->pools[i].name);
	return fail(why, FAILURE_POLICY, 0,
		    "%s:%u: policy \"%s\" is in pool \"%s\", which no file describes%s%s%s",
		    policy->where.file, policy->where.line, policy->name, policy->pool,
		    nearest.best ? "; did you mean \"" : "", nearest.best ? nearest.best : "",
		    nearest.best ? "\"?" : "");
}

static bool check_policies_of(const struct config *config, const struct pool *pool,
			      struct failure *why)
{
	for (size_t i = 0; i < pool->policies.count; i++) {
		const char *name = pool->policies.items[i];
		struct nearest nearest;

		if (find_policy(config, name))
			continue;
		nearest_start(&nearest, name);
		for (size_t j = 0; j < config->policy_count; j++)
			nearest_offer(&nearest, config->policies[j].name);
		return fail(
		    why, FAILURE_POLICY, 0,
		    "%s:%u: pool \"%s\" is for policy \"%s\", which no file describes%s%s%s",
		    pool->where.file, pool->where.line, pool->name, name,
		    nearest.best ? "; did you mean \"" : "", nearest.best ? nearest.best : "",
		    nearest.best ? "\"?" : "");
	}
	return true;
}

/* Which of two pools holds would depend on the order of files, which nobody would expect. */
static bool check_one_pool(const struct config *config, size_t index, struct failure *why)
{
	const struct pool *pool = &config->pools[index];

	for (size_t i = 0; i < index; i++) {
		const struct pool *other = &config->pools[i];

		for (size_t j = 0; j < pool->policies.count; j++)
			if (string_list_contains(&other->policies, pool->policies.items[j]))
				return fail(why, FAILURE_POLICY, 0,
					    "%s:%u: pool \"%s\" is for policy \"%s\", and so is "
					    "pool \"%s\" at %s:%u; keep one",
					    pool->where.file, pool->where.line, pool->name,
					    pool->policies.items[j], other->name, other->where.file,
					    other->where.line);
	}
	return true;
}

bool check_references(const struct config *config, struct failure *why)
{
	for (size_t i = 0; i < config->policy_count; i++)
		if (!check_pool_of(config, &config->policies[i], why))
			return false;
	for (size_t i = 0; i < config->pool_count; i++)
		if (!check_policies_of(config, &config->pools[i], why) ||
		    !check_one_pool(config, i, why))
			return false;
	return true;
}

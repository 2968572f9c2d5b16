/* policy/build.c - make a config piece by piece while the files are read, and release it. */
#include "policy/build.h"

#include <stdlib.h>
#include <string.h>

#include "policy/image.h"

static bool no_memory(struct failure *why)
{
	return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot hold the policies");
}

/* Room for one more item, cleared. The array has the next power of two of them, and may move. */
static void *append(void **items, size_t *count, size_t size, struct failure *why)
{
	bool is_full = (*count & (*count - 1)) == 0;
	void *grown = is_full ? reallocarray(*items, *count ? 2 * *count : 1, size) : *items;
	char *item;

	if (!grown) {
		(void)no_memory(why);
		return NULL;
	}
	*items = grown;
	item = (char *)grown + *count * size;
	memset(item, 0, size);
	(*count)++;
	return item;
}

bool string_list_add(struct string_list *list, const char *text, struct failure *why)
{
	void *items = list->items;
	char *copy = strdup(text);
	char **item;

	if (!copy)
		return no_memory(why);
	item = append(&items, &list->count, sizeof(*item), why);
	list->items = items;
	if (!item) {
		free(copy);
		return false;
	}
	*item = copy;
	return true;
}

bool string_set(char **field, const char *text, struct failure *why)
{
	char *copy = strdup(text);

	if (!copy)
		return no_memory(why);
	free(*field);
	*field = copy;
	return true;
}

bool string_list_contains(const struct string_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

struct config *config_new(struct failure *why)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config) {
		(void)no_memory(why);
		return NULL;
	}
	config->id_base = 0x80000000u;
	config->id_blocks = 16384;
	/* Above what admins write into /etc/projects and what container engines count up. */
	config->project_base = 0x40000000u;
	config->project_ids = 1048576;
	config->storage = STORAGE_AUTO;
	if (!string_set(&config->state_dir, "/var/lib/carrel", why)) {
		config_free(config);
		return NULL;
	}
	return config;
}

static void limits_unset(struct limits *limits)
{
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		limits->value[i] = LIMIT_UNSET;
}

struct policy *config_add_policy(struct config *config, struct failure *why)
{
	void *items = config->policies;
	struct policy *policy = append(&items, &config->policy_count, sizeof(*policy), why);

	config->policies = items;
	if (!policy)
		return NULL;
	policy->umask = (mode_t)-1;
	limits_unset(&policy->limits);
	policy->time = (struct time_rules){
	    .idle_seconds = TIME_UNSET,
	    .session_seconds = TIME_UNSET,
	    .expire_seconds = TIME_UNSET,
	    .warn_seconds = TIME_UNSET,
	    .stop_seconds = 10,
	    .cpu_day_seconds = TIME_UNSET,
	};
	if (!string_set(&policy->container_name, "%u", why) ||
	    !string_set(&policy->image, "host", why) || !string_set(&policy->hostname, "%p", why))
		return NULL;
	return policy;
}

struct pool *config_add_pool(struct config *config, struct failure *why)
{
	void *items = config->pools;
	struct pool *pool = append(&items, &config->pool_count, sizeof(*pool), why);

	config->pools = items;
	if (pool)
		limits_unset(&pool->limits);
	return pool;
}

struct bind_mount *policy_add_bind(struct policy *policy, struct failure *why)
{
	void *items = policy->binds;
	struct bind_mount *bind = append(&items, &policy->bind_count, sizeof(*bind), why);

	policy->binds = items;
	return bind;
}

const char *config_add_file(struct config *config, const char *name, struct failure *why)
{
	struct string_list files = {config->file_count, config->files};
	bool added = string_list_add(&files, name, why);

	config->files = files.items;
	config->file_count = files.count;
	return added ? config->files[config->file_count - 1] : NULL;
}

void string_list_free(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

static void policy_clear(struct policy *policy)
{
	free(policy->name);
	string_list_free(&policy->users);
	string_list_free(&policy->groups);
	string_list_free(&policy->services);
	free(policy->deny_text);
	free(policy->container_name);
	free(policy->image);
	free(policy->hostname);
	free(policy->pool);
	for (size_t i = 0; i < policy->bind_count; i++) {
		free(policy->binds[i].source);
		free(policy->binds[i].target);
	}
	free(policy->binds);
	string_list_free(&policy->environment);
	free(policy->hours_text);
	free(policy->welcome);
	string_list_free(&policy->seccomp_allow);
	string_list_free(&policy->seccomp_deny);
}

static void pool_clear(struct pool *pool)
{
	free(pool->name);
	string_list_free(&pool->groups);
	string_list_free(&pool->policies);
}

void config_drop_policies(struct config *config)
{
	for (size_t i = 0; i < config->policy_count; i++)
		policy_clear(&config->policies[i]);
	free(config->policies);
	for (size_t i = 0; i < config->pool_count; i++)
		pool_clear(&config->pools[i]);
	free(config->pools);
	config->policies = NULL;
	config->policy_count = 0;
	config->pools = NULL;
	config->pool_count = 0;
	config->unmatched_deny = true;
}

void config_free(struct config *config)
{
	struct string_list files;

	if (!config)
		return;
	if (config->image) {
		config_image_free(config);
		return;
	}
	config_drop_policies(config);
	files = (struct string_list){config->file_count, config->files};
	string_list_free(&files);
	free(config->state_dir);
	free(config->cgroup_parent);
	string_list_free(&config->exempt_users);
	string_list_free(&config->exempt_groups);
	free(config->unmatched_text);
	free(config);
}

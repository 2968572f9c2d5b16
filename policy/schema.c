/* policy/schema.c - which keys the files know, and how each one becomes a part of the config. */
#include "policy/schema.h"

#include <string.h>

#include "policy/build.h"
#include "policy/check.h"
#include "policy/paths.h"
#include "policy/readers.h"
#include "policy/tree.h"
#include "policy/words.h"

#define VALUE(type, field, reader, ...)                                                            \
	.kind = KEY_VALUE, .read = (reader), .offset = offsetof(struct type, field), ##__VA_ARGS__
#define LIST(type, field, reader, ...)                                                             \
	.kind = KEY_LIST, .read = (reader), .offset = offsetof(struct type, field), ##__VA_ARGS__
#define BLOCK(inner)         .kind = KEY_BLOCK, .keys = (inner)
#define NAMED(inner, opener) .kind = KEY_NAMED, .keys = (inner), .open = (opener)
#define LIMIT(reader, id)    .kind = KEY_VALUE, .read = (reader), .low = (id)

/* From, to, and whether "never" is a value as well. */
static const char *const idle_range[] = {"0", "3650d", "never", NULL};
static const char *const session_range[] = {"1s", "3650d", "never", NULL};
static const char *const expire_range[] = {"1m", "3650d", "never", NULL};
static const char *const warn_range[] = {"1s", "1d", "never", NULL};
static const char *const cpu_day_range[] = {"1s", "365d", "never", NULL};
static const char *const stop_range[] = {"1s", "1h", NULL};

static bool open_bind(struct reader *reader, cfg_t *block, void *into, struct failure *why);
static bool open_policy(struct reader *reader, cfg_t *block, void *into, struct failure *why);
static bool open_pool(struct reader *reader, cfg_t *block, void *into, struct failure *why);

static const struct key limit_keys[] = {
    {"memory", LIMIT(read_policy_limit, LIMIT_MEMORY)},
    {"swap", LIMIT(read_policy_limit, LIMIT_SWAP)},
    {"cpu", LIMIT(read_policy_limit, LIMIT_CPU)},
    {"cpu_weight", LIMIT(read_policy_limit, LIMIT_CPU_WEIGHT)},
    {"pids", LIMIT(read_policy_limit, LIMIT_PIDS)},
    {"disk", LIMIT(read_policy_limit, LIMIT_DISK)},
    {"inodes", LIMIT(read_policy_limit, LIMIT_INODES)},
    {"tmp", LIMIT(read_policy_limit, LIMIT_TMP)},
    {"read_rate", LIMIT(read_policy_limit, LIMIT_READ_RATE)},
    {"write_rate", LIMIT(read_policy_limit, LIMIT_WRITE_RATE)},
    {"network_rate", LIMIT(read_policy_limit, LIMIT_NETWORK_RATE)},
    {"sessions", LIMIT(read_policy_limit, LIMIT_SESSIONS)},
    {"open_files", LIMIT(read_policy_limit, LIMIT_OPEN_FILES)},
    {"processes", LIMIT(read_policy_limit, LIMIT_PROCESSES)},
    {"core", LIMIT(read_policy_limit, LIMIT_CORE)},
    {"file_size", LIMIT(read_policy_limit, LIMIT_FILE_SIZE)},
    {"stack", LIMIT(read_policy_limit, LIMIT_STACK)},
    {"locked_memory", LIMIT(read_policy_limit, LIMIT_LOCKED_MEMORY)},
    {0},
};

static const struct key time_keys[] = {
    {"idle", VALUE(policy, time.idle_seconds, read_duration, .words = idle_range)},
    {"session", VALUE(policy, time.session_seconds, read_duration, .words = session_range)},
    {"expire", VALUE(policy, time.expire_seconds, read_duration, .words = expire_range)},
    {"warn", VALUE(policy, time.warn_seconds, read_duration, .words = warn_range)},
    {"stop", VALUE(policy, time.stop_seconds, read_duration, .words = stop_range)},
    {"cpu_day", VALUE(policy, time.cpu_day_seconds, read_duration, .words = cpu_day_range)},
    {"hours", VALUE(policy, hours_text, read_hours)},
    {0},
};

static const struct key seccomp_keys[] = {
    {"allow", LIST(policy, seccomp_allow, read_system_call)},
    {"deny", LIST(policy, seccomp_deny, read_system_call)},
    {0},
};

static const struct key bind_keys[] = {
    {"target", VALUE(bind_mount, target, read_target)},
    {"readonly", VALUE(bind_mount, readonly, read_switch)},
    {0},
};

static const struct key policy_keys[] = {
    {"users", LIST(policy, users, read_account)},
    {"groups", LIST(policy, groups, read_account)},
    {"services", LIST(policy, services, read_account)},
    {"action", VALUE(policy, action, read_word, .words = action_words)},
    {"message", VALUE(policy, deny_text, read_prose, .flags = KEY_TEXT)},
    {"name", VALUE(policy, container_name, read_name_template, .flags = KEY_CONTAIN)},
    {"image", VALUE(policy, image, read_name, .flags = KEY_CONTAIN)},
    {"home", VALUE(policy, home, read_word, .words = home_words, .flags = KEY_CONTAIN)},
    {"root", VALUE(policy, root, read_switch, .flags = KEY_CONTAIN)},
    {"network", VALUE(policy, network, read_word, .words = network_words, .flags = KEY_CONTAIN)},
    {"hostname", VALUE(policy, hostname, read_host_template, .flags = KEY_CONTAIN)},
    {"pool", VALUE(policy, pool, read_name, .flags = KEY_CONTAIN)},
    {"bind", NAMED(bind_keys, open_bind), .flags = KEY_CONTAIN},
    {"environment", LIST(policy, environment, read_environment, .flags = KEY_CONTAIN)},
    {"umask", VALUE(policy, umask, read_mask, .flags = KEY_CONTAIN)},
    {"limits", BLOCK(limit_keys), .flags = KEY_CONTAIN},
    {"time", BLOCK(time_keys), .flags = KEY_CONTAIN},
    {"welcome", VALUE(policy, welcome, read_prose, .flags = KEY_CONTAIN | KEY_TEXT)},
    {"seccomp", BLOCK(seccomp_keys), .flags = KEY_CONTAIN},
    {0},
};

static const struct key pool_keys[] = {
    {"groups", LIST(pool, groups, read_account)},
    {"policies", LIST(pool, policies, read_name_item)},
    {"memory", LIMIT(read_pool_limit, LIMIT_MEMORY)},
    {"swap", LIMIT(read_pool_limit, LIMIT_SWAP)},
    {"cpu", LIMIT(read_pool_limit, LIMIT_CPU)},
    {"cpu_weight", LIMIT(read_pool_limit, LIMIT_CPU_WEIGHT)},
    {"pids", LIMIT(read_pool_limit, LIMIT_PIDS)},
    {"read_rate", LIMIT(read_pool_limit, LIMIT_READ_RATE)},
    {"write_rate", LIMIT(read_pool_limit, LIMIT_WRITE_RATE)},
    {0},
};

static const struct key exempt_keys[] = {
    {"users", LIST(config, exempt_users, read_account)},
    {"groups", LIST(config, exempt_groups, read_account)},
    {0},
};

/* A block of ids must end below 4294967295, which the kernel takes for "no id". */
#define HIGHEST_ID_BASE   UINT64_C(0xfffe0000)
#define HIGHEST_ID_BLOCKS 65534
/* 0 is everybody's project, and 4294967295 the kernel's "no id". */
#define HIGHEST_PROJECT UINT64_C(0xfffffffe)

const struct key file_keys[] = {
    {"state_dir", VALUE(config, state_dir, read_state_dir, .flags = KEY_MAIN)},
    {"exempt", BLOCK(exempt_keys), .flags = KEY_MAIN},
    {"unmatched", VALUE(config, unmatched_deny, read_unmatched, .flags = KEY_MAIN)},
    {"unmatched_message", VALUE(config, unmatched_text, read_prose, .flags = KEY_MAIN | KEY_TEXT)},
    {"cgroup_parent", VALUE(config, cgroup_parent, read_cgroup_parent, .flags = KEY_MAIN)},
    {"storage", VALUE(config, storage, read_word, .words = storage_words, .flags = KEY_MAIN)},
    {"id_base", VALUE(config, id_base, read_id_base, .flags = KEY_MAIN, .low = 65536,
		      .high = HIGHEST_ID_BASE)},
    {"id_blocks",
     VALUE(config, id_blocks, read_number, .flags = KEY_MAIN, .low = 1, .high = HIGHEST_ID_BLOCKS)},
    {"project_base", VALUE(config, project_base, read_number, .flags = KEY_MAIN, .low = 1,
			   .high = HIGHEST_PROJECT)},
    {"project_ids",
     VALUE(config, project_ids, read_number, .flags = KEY_MAIN, .low = 1, .high = HIGHEST_PROJECT)},
    {"policy", NAMED(policy_keys, open_policy)},
    {"pool", NAMED(pool_keys, open_pool)},
    {0},
};

static bool read_value(struct reader *reader, const struct setting *setting, const struct key *key,
		       void *into, struct failure *why)
{
	reader->line = setting->line;
	if (!(key->flags & KEY_TEXT) && strpbrk(setting->text, "\n\t"))
		(void)fail(why, FAILURE_POLICY, 0, "a line break or tab cannot stand here");
	else if (key->read(reader, key, setting->text, into, why))
		return true;
	failure_prefix(why, "%s:%u: %s", reader->file, setting->line, key->name);
	return false;
}

static bool read_key(struct reader *reader, cfg_opt_t *option, unsigned i, const struct key *key,
		     void *into, struct failure *why)
{
	switch (key->kind) {
	case KEY_BLOCK:
		return schema_read(reader, cfg_opt_getnsec(option, i), key->keys, into, why);
	case KEY_NAMED:
		return key->open(reader, cfg_opt_getnsec(option, i), into, why);
	case KEY_VALUE:
	case KEY_LIST:
		break;
	}
	return read_value(reader, cfg_opt_getnptr(option, i), key, into, why);
}

bool schema_read(struct reader *reader, cfg_t *block, const struct key *keys, void *into,
		 struct failure *why)
{
	for (const struct key *key = keys; key->name; key++) {
		cfg_opt_t *option = cfg_getopt(block, key->name);
		unsigned line = tree_line(block, key);

		if ((key->flags & KEY_MAIN) && line != 0 && !reader->main_file)
			return fail(why, FAILURE_POLICY, 0,
				    "%s:%u: \"%s\" can be set in carrel.conf only; move it there",
				    reader->file, line, key->name);
		for (unsigned i = 0; i < cfg_opt_size(option); i++)
			if (!read_key(reader, option, i, key, into, why))
				return false;
	}
	return true;
}

/* The name of a policy or pool: legal, and not taken by the one at `first` (NULL when it is new).
 */
static bool check_new_name(const struct reader *reader, const char *what, const char *name,
			   unsigned line, const struct source_line *first, struct failure *why)
{
	if (!name_is_valid(name))
		return fail(why, FAILURE_POLICY, 0,
			    "%s:%u: \"%.80s\" is not a valid name for a %s; use 1 to 64 of "
			    "a-z 0-9 _ . - and begin with a letter or _",
			    reader->file, line, name, what);
	if (first)
		return fail(why, FAILURE_POLICY, 0,
			    "%s:%u: there is a %s \"%s\" already, at %s:%u; rename one",
			    reader->file, line, what, name, first->file, first->line);
	return true;
}

static bool open_policy(struct reader *reader, cfg_t *block, void *into, struct failure *why)
{
	struct config *config = into;
	unsigned line;
	const char *name = tree_block_name(block, &line);
	const struct policy *first = find_policy(config, name);
	struct policy *policy;

	if (!check_new_name(reader, "policy", name, line, first ? &first->where : NULL, why))
		return false;
	policy = config_add_policy(config, why);
	if (!policy || !string_set(&policy->name, name, why))
		return false;
	policy->where = (struct source_line){reader->file, line};
	return schema_read(reader, block, policy_keys, policy, why) &&
	       check_policy(reader->file, block, policy_keys, policy, why);
}

static bool open_pool(struct reader *reader, cfg_t *block, void *into, struct failure *why)
{
	struct config *config = into;
	unsigned line;
	const char *name = tree_block_name(block, &line);
	const struct pool *first = find_pool(config, name);
	struct pool *pool;

	if (!check_new_name(reader, "pool", name, line, first ? &first->where : NULL, why))
		return false;
	pool = config_add_pool(config, why);
	if (!pool || !string_set(&pool->name, name, why))
		return false;
	pool->where = (struct source_line){reader->file, line};
	return schema_read(reader, block, pool_keys, pool, why);
}

static bool open_bind(struct reader *reader, cfg_t *block, void *into, struct failure *why)
{
	struct policy *policy = into;
	unsigned line;
	const char *source = tree_block_name(block, &line);
	struct bind_mount *bind = policy_add_bind(policy, why);

	if (!bind || !string_set(&bind->source, source, why) ||
	    !schema_read(reader, block, bind_keys, bind, why))
		return false;
	if (check_bind(reader->config, policy, bind, why))
		return true;
	failure_prefix(why, "%s:%u: bind", reader->file, line);
	return false;
}

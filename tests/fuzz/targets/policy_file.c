/* targets/policy_file.c - carrel.conf and the files of policy.d. */
/* Sources: policy/grammar.c policy/tree.c policy/schema.c policy/readers.c policy/check.c
 * policy/build.c policy/paths.c policy/values.c policy/format.c policy/limit_rules.c policy/hours.c
 * policy/template.c policy/nearest.c policy/select.c policy/image.c policy/image_format.c
 * policy/image_pack.c
 * base/failure.c
 */
#include <confuse.h>

#include "policy/build.h"
#include "policy/check.h"
#include "policy/grammar.h"
#include "policy/limit_rules.h"
#include "policy/schema.h"
#include "policy/template.h"
#include "policy/tree.h"
#include "tests/fuzz/targets/fuzz.h"

/* As load.c does it with the text of a file. */
static bool read_text(struct config *config, const char *text, bool main_file, struct failure *why)
{
	const char *file = config_add_file(config, "a.conf", why);
	struct reader reader = {.config = config, .file = file, .main_file = main_file};
	char *clean = grammar_check(text, strlen(text), file, why);
	cfg_t *tree = clean ? tree_parse(clean, file, file_keys, why) : NULL;
	bool good = tree && schema_read(&reader, tree, file_keys, config, why) &&
		    (!main_file || check_main(file, tree, config, why));

	if (tree)
		(void)cfg_free(tree);
	free(clean);
	return good;
}

static void check_limits(const struct limits *limits)
{
	for (int id = 0; id < LIMIT_COUNT; id++) {
		const struct limit_rule *rule = limit_rule((enum limit_id)id);
		uint64_t value = limits->value[id];

		MUST(value == LIMIT_UNSET || (value >= rule->low && value <= rule->high) ||
		     (value == LIMIT_UNLIMITED && rule->may_be_unlimited));
	}
}

static void check_one_policy(const struct policy *policy)
{
	struct failure why;
	char out[65];

	MUST(name_is_valid(policy->name) && policy->where.line > 0);
	check_limits(&policy->limits);
	MUST(policy->umask == (mode_t)-1 || policy->umask <= 0777);
	MUST(hours_are_sound(&policy->time.hours));
	for (size_t i = 0; i < policy->bind_count; i++)
		MUST(policy->binds[i].source[0] == '/' && policy->binds[i].target[0] == '/' &&
		     !strstr(policy->binds[i].source, "/../") &&
		     !strstr(policy->binds[i].target, "/../"));
	for (size_t i = 0; i < policy->environment.count; i++)
		MUST(strchr(policy->environment.items[i], '=') > policy->environment.items[i]);
	MUST(template_expand(policy->container_name, "Weird/User", "g", policy->name, false, out,
			     &why));
	MUST(name_is_valid(out));
}

static void check_config(const struct config *config)
{
	const char *const groups[] = {"students", "staff"};
	const struct subject subject = {"alice", "sshd", groups, 2};
	struct selection selection;

	MUST(config->state_dir[0] == '/');
	for (size_t i = 0; i < config->policy_count; i++)
		check_one_policy(&config->policies[i]);
	for (size_t i = 0; i < config->pool_count; i++)
		check_limits(&config->pools[i].limits);
	MUST(config_select(config, &subject, &selection));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct failure why = {0};
	struct config *config = config_new(&why);
	char *first = fuzz_part(&data, &size), *second = fuzz_part(&data, &size);

	MUST(config);
	if (read_text(config, first, true, &why) && read_text(config, second, false, &why) &&
	    check_references(config, &why))
		check_config(config);
	else
		MUST(why.kind == FAILURE_POLICY && why.text[0]);
	free(first);
	free(second);
	config_free(config);
	return 0;
}

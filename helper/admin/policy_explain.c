/* helper/admin/policy_explain.c - `carrel policy explain`: what a login of a user would get, and
 * why. */
#include <stdio.h>
#include <string.h>

#include "helper/admin/commands.h"
#include "helper/admin/context.h"
#include "helper/admin/explain.h"
#include "helper/admin/subject.h"
#include "helper/admin/table.h"

#define SYSTEMD_USER "systemd-user"

struct explanation {
	const struct config *config;
	const struct subject_names *names;
	struct selection selection; /* policy NULL when exempt or unmatched */
	bool exempt;
	const char *decision; /* "host", "contain", "deny" */
	char because[400];
	char name[65], hostname[65];
	struct explained_values values;
};

static void decide_by_policy(struct explanation *it)
{
	const struct policy *policy = it->selection.policy;
	char reason[300] = "";

	(void)explain_match(policy, &it->names->subject, reason, sizeof(reason));
	it->decision = policy_action_name(policy->action);
	(void)snprintf(it->because, sizeof(it->because), "policy \"%s\" %s", policy->name, reason);
	/* The helper's own rule: decide.c, is_user_manager. */
	if (policy->action == POLICY_CONTAIN && policy->services.count == 0 &&
	    strcmp(it->names->subject.service, SYSTEMD_USER) == 0) {
		it->decision = "deny";
		(void)snprintf(it->because, sizeof(it->because),
			       "policy \"%s\" contains %s, and a user manager of systemd would run "
			       "outside of the container",
			       policy->name, it->names->subject.user);
	}
}

static bool explain(struct explanation *it, struct failure *why)
{
	const struct subject *subject = &it->names->subject;
	const struct policy *policy;

	it->decision = "host";
	it->exempt = true;
	if (explain_exempt(it->config, subject, it->because, sizeof(it->because)))
		return true;
	if (it->names->account->uid == 0) {
		(void)snprintf(it->because, sizeof(it->because), "uid 0 is always exempt");
		return true;
	}
	it->exempt = false;
	(void)config_select(it->config, subject, &it->selection);
	policy = it->selection.policy;
	if (!policy) {
		it->decision = it->config->unmatched_deny ? "deny" : "host";
		(void)snprintf(it->because, sizeof(it->because),
			       "no policy matches, and unmatched = %s in carrel.conf",
			       it->decision);
		return true;
	}
	decide_by_policy(it);
	if (strcmp(it->decision, "contain") != 0)
		return true;
	if (!template_expand(policy->container_name, subject->user, it->selection.matched_group,
			     policy->name, false, it->name, why) ||
	    !template_expand(policy->hostname, subject->user, it->selection.matched_group,
			     policy->name, true, it->hostname, why))
		return false;
	explain_values(policy, it->selection.pool, &it->values);
	return true;
}

/* The policies that were looked at, in their order, up to the one that decided. */
static size_t considered_count(const struct explanation *it)
{
	if (it->selection.policy)
		return (size_t)(it->selection.policy - it->config->policies) + 1;
	return it->exempt ? 0 : it->config->policy_count;
}

static void print_considered(const struct explanation *it)
{
	for (size_t i = 0; i < considered_count(it); i++) {
		const struct policy *policy = &it->config->policies[i];
		char reason[300] = "";
		bool matches = explain_match(policy, &it->names->subject, reason, sizeof(reason));

		(void)printf("  %-8s \"%s\" (%s:%u): %s\n", matches ? "matches" : "no match",
			     policy->name, policy->where.file, policy->where.line, reason);
	}
}

static int print_text(const struct explanation *it)
{
	static const struct table_column columns[] = {
	    {"KEY", false}, {"VALUE", false}, {"SET IN", false}};
	const struct account *account = it->names->account;
	struct table table;
	bool printed;

	(void)printf("user       %s, uid %u\ngroups    ", account->name, (unsigned)account->uid);
	for (size_t i = 0; i < it->names->subject.group_count; i++)
		(void)printf(" %s", it->names->subject.groups[i]);
	(void)printf("\nservice    %s\ndecision   %s: %s\n", it->names->subject.service,
		     it->decision, it->because);
	print_considered(it);
	if (it->values.count == 0)
		return output_status(STATUS_OK);
	(void)printf("container  %s\nhostname   %s\n\n", it->name, it->hostname);
	table_init(&table, columns, ARRAY_LENGTH(columns));
	for (size_t i = 0; i < it->values.count; i++)
		table_add(&table,
			  (const char *const[]){it->values.items[i].key, it->values.items[i].value,
						it->values.items[i].from});
	printed = table_print(&table, stdout, true);
	table_free(&table);
	return printed ? output_status(STATUS_OK) : complain("out of memory");
}

static void write_considered(const struct explanation *it, struct json *json)
{
	json_array_begin(json, "considered");
	for (size_t i = 0; i < considered_count(it); i++) {
		const struct policy *policy = &it->config->policies[i];
		char reason[300] = "";

		json_object_begin(json, NULL);
		json_bool(json, "matches",
			  explain_match(policy, &it->names->subject, reason, sizeof(reason)));
		json_string(json, "policy", policy->name);
		json_string(json, "file", policy->where.file);
		json_number(json, "line", policy->where.line);
		json_string(json, "reason", reason);
		json_object_end(json);
	}
	json_array_end(json);
}

static int print_json(const struct explanation *it)
{
	const struct subject *subject = &it->names->subject;
	const struct policy *policy = it->selection.policy;
	bool contained = it->values.count != 0;
	struct json json = {0};
	int status;

	json_object_begin(&json, NULL);
	json_string(&json, "user", subject->user);
	json_number(&json, "uid", it->names->account->uid);
	json_array_begin(&json, "groups");
	for (size_t i = 0; i < subject->group_count; i++)
		json_string(&json, NULL, subject->groups[i]);
	json_array_end(&json);
	json_string(&json, "service", subject->service);
	json_bool(&json, "exempt", it->exempt);
	json_string(&json, "decision", it->decision);
	json_string(&json, "because", it->because);
	json_string(&json, "policy", policy ? policy->name : NULL);
	write_considered(it, &json);
	json_string(&json, "container", contained ? it->name : NULL);
	json_string(&json, "hostname", contained ? it->hostname : NULL);
	json_array_begin(&json, "values");
	for (size_t i = 0; i < it->values.count; i++) {
		json_object_begin(&json, NULL);
		json_string(&json, "key", it->values.items[i].key);
		json_string(&json, "value", it->values.items[i].value);
		json_string(&json, "from", it->values.items[i].from);
		json_object_end(&json);
	}
	json_array_end(&json);
	json_object_end(&json);
	status = json_print(&json);
	json_free(&json);
	return status;
}

static int explain_and_print(const struct config *config, const struct subject_names *names,
			     bool as_json)
{
	struct explanation it = {.config = config, .names = names};
	struct failure why;
	int status;

	if (!explain(&it, &why))
		status = complain("%s", why.text);
	else if (it.values.failed)
		status = complain("out of memory");
	else
		status = as_json ? print_json(&it) : print_text(&it);
	explained_values_free(&it.values);
	return status;
}

int run_policy_explain(const struct command *command, int argc, char **argv)
{
	const char *service = "sshd";
	bool as_json = false;
	const struct option_spec specs[] = {{.name = "service", .letter = 's', .value = &service},
					    {.name = "json", .flag = &as_json}};
	_cleanup_config_ struct config *config = NULL;
	struct subject_names names;
	struct operands operands;
	struct failure why;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 1, 1, &operands);

	if (status != STATUS_GO_ON)
		return status;
	config = load_policies(NULL, NULL, &why);
	if (!config || !subject_names_load(operands.items[0], service, &names, &why))
		return complain("%s", why.text);
	status = explain_and_print(config, &names, as_json);
	subject_names_free(&names);
	return status;
}

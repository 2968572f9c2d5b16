/* helper/admin/policy_check.c - `carrel policy check`: what the files ask for against what is
 * there. */
#include "helper/admin/policy_check.h"
#include "helper/images/use.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/commands.h"
#include "helper/admin/context.h"
#include "helper/container/trusted_path.h"
#include "helper/limits/limits.h"
#include "helper/seccomp/seccomp_profile.h"
#include "helper/session/supported.h"

struct check {
	const struct config *config;
	const struct cgroup_layout *layout; /* NULL when this machine has none */
	struct report *report;
	char topic[256]; /* "FILE:LINE" of what is looked at */
};

static void set_topic(struct check *check, const struct source_line *where)
{
	(void)snprintf(check->topic, sizeof(check->topic), "%s:%u", where->file, where->line);
}

static void check_limits(struct check *check, const char *kind, const char *name,
			 const struct limits *limits,
			 bool (*holds)(const struct cgroup_layout *, const struct limits *,
				       struct failure *))
{
	const char *caveat;
	struct failure why;

	if (!check->layout)
		return; /* reported once for the machine */
	if (!holds(check->layout, limits, &why)) {
		failure_prefix(&why, "%s \"%s\"", kind, name);
		report_failure(check->report, GRADE_PROBLEM, check->topic, &why);
		return;
	}
	caveat = limits_caveat(check->layout, limits);
	if (caveat)
		report_add(check->report, GRADE_WARNING, check->topic, "%s \"%s\": %s", kind, name,
			   caveat);
}

static void check_image(struct check *check, const struct policy *policy)
{
	_cleanup_close_ int images = -1;
	_cleanup_free_ char *path = NULL;
	struct failure why;

	if (strcmp(policy->image, "host") == 0)
		return;
	if (asprintf(&path, "%s/images", check->config->state_dir) < 0) {
		path = NULL;
		check->report->failed = true;
		return;
	}
	images = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!image_use_check(images, policy->image, &why))
		report_add(check->report, GRADE_PROBLEM, check->topic, "policy \"%s\": %s",
			   policy->name, why.text);
}

static void check_binds(struct check *check, const struct policy *policy)
{
	struct failure why;

	for (size_t i = 0; i < policy->bind_count; i++) {
		_cleanup_close_ int source = trusted_path_open(policy->binds[i].source, &why);

		if (source >= 0)
			continue;
		failure_prefix(&why, "policy \"%s\"", policy->name);
		report_failure(check->report, GRADE_PROBLEM, check->topic, &why);
	}
}

static void check_seccomp(struct check *check, const struct policy *policy)
{
	const struct string_list *lists[] = {&policy->seccomp_allow, &policy->seccomp_deny};
	struct failure why;

	for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
		if (seccomp_names_check(lists[i], &why))
			continue;
		failure_prefix(&why, "policy \"%s\"", policy->name);
		report_failure(check->report, GRADE_PROBLEM, check->topic, &why);
	}
}

/* A name that nobody has now may come with the directory service later: only a warning. */
static void check_names(struct check *check, const struct policy *policy)
{
	for (size_t i = 0; i < policy->users.count; i++)
		if (!getpwnam(policy->users.items[i]))
			report_add(check->report, GRADE_WARNING, check->topic,
				   "policy \"%s\": there is no user \"%s\"", policy->name,
				   policy->users.items[i]);
	for (size_t i = 0; i < policy->groups.count; i++)
		if (!getgrnam(policy->groups.items[i]))
			report_add(check->report, GRADE_WARNING, check->topic,
				   "policy \"%s\": there is no group \"%s\"", policy->name,
				   policy->groups.items[i]);
}

static bool list_has(const struct string_list *list, const char *item)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], item) == 0)
			return true;
	return false;
}

static bool list_covers(const struct string_list *wide, const struct string_list *narrow)
{
	for (size_t i = 0; i < narrow->count; i++)
		if (!list_has(wide, narrow->items[i]))
			return false;
	return true;
}

/* Does every login that `later` matches already match `earlier`? */
static bool policy_covers(const struct policy *earlier, const struct policy *later)
{
	bool everyone = earlier->users.count == 0 && earlier->groups.count == 0;

	if (earlier->services.count &&
	    (later->services.count == 0 || !list_covers(&earlier->services, &later->services)))
		return false;
	if (everyone)
		return true;
	if (later->users.count == 0 && later->groups.count == 0)
		return false;
	return list_covers(&earlier->users, &later->users) &&
	       list_covers(&earlier->groups, &later->groups);
}

static void check_reachable(struct check *check, size_t index)
{
	const struct policy *policy = &check->config->policies[index];

	for (size_t i = 0; i < index; i++) {
		const struct policy *earlier = &check->config->policies[i];

		if (!policy_covers(earlier, policy))
			continue;
		report_add(check->report, GRADE_WARNING, check->topic,
			   "policy \"%s\" can never match: \"%s\" (%s:%u) stands before it and "
			   "matches all that it would",
			   policy->name, earlier->name, earlier->where.file, earlier->where.line);
		return;
	}
}

static void check_policy(struct check *check, size_t index)
{
	const struct policy *policy = &check->config->policies[index];
	struct failure why;

	set_topic(check, &policy->where);
	check_names(check, policy);
	check_reachable(check, index);
	if (policy->action != POLICY_CONTAIN)
		return;
	if (!policy_supported(check->config, policy, &why)) {
		failure_prefix(&why, "policy \"%s\"", policy->name);
		report_failure(check->report, GRADE_PROBLEM, check->topic, &why);
	}
	check_limits(check, "policy", policy->name, &policy->limits, limits_check);
	check_image(check, policy);
	check_binds(check, policy);
	check_seccomp(check, policy);
}

/* Problems are attached to FILE:LINE; a file is well when none of its lines has one. */
static bool file_has_problem(const struct report *report, const char *file)
{
	size_t length = strlen(file);

	for (size_t i = 0; i < report->count; i++)
		if (report->findings[i].grade == GRADE_PROBLEM &&
		    strncmp(report->findings[i].topic, file, length) == 0 &&
		    report->findings[i].topic[length] == ':')
			return true;
	return false;
}

static void report_sound_files(const struct config *config, struct report *report)
{
	for (size_t i = 0; i < config->file_count; i++) {
		const char *file = config->files[i];
		size_t policies = 0, pools = 0;

		if (file_has_problem(report, file))
			continue;
		for (size_t j = 0; j < config->policy_count; j++)
			policies += strcmp(config->policies[j].where.file, file) == 0;
		for (size_t j = 0; j < config->pool_count; j++)
			pools += strcmp(config->pools[j].where.file, file) == 0;
		if (policies || pools)
			report_add(report, GRADE_OK, file, "%zu %s, %zu %s", policies,
				   policies == 1 ? "policy" : "policies", pools,
				   pools == 1 ? "pool" : "pools");
		else
			report_add(report, GRADE_OK, file, "sound");
	}
}

void policies_report(const struct config *config, bool quiet, struct report *report)
{
	struct cgroup_layout layout;
	struct failure why;
	struct check check = {.config = config, .report = report};

	if (cgroup_layout_find(config->cgroup_parent, -1, &layout, &why))
		check.layout = &layout;
	else
		report_failure(report, GRADE_PROBLEM, "cgroups", &why);
	for (size_t i = 0; i < config->policy_count; i++)
		check_policy(&check, i);
	for (size_t i = 0; i < config->pool_count; i++) {
		set_topic(&check, &config->pools[i].where);
		check_limits(&check, "pool", config->pools[i].name, &config->pools[i].limits,
			     limits_check_pool);
	}
	if (check.layout)
		cgroup_layout_close(&layout);
	if (!quiet)
		report_sound_files(config, report);
}

void exemptions_report(const struct config *config, struct report *report)
{
	size_t others = 0;

	for (size_t i = 0; i < config->exempt_users.count; i++) {
		const char *user = config->exempt_users.items[i];

		if (strcmp(user, "root") == 0)
			continue;
		if (getpwnam(user))
			others++;
		else
			report_add(report, GRADE_WARNING, "exempt", "there is no user \"%s\"",
				   user);
	}
	for (size_t i = 0; i < config->exempt_groups.count; i++) {
		const struct group *group = getgrnam(config->exempt_groups.items[i]);

		/* Members whose primary group it is are not listed; then this warns for nothing. */
		if (group && group->gr_mem[0])
			others++;
	}
	if (others)
		report_add(report, GRADE_OK, "exempt",
			   "root and %zu more users or groups are exempt", others);
	else
		report_add(
		    report, GRADE_WARNING, "exempt",
		    "only root is exempt: if root cannot log in here (sshd's PermitRootLogin), "
		    "no admin may be able to; add the group of your admins to exempt in "
		    "carrel.conf");
}

int run_policy_check(const struct command *command, int argc, char **argv)
{
	const char *directory = NULL;
	const struct option_spec specs[] = {{.name = "dir", .letter = 'd', .value = &directory}};
	_cleanup_config_ struct config *config = NULL;
	_cleanup_report_ struct report report = {0};
	struct operands operands;
	struct failure why;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 0, 0, &operands);

	if (status != STATUS_GO_ON)
		return status;
	config = load_policies(directory, NULL, &why);
	if (!config) {
		report_failure(&report, GRADE_PROBLEM, "policy", &why);
		return report_print(&report);
	}
	policies_report(config, false, &report);
	if (config->policy_count == 0)
		report_add(&report, GRADE_WARNING, "policy",
			   "there is no policy: nobody is contained; write one into policy.d/");
	exemptions_report(config, &report);
	return report_print(&report);
}

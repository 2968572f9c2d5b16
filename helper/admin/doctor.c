/* helper/admin/doctor.c - `carrel doctor`: run the checks, in the order in which trouble is best
 * mended. */
#include "helper/admin/doctor.h"

#include "helper/admin/commands.h"
#include "helper/admin/context.h"
#include "helper/admin/policy_check.h"

static const struct {
	void (*run)(const struct config *config, struct report *report);
	bool essential;
} checks[] = {
    {doctor_kernel, true},  {doctor_programs, true}, {doctor_policies, true},
    {doctor_cgroups, true}, {doctor_storage, true},  {doctor_disks, false},
    {doctor_layers, true},  {doctor_ids, false},     {doctor_pam, false},
    {doctor_sshd, false},   {doctor_mail, false},
};

void doctor_policies(const struct config *config, struct report *report)
{
	_cleanup_config_ struct config *sound = NULL;
	struct failure why;
	size_t before = report->grades[GRADE_PROBLEM];

	sound = load_policies(NULL, NULL, &why);
	if (!sound) {
		report_failure(report, GRADE_PROBLEM, "policy", &why);
		if (config)
			exemptions_report(config, report);
		return;
	}
	policies_report(sound, true, report);
	if (sound->policy_count == 0)
		report_add(report, GRADE_WARNING, "policy",
			   "there is no policy: nobody is contained; write one into policy.d/");
	else if (report->grades[GRADE_PROBLEM] == before)
		report_add(report, GRADE_OK, "policy", "%zu %s and %zu %s in %zu files",
			   sound->policy_count, sound->policy_count == 1 ? "policy" : "policies",
			   sound->pool_count, sound->pool_count == 1 ? "pool" : "pools",
			   sound->file_count);
	exemptions_report(sound, report);
}

static void run_checks(bool only_essential, struct report *report)
{
	struct config *rest = NULL;
	struct failure ignored; /* doctor_policies says it */
	_cleanup_config_ struct config *config = load_policies(NULL, &rest, &ignored);

	if (!config)
		config = rest;
	for (size_t i = 0; i < ARRAY_LENGTH(checks); i++)
		if (checks[i].essential || !only_essential)
			checks[i].run(config, report);
}

void doctor_essentials(struct report *report)
{
	run_checks(true, report);
}

int run_doctor(const struct command *command, int argc, char **argv)
{
	bool as_json = false;
	const struct option_spec specs[] = {{.name = "json", .flag = &as_json}};
	_cleanup_report_ struct report report = {0};
	struct operands operands;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 0, 0, &operands);

	if (status != STATUS_GO_ON)
		return status;
	run_checks(false, &report);
	return as_json ? report_print_json(&report) : report_print(&report);
}

/* helper/admin/pam.c - `carrel pam`: put Carrel into the PAM stacks of services, and take it out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "helper/admin/commands.h"
#include "helper/admin/context.h"
#include "helper/admin/doctor.h"
#include "helper/admin/pam_files.h"
#include "helper/admin/pam_text.h"
#include "helper/admin/policy_check.h"
#include "helper/admin/subject.h"
#include "helper/admin/table.h"

#define BACKUP_DIRECTORY "pam-backup"

/* Print every finding of at least that grade to stderr. How many there were. */
static size_t print_findings(const struct report *report, enum grade least)
{
	size_t printed = 0;

	for (size_t i = 0; i < report->count; i++) {
		const struct finding *finding = &report->findings[i];

		if (finding->grade < least)
			continue;
		(void)complain("%s: %s: %s",
			       finding->grade == GRADE_PROBLEM ? "problem" : "warning",
			       finding->topic, finding->text);
		printed++;
	}
	return printed;
}

/* With the line in place every contained user is refused while something essential is wrong. */
static bool machine_is_ready(void)
{
	_cleanup_report_ struct report report = {0};

	doctor_essentials(&report);
	(void)print_findings(&report, GRADE_WARNING);
	if (report.failed || report.grades[GRADE_PROBLEM]) {
		(void)complain(
		    "nothing is changed: as things are, everybody whom a policy contains "
		    "would be refused; mend the problems first");
		return false;
	}
	return true;
}

/* Would the admin who types this be contained or refused at the next login? Then make sure. */
static bool admin_may_lose_the_way_in(const struct config *config)
{
	const char *admin = admin_name();
	struct subject_names names;
	struct selection selection = {0};
	struct failure why;
	bool loses = false;

	if (!subject_names_load(admin, "sshd", &names, &why))
		return false; /* not a user of this machine: root through a recovery shell */
	if (!config_is_exempt(config, &names.subject)) {
		(void)config_select(config, &names.subject, &selection);
		loses = selection.policy ? selection.policy->action != POLICY_HOST
					 : config->unmatched_deny;
	}
	subject_names_free(&names);
	if (loses)
		(void)complain(
		    "warning: you (%s) are not exempt: your own next login would be %s", admin,
		    selection.policy && selection.policy->action == POLICY_CONTAIN ? "contained"
										   : "refused");
	return loses;
}

static bool back_up(const struct config *config, const char *service, const char *text,
		    struct failure *why)
{
	_cleanup_close_ int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int dir = -1;

	if (asprintf(&path, "%s/" BACKUP_DIRECTORY, config->state_dir + 1) < 0) {
		path = NULL;
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot keep a copy");
	}
	if (!dir_make_at(root, path, 0711, why))
		return false;
	dir = dir_open_at(root, path, false);
	if (dir < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open %s", path);
	return file_replace_at(dir, service, text, strlen(text), 0600, true, why);
}

/* The text with exactly one session line of ours in the whole stack, the last one. NULL with *why.
 */
static char *with_our_line_last(const char *text, struct failure *why)
{
	_cleanup_free_ char *without = pam_text_remove(text, true);
	struct pam_scan rest;

	if (!without) {
		(void)fail(why, FAILURE_SYSTEM, ENOMEM, "cannot change the text");
		return NULL;
	}
	if (!pam_scan_text(without, &rest, why))
		return NULL;
	if (rest.ours == 0)
		return pam_text_add(without, why);
	if (pam_scan_is_sound(&rest))
		return take_ptr(without); /* su-l includes su, which has the line */
	(void)fail(why, FAILURE_DATA, 0,
		   "a file that it includes has the line of Carrel, and there it is %s; mend that "
		   "file first",
		   pam_scan_state(&rest));
	return NULL;
}

static void print_enabled(const struct config *config, const char *service)
{
	(void)printf(
	    "%s: enabled: " PAM_DIRECTORY "/%s now ends with\n  %s"
	    "  to undo: carrel pam disable %s (a copy of the old file is %s/" BACKUP_DIRECTORY
	    "/%s)\n",
	    service, service, PAM_SESSION_LINE, service, config->state_dir, service);
}

static bool enable_service(const struct config *config, const char *service, struct failure *why)
{
	bool from_vendor;
	_cleanup_free_ char *text = pam_service_read(service, &from_vendor, why);
	_cleanup_free_ char *changed = text ? with_our_line_last(text, why) : NULL;
	struct pam_scan scan;

	if (!changed || !pam_scan(service, &scan, why))
		return false;
	if (pam_scan_is_sound(&scan)) {
		(void)printf("%s: already enabled\n", service);
	} else {
		if (!back_up(config, service, text, why) ||
		    !pam_service_write(service, changed, why) || !pam_scan(service, &scan, why))
			return false;
		admin_event(NULL, NULL, "pam enable %s", service);
		print_enabled(config, service);
	}
	if (pam_scan_trouble(&scan))
		(void)complain("warning: %s: %s", service, pam_scan_trouble(&scan));
	return true;
}

/* A file that services include is none itself: in it our line would not be last, and reach too far.
 */
static bool check_services(const struct operands *services)
{
	bool sound = true;

	for (size_t i = 0; i < services->count; i++) {
		const char *service = services->items[i];
		char includer[256];
		struct failure why;
		bool from_vendor;
		_cleanup_free_ char *text = pam_service_read(service, &from_vendor, &why);

		if (!text)
			(void)complain("%s: %s", service, why.text);
		else if (pam_is_fragment(service, includer))
			(void)complain("%s: is no service: %s includes it; enable the services "
				       "themselves",
				       service, includer);
		else
			continue;
		sound = false;
	}
	return sound;
}

int run_pam_enable(const struct command *command, int argc, char **argv)
{
	bool yes = false;
	const struct option_spec specs[] = {{.name = "yes", .letter = 'y', .flag = &yes}};
	_cleanup_config_ struct config *config = NULL;
	struct operands services;
	struct failure why;
	int status = options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 1, OPERANDS_ANY,
				   &services);

	if (status != STATUS_GO_ON)
		return status;
	if (!check_services(&services) || !machine_is_ready())
		return STATUS_FAILED;
	config = load_policies(NULL, NULL, &why);
	if (!config)
		return complain("%s", why.text);
	if (admin_may_lose_the_way_in(config) && !yes &&
	    !confirm("Enable Carrel in spite of that?"))
		return STATUS_FAILED;
	status = STATUS_OK;
	for (size_t i = 0; i < services.count; i++)
		if (!enable_service(config, services.items[i], &why))
			status = complain("%s: %s", services.items[i], why.text);
	(void)puts("Keep this session open until a login from another terminal has worked.");
	return output_status(status);
}

/* Needs no policy and no registry: the way back must work when all else is broken. */
static bool disable_service(const char *service, struct failure *why)
{
	bool from_vendor;
	_cleanup_free_ char *text = pam_service_read(service, &from_vendor, why);
	_cleanup_free_ char *changed = NULL;
	struct pam_scan scan;
	size_t session;

	if (!text)
		return false;
	if (pam_text_count(text, &session) == 0) {
		if (pam_scan(service, &scan, why) && scan.ours)
			return fail(why, FAILURE_DATA, 0,
				    "the line is in a file that " PAM_DIRECTORY
				    "/%s includes; remove it there",
				    service);
		(void)printf("%s: not enabled\n", service);
		return true;
	}
	changed = pam_text_remove(text, false);
	if (!changed)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot change the text");
	if (!pam_service_write(service, changed, why) ||
	    !pam_service_drop_copy(service, changed, why))
		return false;
	admin_event(NULL, NULL, "pam disable %s", service);
	(void)printf("%s: disabled: the line is gone from " PAM_DIRECTORY "/%s\n", service,
		     service);
	return true;
}

int run_pam_disable(const struct command *command, int argc, char **argv)
{
	struct operands services;
	struct failure why;
	int status = options_parse(command, argc, argv, NULL, 0, 1, OPERANDS_ANY, &services);

	if (status != STATUS_GO_ON)
		return status;
	status = STATUS_OK;
	for (size_t i = 0; i < services.count; i++)
		if (!disable_service(services.items[i], &why))
			status = complain("%s: %s", services.items[i], why.text);
	return output_status(status);
}

/* One service's row or object. False when its files cannot be read. */
static bool add_status(const char *service, struct table *table, struct json *json)
{
	struct pam_scan scan;
	struct failure why;
	const char *state, *trouble;

	if (!pam_scan(service, &scan, &why)) {
		(void)complain("%s: %s", service, why.text);
		return false;
	}
	state = pam_scan_state(&scan);
	trouble = pam_scan_trouble(&scan);
	if (json) {
		json_object_begin(json, NULL);
		json_string(json, "service", service);
		json_bool(json, "enabled", scan.ours != 0);
		json_bool(json, "last", scan.ours_last);
		json_string(json, "state", state);
		json_string(json, "trouble", trouble);
		json_object_end(json);
	} else {
		table_add(table, (const char *const[]){service, state, trouble ? trouble : ""});
	}
	return true;
}

static int print_status(char *const *names, size_t count, bool as_json, bool no_header)
{
	static const struct table_column columns[] = {
	    {"SERVICE", false}, {"CARREL", false}, {"", false}};
	struct json json = {0};
	struct table table;
	int status = STATUS_OK, printed;

	table_init(&table, columns, ARRAY_LENGTH(columns));
	json_array_begin(&json, NULL);
	for (size_t i = 0; i < count; i++)
		if (!add_status(names[i], &table, as_json ? &json : NULL))
			status = STATUS_FAILED;
	json_array_end(&json);
	if (as_json)
		printed = json_print(&json);
	else
		printed = table_print(&table, stdout, !no_header) ? output_status(STATUS_OK)
								  : complain("out of memory");
	table_free(&table);
	json_free(&json);
	return printed == STATUS_OK ? status : printed;
}

int run_pam_status(const struct command *command, int argc, char **argv)
{
	bool as_json = false, no_header = false;
	const struct option_spec specs[] = {{.name = "json", .flag = &as_json},
					    {.name = "no-header", .flag = &no_header}};
	struct operands services;
	struct failure why;
	char **names;
	size_t count;
	int status = options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 0, OPERANDS_ANY,
				   &services);

	if (status != STATUS_GO_ON)
		return status;
	if (services.count)
		return print_status(services.items, services.count, as_json, no_header);
	if (!pam_services(&names, &count, &why))
		return complain("%s", why.text);
	status = print_status(names, count, as_json, no_header);
	pam_names_free(names, count);
	return status;
}

/* helper/admin/doctor_pam.c - which ways in lead through Carrel, and which lead past it? */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/admin/doctor.h"
#include "helper/admin/pam_files.h"

/* What a contained user could do through a service that does not know Carrel. */
static const struct {
	const char *service, *danger;
} ways_in[] = {
    {"sshd", "logins by ssh are not contained"},
    {"login", "logins on the console are not contained"},
    {"su", "su to a contained user is not contained"},
    {"su-l", "su - to a contained user is not contained"},
    {"runuser", "what root starts with runuser is not contained"},
    {"runuser-l", "what root starts with runuser -l is not contained"},
    {"cron", "cron jobs of contained users run on the host: a way round"},
    {"crond", "cron jobs of contained users run on the host: a way round"},
    {"atd", "at jobs of contained users run on the host: a way round"},
    {"systemd-user", "systemd starts the users' own units on the host: a way round"},
    {"lightdm", "graphical logins are not contained"},
    {"gdm-password", "graphical logins are not contained"},
    {"sddm", "graphical logins are not contained"},
    {"xrdp-sesman", "remote desktops are not contained"},
    {"cockpit", "logins by Cockpit are not contained"},
};

/* Services whose programs give nobody a shell, though their stacks may begin a session. */
static const char *const no_ways_in[] = {
    "chfn",
    "chpasswd",
    "chsh",
    "cups",
    "gdm-launch-environment",
    "groupmod",
    "newusers",
    "lightdm-greeter",
    "other",
    "passwd",
    "polkit-1",
    "sddm-greeter",
    "sudo",
    "sudo-i",
    "vlock",
};

static void check_service(const char *service, const char *danger, size_t *enabled,
			  struct report *report)
{
	struct pam_scan scan;
	struct failure why;
	const char *trouble;

	if (!pam_scan(service, &scan, &why)) {
		if (why.kind != FAILURE_MISSING)
			report_failure(report, GRADE_WARNING, service, &why);
		return;
	}
	*enabled += scan.ours != 0;
	trouble = pam_scan_trouble(&scan);
	if (trouble)
		report_add(report, scan.ours_weak ? GRADE_PROBLEM : GRADE_WARNING, service, "%s",
			   trouble);
	else if (scan.ours)
		report_add(report, GRADE_OK, service, "Carrel is last in the session stack");
	else
		report_add(report, GRADE_WARNING, service, "%s; carrel pam enable %s", danger,
			   service);
}

static bool is_looked_at(const char *service)
{
	for (size_t i = 0; i < ARRAY_LENGTH(ways_in); i++)
		if (strcmp(ways_in[i].service, service) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LENGTH(no_ways_in); i++)
		if (strcmp(no_ways_in[i], service) == 0)
			return true;
	return false;
}

/* Whatever else begins sessions here: a server for ftp or mail, a console in the browser. */
static void check_unknown(const char *service, size_t *enabled, struct report *report)
{
	char includer[256];
	struct pam_scan scan;
	struct failure why;

	if (is_looked_at(service) || pam_is_fragment(service, includer))
		return;
	if (pam_scan(service, &scan, &why) && scan.sessions == 0 && scan.ours == 0)
		return;
	check_service(service,
		      "begins sessions that are not contained: whoever logs in by it is on the "
		      "host",
		      enabled, report);
}

static void check_others(size_t *enabled, struct report *report)
{
	struct failure why;
	char **names;
	size_t count;

	if (!pam_services(&names, &count, &why)) {
		report_failure(report, GRADE_WARNING, "pam", &why);
		return;
	}
	for (size_t i = 0; i < count; i++)
		check_unknown(names[i], enabled, report);
	pam_names_free(names, count);
}

void doctor_pam(const struct config *config, struct report *report)
{
	size_t enabled = 0;

	(void)config;
	for (size_t i = 0; i < ARRAY_LENGTH(ways_in); i++) {
		/* Its file is there on every Debian, the one who uses it is not. */
		if (strcmp(ways_in[i].service, "systemd-user") == 0 &&
		    access("/run/systemd/system", F_OK) < 0)
			continue;
		check_service(ways_in[i].service, ways_in[i].danger, &enabled, report);
	}
	check_others(&enabled, report);
	if (enabled == 0)
		report_add(
		    report, GRADE_WARNING, "pam",
		    "no service leads through Carrel yet; start with: carrel pam enable sshd");
}

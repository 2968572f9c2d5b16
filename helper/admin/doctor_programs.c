/* helper/admin/doctor_programs.c - are Carrel's own files in place, root's and nobody else's to
 * write? */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/paths.h"
#include "helper/admin/doctor.h"
#include "helper/admin/pam_files.h"

/* Whoever can write a directory on the way can put another file in its place. */
static bool parents_are_safe(const char *path, char culprit[PATH_MAX])
{
	char real[PATH_MAX];
	struct stat status;

	if (!realpath(path, real))
		return false;
	do {
		const char *parent = dirname(real);

		if (stat(parent, &status) < 0)
			return false;
		if (status.st_uid == 0 && !(status.st_mode & (S_IWGRP | S_IWOTH)))
			continue;
		(void)snprintf(culprit, PATH_MAX, "%s", parent);
		return false;
	} while (strcmp(real, "/") != 0);
	return true;
}

static void check_file(const char *path, mode_t wanted, const char *topic, struct report *report)
{
	char culprit[PATH_MAX] = "";
	struct stat status;

	if (stat(path, &status) < 0)
		report_add(report, GRADE_PROBLEM, topic, "%s: %s; install Carrel again", path,
			   strerror(errno));
	else if (!S_ISREG(status.st_mode) || status.st_uid != 0 ||
		 (status.st_mode & (S_IWGRP | S_IWOTH)) || (status.st_mode & wanted) != wanted)
		report_add(report, GRADE_PROBLEM, topic,
			   "%s has mode %04o and owner %u: it must be root's, with %04o and not "
			   "writable by group or others",
			   path, (unsigned)(status.st_mode & 07777), (unsigned)status.st_uid,
			   (unsigned)wanted);
	else if (!parents_are_safe(path, culprit))
		report_add(
		    report, GRADE_PROBLEM, topic,
		    "%s can be replaced by others than root: directory %s must be root's and "
		    "not writable by group or others",
		    path, *culprit ? culprit : "above it");
	else
		report_add(report, GRADE_OK, topic, "%s", path);
}

static void check_module(struct report *report)
{
	struct failure why;

	if (pam_module_check(&why))
		report_add(report, GRADE_OK, "module", "pam_carrel.so is where PAM looks for it");
	else
		report_failure(report, GRADE_PROBLEM, "module", &why);
}

void doctor_programs(const struct config *config, struct report *report)
{
	(void)config;
	check_file(CARREL_HELPER, 0500, "helper", report);
	check_file(CARREL_HELPER_FULL, 0500, "helper", report);
	check_file(CARREL_INIT, 0500, "init", report);
	check_file(CARREL_WATCH, 0500, "watch", report);
	check_module(report);
}

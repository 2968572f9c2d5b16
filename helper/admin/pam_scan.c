/* helper/admin/pam_scan.c - look at PAM stacks as libpam would run them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/admin/pam_files.h"
#include "helper/admin/pam_text.h"

#ifndef CARREL_PAM_MODULE_DIR
#define CARREL_PAM_MODULE_DIR "/lib/x86_64-linux-gnu/security"
#endif

#define INCLUDE_DEPTH_MAX 16 /* libpam's own PAM_SUBSTACK_MAX_LEVEL */

static void scan_line(const struct pam_line *line, bool in_substack, bool *may_have_ended,
		      struct pam_scan *scan)
{
	if (!line->is_ours) {
		scan->sessions++;
		scan->ours_last = false;
		if (line->may_end_stack && !in_substack)
			*may_have_ended = true;
		return;
	}
	scan->ours++;
	scan->ours_last = true;
	if (*may_have_ended)
		scan->skippable = true;
	if (strcasecmp(line->control, "optional") == 0 ||
	    strcasecmp(line->control, "sufficient") == 0)
		scan->ours_weak = true;
}

struct walk {
	bool may_have_ended; /* a line that may end the stack with success stood before */
	unsigned depth;
	bool in_substack;
	struct pam_scan *scan;
};

static bool scan_service(const char *service, struct walk *walk, struct failure *why);

static bool scan_text(const char *text, struct walk *walk, struct failure *why)
{
	struct pam_line line;

	while (pam_line_next(&text, &line)) {
		bool in_substack = walk->in_substack;

		if (line.type == PAM_LINE_SESSION)
			scan_line(&line, in_substack, &walk->may_have_ended, walk->scan);
		if (line.type != PAM_LINE_INCLUDE && line.type != PAM_LINE_SUBSTACK)
			continue;
		walk->in_substack = in_substack || line.type == PAM_LINE_SUBSTACK;
		if (!scan_service(line.module, walk, why))
			return false;
		walk->in_substack = in_substack;
	}
	return true;
}

static bool scan_service(const char *service, struct walk *walk, struct failure *why)
{
	bool from_vendor, sound;
	_cleanup_free_ char *text = pam_service_read(service, &from_vendor, why);

	if (!text)
		return false;
	if (walk->depth == INCLUDE_DEPTH_MAX)
		return fail(why, FAILURE_DATA, 0, "%s is included in a circle", service);
	walk->depth++;
	sound = scan_text(text, walk, why);
	walk->depth--;
	return sound;
}

bool pam_scan(const char *service, struct pam_scan *scan, struct failure *why)
{
	struct walk walk = {.scan = scan};

	*scan = (struct pam_scan){0};
	return scan_service(service, &walk, why);
}

bool pam_scan_text(const char *text, struct pam_scan *scan, struct failure *why)
{
	struct walk walk = {.scan = scan, .depth = 1};

	*scan = (struct pam_scan){0};
	return scan_text(text, &walk, why);
}

bool pam_scan_is_sound(const struct pam_scan *scan)
{
	return scan->ours == 1 && scan->ours_last && !scan->ours_weak;
}

const char *pam_scan_state(const struct pam_scan *scan)
{
	if (scan->ours == 0)
		return "not enabled";
	if (scan->ours > 1)
		return "enabled twice";
	if (scan->ours_weak)
		return "not required";
	if (!scan->ours_last)
		return "not last";
	return scan->skippable ? "can be skipped" : "enabled";
}

const char *pam_scan_trouble(const struct pam_scan *scan)
{
	if (scan->ours > 1)
		return "the line of Carrel is there more than once; run carrel pam enable again";
	if (scan->ours_weak)
		return "the line of Carrel is not 'required', so a refusal would be ignored; run "
		       "carrel pam disable, then enable";
	if (scan->ours && !scan->ours_last)
		return "session modules after the line of Carrel would run inside the container; run "
		       "carrel pam enable again";
	if (scan->skippable)
		return "a 'sufficient' or 'done' line before Carrel's can end the session stack: "
		       "that is a way round; make it 'optional'";
	return NULL;
}

bool pam_module_check(struct failure *why)
{
	static const char path[] = CARREL_PAM_MODULE_DIR "/" PAM_MODULE;
	struct stat status;

	if (stat(path, &status) < 0)
		return fail(why, FAILURE_MISSING, errno,
			    "the PAM module is not where PAM looks for it, %s", path);
	if (!S_ISREG(status.st_mode) || status.st_uid != 0 || (status.st_mode & 0022))
		return fail(why, FAILURE_DATA, 0,
			    "%s must be a file of root that nobody else can write", path);
	/* A directory without libpam's own modules is not the one that libpam was built with. */
	if (access(CARREL_PAM_MODULE_DIR "/pam_permit.so", F_OK) < 0)
		return fail(why, FAILURE_MISSING, 0,
			    "%s has no pam_permit.so, so PAM looks for modules elsewhere; "
			    "build Carrel with --with-pamdir=DIR",
			    CARREL_PAM_MODULE_DIR);
	return true;
}

/* helper/admin/pam_files.h - the services of PAM on this machine and their files. */
#ifndef CARREL_HELPER_ADMIN_PAM_FILES_H
#define CARREL_HELPER_ADMIN_PAM_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"

#define PAM_DIRECTORY "/etc/pam.d"
#define PAM_VENDOR_DIRECTORY                                                                       \
	"/usr/lib/pam.d" /* libpam looks here when /etc/pam.d has no such file */

/* The file of a service. NULL with *why: FAILURE_MISSING when there is none. The caller frees it.
 */
char *pam_service_read(const char *service, bool *from_vendor, struct failure *why);

/*
 * Put new text in place of /etc/pam.d/SERVICE at once, with the owner, mode and security label that
 * the file has (root's, 0644, for a new one).
 */
bool pam_service_write(const char *service, const char *text, struct failure *why);

/* Remove /etc/pam.d/SERVICE when `text`, its content, is the vendor's: it was there for our line
 * only. */
bool pam_service_drop_copy(const char *service, const char *text, struct failure *why);

/* What a login through a service meets, the included files read as well. */
struct pam_scan {
	size_t ours;     /* our session lines in the stack */
	bool ours_last;  /* nothing of the session stack comes after ours */
	bool ours_weak;  /* ours is "optional" or "sufficient": a refusal would not count */
	bool skippable;  /* a line before ours may end the stack with success */
	size_t sessions; /* session lines of others */
};
bool pam_scan(const char *service, struct pam_scan *scan, struct failure *why);
/* The same for a text that could become the file of a service. */
bool pam_scan_text(const char *text, struct pam_scan *scan, struct failure *why);
/* Is our line there once, required and last? */
bool pam_scan_is_sound(const struct pam_scan *scan);

/* In one or two words for a table: "enabled", "not last", ... */
const char *pam_scan_state(const struct pam_scan *scan);
/* Why the state is not good and what to do; NULL for a sound one. */
const char *pam_scan_trouble(const struct pam_scan *scan);

/*
 * All services, sorted: the names in both directories without editors' and package managers'
 * leftovers and without files that others include. Free with pam_names_free.
 */
bool pam_services(char ***names, size_t *count, struct failure *why);
void pam_names_free(char **names, size_t count);

/*
 * Is this file only a part of others, as common-session is? Then one that includes it is named.
 * What a variant of the same service includes (su-l includes su) is a service all the same.
 */
bool pam_is_fragment(const char *service, char includer[256]);

/* Is the module where libpam looks for modules, root's and writable by nobody else? */
bool pam_module_check(struct failure *why);

#endif

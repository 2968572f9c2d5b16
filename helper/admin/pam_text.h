/* helper/admin/pam_text.h - read and change the text of a file in /etc/pam.d, purely. */
#ifndef CARREL_HELPER_ADMIN_PAM_TEXT_H
#define CARREL_HELPER_ADMIN_PAM_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"

#define PAM_MODULE       "pam_carrel.so"
#define PAM_SESSION_LINE "session    required     " PAM_MODULE "\n"

enum pam_line_type {
	PAM_LINE_OTHER,    /* auth, account, password */
	PAM_LINE_SESSION,  /* session, -session */
	PAM_LINE_INCLUDE,  /* "session include NAME" or Debian's "@include NAME" */
	PAM_LINE_SUBSTACK, /* "session substack NAME": what ends it does not end the whole stack */
	PAM_LINE_UNKNOWN,  /* nothing that libpam would understand */
};

/* One logical line: what libpam makes of one or more lines that end in a backslash. */
struct pam_line {
	enum pam_line_type type;
	const char *begin, *end; /* where it stands in the text, with its newlines */
	bool includes;           /* another file, for whatever type */
	bool is_ours;            /* its module is pam_carrel.so, whatever the type */
	bool may_end_stack;      /* its control can end the session stack with success */
	char control[256];
	char module[256]; /* or the name of the included file */
};

/*
 * The next logical line, comments and empty lines left out. *cursor starts at the text and is moved
 * on; false at the end.
 */
bool pam_line_next(const char **cursor, struct pam_line *line);

/* Number of our lines of any type, and of type session. */
size_t pam_text_count(const char *text, size_t *session);

/* The text with our session line as its last line (caller frees). NULL with *why on failure. */
char *pam_text_add(const char *text, struct failure *why);

/*
 * The text without our lines (of any type, or only those of type session), else the same byte for
 * byte. The caller frees it; NULL when memory ran out.
 */
char *pam_text_remove(const char *text, bool only_session);

#endif

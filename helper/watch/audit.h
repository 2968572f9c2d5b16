/* helper/watch/audit.h - a login in the records of the kernel's audit. */
#ifndef CARREL_HELPER_WATCH_AUDIT_H
#define CARREL_HELPER_WATCH_AUDIT_H

#include "helper/watch/record.h"

/* Enough for a user, a host and a terminal of WIRE_NAME_MAX bytes each. */
#define AUDIT_TEXT_MAX 2048

/*
 * What libaudit would write of operation `op` (audit_log_acct_message(3)). No byte of a user's
 * name, a host's or a terminal's can begin another field. Pure.
 */
void audit_text(const struct login_facts *facts, const char *op, char text[static AUDIT_TEXT_MAX]);

/* A socket to audit, or -1 on a kernel without. Sending needs CAP_AUDIT_WRITE. */
int audit_open_socket(void);

/*
 * Write the begin or the end of the login. The kernel adds this process' login uid and session id,
 * which are those of the login. Where audit is off or refuses, nothing is written.
 */
void audit_begin(int audit, const struct login_facts *facts);
void audit_end(int audit, const struct login_facts *facts);

#endif

/* policy/template.h - judge a template before anyone logs in. */
#ifndef CARREL_POLICY_TEMPLATE_H
#define CARREL_POLICY_TEMPLATE_H

#include <stdbool.h>

#include "base/failure.h"

/*
 * Can the template be expanded, and are its own characters legal as they stand? What an admin
 * wrote is never changed silently, only what the names of users and groups bring in.
 */
bool template_check(const char *template, bool is_hostname, struct failure *why);

/* True when the template has %VARIABLE. */
bool template_uses(const char *template, char variable);

#endif

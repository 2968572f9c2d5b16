/* helper/session/welcome.h - what somebody who logs in is greeted with. Pure. */
#ifndef CARREL_HELPER_SESSION_WELCOME_H
#define CARREL_HELPER_SESSION_WELCOME_H

#include <stddef.h>

#include "helper/storage/usage.h"

/*
 * The policy's text (may be NULL), then a line about the disk when it is nearly full, then one
 * about its inodes; "" when there is nothing to say. Cut off when it does not fit.
 */
void welcome_text(const char *policy_text, const struct storage_usage *disk, char *out,
		  size_t size);

/* One more line, unless it is empty. */
void welcome_add(const char *line, char *out, size_t size);

#endif

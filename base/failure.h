/* base/failure.h - the one way in which a function says that it failed, and why. */
#ifndef CARREL_BASE_FAILURE_H
#define CARREL_BASE_FAILURE_H

#include <stdbool.h>

#include "base/cleanup.h"

enum failure_kind {
	FAILURE_NONE = 0,
	FAILURE_SYSTEM,      /* the kernel or a library refused something that should have worked */
	FAILURE_POLICY,      /* the policy files are broken, or forbid this */
	FAILURE_REQUEST,     /* the request is malformed or comes from someone who may not ask */
	FAILURE_UNSUPPORTED, /* this host cannot do what the policy asks */
	FAILURE_LIMIT,       /* a limit of the user's own is reached, for example sessions */
	FAILURE_BUSY,        /* something is in use, or did not become free in time */
	FAILURE_DATA,        /* stored data or a record of ours is not as we left it */
	FAILURE_MISSING,     /* something named does not exist */
	FAILURE_FROZEN,      /* an admin has frozen it */
	FAILURE_KIND_COUNT
};

/*
 * Filled by the function that fails. `text` is one sentence for the log: what was tried on what,
 * why it failed, what to do. `error` is the errno that caused it, or 0.
 */
struct failure {
	enum failure_kind kind;
	int error;
	char text[512];
};

/* Fill *why and return false. When `error` is not 0 its description is appended after ": ". */
bool fail(struct failure *why, enum failure_kind kind, int error, const char *format, ...)
    _printf_(4, 5);

/* The same for a function that returns -1. */
int fail_fd(struct failure *why, enum failure_kind kind, int error, const char *format, ...)
    _printf_(4, 5);

/* Put "format: " before the text that a deeper function left, keeping kind and error. */
void failure_prefix(struct failure *why, const char *format, ...) _printf_(2, 3);

/* A stable one-word name of the kind, for logs and JSON: "system", "policy", ... */
const char *failure_kind_name(enum failure_kind kind);

#endif

/* base/failure.c - fill in why something failed. */
#include "base/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void _printf_(4, 0) fill(struct failure *why, enum failure_kind kind, int error,
				const char *format, va_list arguments)
{
	int used;

	why->kind = kind;
	why->error = error;
	used = vsnprintf(why->text, sizeof(why->text), format, arguments);
	if (used < 0 || (size_t)used >= sizeof(why->text) || error == 0)
		return;
	(void)snprintf(why->text + used, sizeof(why->text) - (size_t)used, ": %s", strerror(error));
}

bool fail(struct failure *why, enum failure_kind kind, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fill(why, kind, error, format, arguments);
	va_end(arguments);
	return false;
}

int fail_fd(struct failure *why, enum failure_kind kind, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fill(why, kind, error, format, arguments);
	va_end(arguments);
	return -1;
}

void failure_prefix(struct failure *why, const char *format, ...)
{
	char deeper[sizeof(why->text)];
	va_list arguments;
	int used;

	memcpy(deeper, why->text, sizeof(deeper));
	va_start(arguments, format);
	used = vsnprintf(why->text, sizeof(why->text), format, arguments);
	va_end(arguments);
	if (used < 0 || (size_t)used >= sizeof(why->text))
		return;
	if (snprintf(why->text + used, sizeof(why->text) - (size_t)used, ": %s", deeper) < 0)
		why->text[used] = '\0';
}

const char *failure_kind_name(enum failure_kind kind)
{
	static const char *const names[FAILURE_KIND_COUNT] = {
	    [FAILURE_NONE] = "none",
	    [FAILURE_SYSTEM] = "system",
	    [FAILURE_POLICY] = "policy",
	    [FAILURE_REQUEST] = "request",
	    [FAILURE_UNSUPPORTED] = "unsupported",
	    [FAILURE_LIMIT] = "limit",
	    [FAILURE_BUSY] = "busy",
	    [FAILURE_DATA] = "data",
	    [FAILURE_MISSING] = "missing",
	    [FAILURE_FROZEN] = "frozen",
	};

	return kind >= 0 && kind < FAILURE_KIND_COUNT ? names[kind] : "unknown";
}

/* helper/admin/admin.h - what the commands that an admin types have in common. */
#ifndef CARREL_HELPER_ADMIN_H
#define CARREL_HELPER_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"
#include "helper/events/events.h"

/* Exit statuses; STATUS_GO_ON is not one: the command line was understood, do the work. */
enum { STATUS_GO_ON = -1, STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

struct command {
	const char *name;      /* one word, or two: "policy check" */
	const char *arguments; /* as the usage line has them */
	const char *help;      /* one line */
	int (*run)(const struct command *command, int argc, char **argv);
	bool needs_root;
};

/* An option of a command: a flag, or one that takes an argument. */
struct option_spec {
	const char *name;   /* without the dashes */
	char letter;        /* the short form, or '\0' */
	bool *flag;         /* set to true when the option is given */
	const char **value; /* or: receives the argument */
};

struct operands {
	size_t count;
	char **items; /* within argv */
};

#define OPERANDS_ANY SIZE_MAX

/*
 * Understand a command line. Options may stand before and after operands; "--" ends them;
 * --help and -h print the command's help. Then refuses callers that are not root where the command
 * needs it. STATUS_GO_ON, or the status to exit with; the user has been told why.
 */
int options_parse(const struct command *command, int argc, char **argv,
		  const struct option_spec *specs, size_t spec_count, size_t least, size_t most,
		  struct operands *operands);

/*
 * For a command that works in a container without privilege, and outside of it is root's:
 * STATUS_GO_ON, or the status to exit with; the user has been told.
 */
int require_root(const struct command *command);

/* Print "carrel: ..." to stderr. Returns STATUS_FAILED. */
int complain(const char *format, ...) _printf_(1, 2);

/* Print "carrel: ..." and the usage line to stderr. Returns STATUS_USAGE. */
int usage_error(const struct command *command, const char *format, ...) _printf_(2, 3);
void usage_print(FILE *out, const struct command *command);

/*
 * Ask a yes-or-no question on the terminal; no is the default. Without a terminal it prints that
 * --yes is needed and answers no.
 */
bool confirm(const char *format, ...) _printf_(1, 2);

/* Print the document and a newline. STATUS_OK, or STATUS_FAILED when it could not be made or
 * written. */
int json_print(struct json *json);

/* Flush standard output; a full disk or a closed pipe must not look like success. */
int output_status(int status);

/* Record that an admin changed something: an event "admin". `container` and `user` may be NULL. */
void admin_event(const char *container, const char *user, const char *format, ...) _printf_(3, 4);

/* The login name of the person behind sudo or su, never NULL: the name of uid 0 when nobody else.
 */
const char *admin_name(void);

#endif

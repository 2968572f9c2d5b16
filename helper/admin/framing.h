/* helper/admin/framing.h - what every command does around its own work, once. */
#ifndef CARREL_HELPER_ADMIN_FRAMING_H
#define CARREL_HELPER_ADMIN_FRAMING_H

#include "helper/admin/admin.h"
#include "helper/admin/context.h"
#include "helper/admin/select.h"
#include "helper/admin/table.h"

/* A command line: what options_parse is to understand. */
struct syntax {
	const struct option_spec *specs;
	size_t spec_count;
	size_t least, most; /* operands */
};

/* What a command does when everything is open. Returns the exit status. */
typedef int command_work(const struct context *context, const struct operands *operands,
			 void *data);

/* Understand the command line, open the context, do the work, close. Returns the exit status. */
int command_run(const struct command *command, int argc, char **argv, const struct syntax *syntax,
		command_work *work, void *data);

/* The same for a command line that is understood already. */
int command_work_on(const struct operands *operands, command_work *work, void *data);

/*
 * Understand the command line of a command that chooses: operands, or one of the selector's
 * options, which are among the syntax's. STATUS_GO_ON, or the status to exit with.
 */
int selection_parse(const struct command *command, int argc, char **argv,
		    const struct syntax *syntax, const struct selector *selector,
		    struct operands *names);

/* What a command does with the containers that were chosen, at least one. Returns the exit status.
 */
typedef int selection_work(const struct context *context, const struct name_set *set, void *data);

/* Open the context, choose, do the work, close; says so when nothing is chosen. */
int selection_work_on(const struct selector *selector, const struct operands *names,
		      enum select_which which, selection_work *work, void *data);

/* Rows that come out as a table for people, or as a JSON array for programs. */
struct listing {
	bool as_json, no_header; /* where the options put what was asked for */
	struct table table;
	struct json json;
};

/* Begin it; without `columns` there is no table, and people get what the command prints itself. */
void listing_begin(struct listing *listing, const struct table_column *columns, size_t count);
/* Print and free it. `status` is the command's own so far; returns the exit status. */
int listing_end(struct listing *listing, int status);

/* The names of all containers that some pattern (glob(7)) fits, or of all; sorted. */
struct names {
	char **items;
	size_t count;
};
bool names_load(const struct context *context, const struct operands *patterns, struct names *names,
		struct failure *why);
void names_free(struct names *names);

#endif

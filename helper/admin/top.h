/* helper/admin/top.h - the parts of `carrel top`. */
#ifndef CARREL_HELPER_ADMIN_TOP_H
#define CARREL_HELPER_ADMIN_TOP_H

#include <sys/types.h>

#include "helper/admin/context.h"
#include "helper/admin/top_table.h"

struct top_settings {
	uint64_t delay_seconds; /* between two looks */
	uint64_t rounds;        /* of batch mode; UINT64_MAX: until somebody ends it */
	struct top_order order;
	const char *filter; /* NULL: none */
};

/*
 * The table on a terminal, until q is pressed. Needs ncurses: without it in this build, says so.
 * Returns the exit status.
 */
int top_screen(const struct context *context, const struct top_settings *settings);

/* What can be done to a container from the keyboard, each by the command of that name. */
enum top_action { TOP_FREEZE, TOP_THAW, TOP_STOP, TOP_MESSAGE };

/*
 * Run the command for one container in a process of its own, which goes on when we end, and writes
 * what it has to say to `told`. `text` is the message of TOP_MESSAGE. Its pid, or -1 with errno.
 */
pid_t top_act(enum top_action action, const char *name, const char *text, int told);

#endif

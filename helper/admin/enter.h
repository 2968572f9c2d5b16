/* helper/admin/enter.h - run a program in a container without giving it anything of the admin's
 * terminal. */
#ifndef CARREL_HELPER_ADMIN_ENTER_H
#define CARREL_HELPER_ADMIN_ENTER_H

#include <stdbool.h>
#include <sys/types.h>

#include "helper/accounts/accounts.h"
#include "helper/admin/context.h"
#include "policy/policy.h"

/*
 * Two processes. The outer one stays on the host and keeps the admin's terminal. The inner one lets
 * go of it, joins the container, starts the program there and waits for it. A program inside that
 * outlived the command with a descriptor of the admin's terminal could read what the admin types
 * next, so none ever has one: it gets a terminal of the container, or pipes, and the outer process
 * carries the bytes.
 */
struct entry {
	const char *container;
	const struct account *account; /* of whom to be inside */
	const struct limits *limits;   /* for the resource limits of the process, NULL: none */
	char *const *command;          /* NULL: a login shell */
	/*
	 * Instead of a command: run this as the user, at home, and end with what it returns. It may
	 * neither load libraries nor look up names: that would run what the container holds.
	 */
	int (*inside)(const void *context);
	const void *context;
	bool use_terminal;   /* stdin and stdout are terminals: one of the container's */
	bool is_terminal[3]; /* which of the standard descriptors are */
};

/* What the inner process tells the outer one, once. */
struct entry_message {
	bool ready; /* the program is about to be started; with use_terminal the master comes along
		     */
	char text[512]; /* else why not */
};

/* Do it all. The exit status of the program, 128 + signal, or STATUS_FAILED when it could not
 * start. */
int entry_run(struct entry *entry);

/*
 * The same for a container by its name, as `user` (NULL: whose it is), after telling what stands in
 * the way; `deed` is what the event says.
 */
int entry_start(const struct context *context, struct entry *entry, const char *user,
		const char *deed);

/*
 * The inner process, just forked: `channel` to the outer one; `pipes` replace those standard
 * descriptors that are terminals (-1: /dev/null until the container's terminal is there). Never
 * returns.
 */
_Noreturn void entry_inside(const struct entry *entry, int channel, const int pipes[3],
			    pid_t outer);

/* In the container: become the user and the program. Never returns. */
_Noreturn void entry_exec(const struct entry *entry, int terminal, char *const *environment);

/* Carry bytes one way, without ever blocking on the side that is a container's. */
struct relay {
	int from, to;      /* -1 once its side has ended */
	bool close_to;     /* the reader learns of the end by it */
	bool to_container; /* the side that may be slow on purpose */
	size_t used, sent;
	char buffer[16384];
};
#define RELAYS_MAX 3

/*
 * Relay until `inner` has ended and what it wrote is out. `master` is the container's terminal, or
 * -1. Signals that end or resize are passed on. The wait status of inner.
 */
int relay_until_end(struct relay *relays, size_t count, int master, pid_t inner);

#endif

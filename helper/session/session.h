/* helper/session/session.h - one request of a login service, from question to answer. */
#ifndef CARREL_HELPER_SESSION_H
#define CARREL_HELPER_SESSION_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/failure.h"
#include "helper/accounts/accounts.h"
#include "helper/container/container.h"
#include "helper/storage/usage.h"
#include "policy/policy.h"
#include "wire/wire.h"

/* The process at the other end of the channel: proven to be our parent and the host's root. */
struct caller {
	pid_t pid;
	int pidfd; /* -1 when not open */
};

/*
 * The peer of the channel (SO_PEERCRED, unix(7)) must be uid 0 and our parent: the module starts
 * the helper itself, so anybody else is not a login service.
 */
bool caller_vet(int channel, struct caller *caller, struct failure *why);

struct admission;

/* Everything known about a request; freed by session_free. */
struct session_request {
	void *received; /* the request as it came; its account's strings are in here */
	struct wire_request wire;
	struct caller caller;
	struct config *config; /* NULL: it is broken */
	struct failure broken; /* in what way */
	bool has_no_folder;    /* it is not there at all */
	struct config *exempt; /* what could be read of a broken one, for who is exempt; or NULL */
	struct account *account; /* what came, or else what was looked up; NULL: not known yet */
	struct selection selection;
	char name[65], hostname[65];       /* of the container */
	char tty_name[LOGIN_TTY_NAME_MAX]; /* of the host's terminal that it is on, or "" */
	int events, log;                   /* descriptors of the logs, or -1 */
	int channel;                       /* to who asks; borrowed */
	uint64_t told_waiting;     /* when the user was last told to wait, seconds, 0: never */
	struct storage_usage disk; /* of the container, as PID 1 tells when it registers */
	int reply_fds[WIRE_FD_COUNT];
	struct admission *admission; /* session_admit's, until session_leave */
	char notice[200];            /* for who logs in to read, below the welcome; may be empty */
	struct wire_reply reply;
};

/* decide.c: load the config. Before there is a request: what is broken of it is told when it comes.
 */
void session_load(struct session_request *request);

/*
 * decide.c: exempt, host, deny or contain; fills reply.action and the texts, and for CONTAIN the
 * selection and the names. Fails only when a question could not be answered: then nobody but the
 * exempt is let in.
 */
bool session_decide(struct session_request *request, struct failure *why);

/*
 * admit.c: find or build the container, move the caller into its cgroup, register the session. The
 * container stays locked until session_leave: some thirty descriptors are closed more cheaply when
 * nobody waits for the answer any more.
 */
bool session_admit(struct session_request *request, struct failure *why);
void session_leave(struct session_request *request);

/* prepare.c: the same for an admin: no session, and nobody is moved. */
bool session_prepare(struct session_request *request, struct failure *why);

/*
 * waiting.c: say that we live, while `before` others are started first, and now and then to the
 * user too. False when nobody listens any more.
 */
bool session_tell_waiting(struct session_request *request, size_t before);

/* enter.c: host root joins a running container by its name. */
bool session_enter(struct session_request *request, struct failure *why);

/* reply.c: what of the policy goes back to the module: environment, umask, capabilities, welcome.
 */
bool reply_fill(struct session_request *request, const struct running_record *record,
		const struct policy *policy, struct failure *why);
/* The seccomp program of the policy into reply_fds. */
bool reply_seccomp(struct session_request *request, const struct registry *registry,
		   const struct policy *policy, struct failure *why);

/*
 * tty.c: the terminal of the host that the login service is on, if it is on one. `service` login
 * also gives it to the user, as login(1) itself would (the device's group becomes `tty_gid`).
 */
void login_tty_find(const struct session_request *request, struct login_tty *tty);
void login_tty_give(const struct session_request *request, const struct login_tty *tty, uid_t uid,
		    gid_t tty_gid);

/*
 * watch.c: start carrel-watch, which stays on the host until the login service ends, for utmp, wtmp
 * and logind. Only for services that log somebody in. A login without it is no worse but for
 * who(1).
 */
bool session_watch(const struct session_request *request, struct failure *why);

/* Read one request, decide, do, answer. The exit status of the helper. */
int session_main(int channel);

#endif

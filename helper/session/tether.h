/* helper/session/tether.h - what carrel-init is given to hold a session to its time. */
#ifndef CARREL_HELPER_SESSION_TETHER_H
#define CARREL_HELPER_SESSION_TETHER_H

#include "helper/container/container.h"
#include "helper/init/control.h"
#include "helper/limits/session_cgroup.h"
#include "helper/registry/registry.h"
#include "policy/policy.h"

/* Without a scope for a policy that ends no session: then a login costs what it did. */
struct tether {
	bool has_scope, has_budget;
	int tty; /* the host's terminal, to write messages to; -1: none */
	struct session_cgroup session;
	int counter, record; /* of the container's processor time, when has_budget */
	bool counter_is_v1;
};

#define TETHER_NONE                                                                                \
	{                                                                                          \
		.tty = -1, .session = {.files = {-1, -1, -1}}, .counter = -1, .record = -1         \
	}

/* Of whom the session is, in which container. Borrowed. */
struct tether_subject {
	const struct policy *policy;
	const struct registry *registry;
	const char *name;
	const struct cgroup_layout *layout;
	const struct cgroup *container;
	const struct login_tty *tty; /* its fd is -1 when it is on no terminal of the host */
	pid_t pid;                   /* of the login service */
};

/* Does the policy end sessions, so that PID 1 needs to be given the means? */
bool tether_is_wanted(const struct policy *policy);

/*
 * Make the session's cgroup when its policy has a session, hours or cpu_day, and bring the record
 * of the day's processor time up to now. False with *why, and nothing held.
 */
bool tether_open(const struct tether_subject *subject, struct tether *tether, struct failure *why);
void tether_close(struct tether *tether);

/* Say in the request which descriptors come, and put them into fds, which has room. How many. */
size_t tether_announce(const struct tether *tether, const struct policy *policy,
		       struct control_request *request, int *fds);

/* The processor time that container NAME has used today, by its record. Microseconds. */
uint64_t tether_used_today(const struct registry *registry, const char *name, time_t now);

#endif

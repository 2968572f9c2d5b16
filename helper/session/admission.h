/* helper/session/admission.h - what a login, or an admin's start, needs of a container on its way.
 */
#ifndef CARREL_HELPER_SESSION_ADMISSION_H
#define CARREL_HELPER_SESSION_ADMISSION_H

#include "helper/init/control.h"
#include "helper/session/queue.h"
#include "helper/session/session.h"
#include "helper/session/tether.h"

/* What an admission holds on its way; every step can count on those before it. */
struct admission {
	struct session_request *request;
	struct registry registry;
	struct cgroup_layout layout; /* empty until admission_find_cgroups */
	struct login_tty tty;        /* of the host's, that the login service is on */
	struct container_spec spec;
	struct running_record record;
	struct stored_record before; /* as it was when this login came */
	struct cgroup cgroup;        /* of the container that was found or started */
	char *came_from;             /* where the login service was; NULL: it is there still */
	struct tether tether;
	int lock, init;
	bool started;     /* by us */
	bool lent;        /* container_start() */
	struct turn turn; /* while it is being started */
};

#define ADMISSION_OF(of)                                                                           \
	{                                                                                          \
		.request = (of), .registry = {-1, -1, -1, -1, -1}, .tether = TETHER_NONE,          \
		.tty = {.fd = -1}, .lock = -1, .init = -1, .turn = TURN_NONE                       \
	}

const struct policy *admission_policy(const struct admission *admission);

/*
 * After a failure in a cgroup, which may be for what was kept of their mounts: the next login looks
 * anew. Always false.
 */
bool admission_doubt_mounts(const struct admission *admission);

/* Open the registry, and check that this version can do what the policy asks for. */
bool admission_prepare(struct admission *admission, struct failure *why);

/*
 * Find the cgroups, once, and check that they can hold to the policy's limits: before a container
 * is started, and before somebody is moved into one that runs.
 */
bool admission_find_cgroups(struct admission *admission, struct failure *why);

/* Nobody else finds, starts or stops the container meanwhile. */
bool admission_lock(struct admission *admission, struct failure *why);

/*
 * Find the container running, or start it, in turn with others that are being started. Fills
 * record and init. FAILURE_FROZEN when an admin has frozen it.
 */
bool admission_find(struct admission *admission, struct failure *why);

/* The gids that are the same inside; refuses a user whose uid is not in the running map. */
bool admission_map(const struct admission *admission, struct id_map *gids, struct failure *why);

/*
 * One request to the container's PID 1 and its answer, which may say no. False with *why when there
 * is none; FAILURE_BUSY, from nothing else on the way into a container, when PID 1 ends or is gone.
 */
bool admission_ask(const struct admission *admission, const struct control_request *request,
		   const int *fds, size_t count, struct control_answer *answer,
		   struct failure *why);

/* The two halves of admission_ask, for who has something to do meanwhile: a channel, or -1. */
int admission_send(const struct admission *admission, const struct control_request *request,
		   const int *fds, size_t count, struct failure *why);
bool admission_receive(const struct admission *admission, int channel,
		       struct control_answer *answer, struct failure *why);

/* After PID 1 said that it is stopping: its end, by force when it takes too long. */
bool admission_wait_for_end(struct admission *admission, struct failure *why);

/*
 * What was lent to a start is taken back, while the lock is still held and the login service has
 * not been told yet that it may go in.
 */
void admission_take_back(struct admission *admission);

/* But for the place and the tether, which are admit.c's. What was lent is taken back before. */
void admission_close(struct admission *admission);

#endif

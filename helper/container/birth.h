/* helper/container/birth.h - bring carrel-init into the world as PID 1 of new namespaces. */
#ifndef CARREL_HELPER_CONTAINER_BIRTH_H
#define CARREL_HELPER_CONTAINER_BIRTH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"
#include "helper/accounts/accounts.h"
#include "helper/container/plan_build.h"
#include "helper/init/channel.h"
#include "helper/limits/limits.h"

struct nursery;

/* A container that is being built. Closing the channel before birth_commit ends it without a trace.
 */
struct birth {
	struct nursery *nursery; /* of carrel-init before it is executed */
	int channel;             /* to carrel-init, helper/init/channel.h */
	pid_t outer;        /* the process that makes the namespaces and ends; -1: it was reaped */
	pid_t pid;          /* of PID 1 */
	int pidfd;          /* of PID 1 */
	int user_namespace; /* of the container, for idmapped mounts */
};

#define BIRTH_NONE                                                                                 \
	{                                                                                          \
		.channel = -1, .outer = -1, .pid = -1, .pidfd = -1, .user_namespace = -1           \
	}

/* Start carrel-init in the empty mount namespace, on its way to a user namespace of its own. */
bool birth_start(struct birth *birth, int empty_namespace, struct failure *why);

/*
 * Write the id maps and put it into its cgroup: from here on it counts against the limits. Then it
 * begins to make the other namespaces (CLONE_NEW* bits) and PID 1 in them.
 */
bool birth_admit(struct birth *birth, const struct id_map *uids, const struct id_map *gids,
		 const struct cgroup_layout *layout, const struct cgroup *cgroup,
		 uint32_t namespaces, struct failure *why);

/* Wait for PID 1. The network, which takes longest, may still be in the making. */
bool birth_meet(struct birth *birth, struct failure *why);

/*
 * A detached mount of the container's /proc. Made by a process that is in the container's PID
 * namespace but otherwise the host's: mounted from inside, the kernel would demand that a whole
 * /proc of the host is in view there (mount_too_revealing(), fs/namespace.c). -1 with *why.
 */
int birth_mount_proc(const struct birth *birth, struct failure *why);

/* Let PID 1 begin with the plan. */
bool birth_furnish(struct birth *birth, const struct plan *plan, struct failure *why);

/* Wait until it has carried it out, and for the end of what made PID 1. */
bool birth_finish(struct birth *birth, struct failure *why);

/* Set it free, with what it needs from now on (helper/init/channel.h): call when the registry knows
 * it. */
bool birth_commit(struct birth *birth, const struct channel_settings *settings, const int *given,
		  size_t given_count, struct failure *why);

/* End what was not committed, and close everything. */
void birth_close(struct birth *birth);

/* The plan as a sealed memfd, for PID 1. */
int plan_memfd(const struct plan *plan, struct failure *why);

#endif

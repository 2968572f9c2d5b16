/* helper/container/container.h - build a container, and prepare what a login needs in a running
 * one. */
#ifndef CARREL_HELPER_CONTAINER_H
#define CARREL_HELPER_CONTAINER_H

#include <stdbool.h>

#include "base/failure.h"
#include "helper/accounts/accounts.h"
#include "helper/container/plan_build.h"
#include "helper/limits/limits.h"
#include "helper/registry/registry.h"
#include "policy/policy.h"

/* All that decides what a container is. Everything is borrowed. */
struct container_spec {
	const char *name, *hostname;
	const struct config *config;
	const struct policy *policy;
	const struct pool *pool; /* or NULL */
	const char *group; /* the group that matched; its members share a container of the group */
	const struct account *account; /* of the user who logs in */
	const struct registry *registry;
	const struct cgroup_layout *layout;
	int events, log; /* descriptors to give to PID 1, or -1 */
};

/*
 * Build it and register it as running. The caller holds the registry's lock of that name and has
 * seen that it does not run. Fills *record and *init (a pidfd, caller closes). On failure nothing
 * of it runs and nothing is registered; stored data is as it was. With *lent, also on failure, the
 * caller calls storage_take_back once the first session is prepared, before it lets anybody in.
 */
bool container_start(const struct container_spec *spec, struct running_record *record, int *init,
		     bool *lent, struct failure *why);

/* The namespaces a container of this policy has: CLONE_NEW* bits for setns(2). */
uint32_t container_namespaces(const struct policy *policy);

/*
 * The ids that map to themselves inside: the user's own, and for a container that a group shares
 * those of the members of that group. Fills both maps.
 */
bool container_id_maps(const struct container_spec *spec, uint32_t block, struct id_map *uids,
		       struct id_map *gids, struct failure *why);

/*
 * The steps with which PID 1 makes the inside (common.c, then one of the two roots). *hold gets the
 * lock with which PID 1 keeps what it is made of (-1: none), *image_version which one that is,
 * *proc the place that /proc is to be given (plan_give) once there is a PID 1 that it shows.
 */
bool plan_inside(struct plan *plan, const struct container_spec *spec, int layer,
		 int user_namespace, size_t *proc, uint32_t *image_version, int *hold,
		 struct failure *why);
bool plan_host_root(struct plan *plan, const struct container_spec *spec, int user_namespace,
		    int *hold, struct failure *why);
extern const char *const program_folders[]; /* /usr, /opt and so on; ended by NULL */
bool plan_host_accounts(struct plan *plan, struct failure *why); /* once /run is there */
bool plan_image_root(struct plan *plan, const struct container_spec *spec, int user_namespace,
		     uint32_t *version, int *hold, struct failure *why);

void plan_image_etc(struct plan *plan); /* once /run is there */

/* The source of a bind as an O_PATH descriptor (caller closes), and which mount point it needs. */
int bind_source_open(const struct policy *policy, const struct bind_mount *bind,
		     enum plan_mountpoint *point, struct failure *why);

/* The host's terminal of a login service, as an O_PATH descriptor; fd -1 when it has none. */
#define LOGIN_TTY_NAME_MAX 48

struct login_tty {
	int fd;
	char name[LOGIN_TTY_NAME_MAX]; /* on the host: tty1, pts/3 */
	char inside[64];               /* where it appears: /dev/tty1, /dev/pts-3 */
};

/* The steps that a login adds: account, home, run-time folder, terminal. */
bool plan_session(struct plan *plan, const struct container_spec *spec, const struct id_map *gids,
		  const struct login_tty *tty, struct failure *why);

/*
 * May this be a home inside? Not /, nor below the folders that Carrel mounts itself. Pure;
 * FAILURE_POLICY with *why if not.
 */
bool home_path_check(const struct account *account, struct failure *why);

/* True when the policy's containers are shared by several users: its name has no %u. */
bool policy_is_shared(const struct policy *policy);

#endif

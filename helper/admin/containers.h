/* helper/admin/containers.h - what is known of one container, and talking to its PID 1. */
#ifndef CARREL_HELPER_ADMIN_CONTAINERS_H
#define CARREL_HELPER_ADMIN_CONTAINERS_H

#include <stdbool.h>

#include "helper/admin/context.h"
#include "helper/events/events.h"
#include "helper/init/control.h"
#include "helper/init/status.h"

struct container_info {
	const char *name;              /* borrowed */
	struct stored_record stored;   /* version 0: nothing is stored */
	struct running_record running; /* valid when init is not -1 */
	int init; /* pidfd of PID 1, -1: it does not run, or the pidfd was not asked for */
	bool runs;
	bool answers; /* PID 1 has told its sessions */
	bool stopping;
	bool frozen;            /* by an admin: PID 1 is not asked */
	uint32_t session_count; /* all of them */
	uint64_t idle_since;    /* seconds since the epoch, 0 while there are sessions */
	uint64_t cpu_day_left_microseconds; /* UINT64_MAX when nothing limits it */
	/* When gc may remove its data at the earliest, should nobody use it; seconds since the
	 * epoch, UINT64_MAX while it runs and where its policy lets nothing expire. */
	uint64_t expires_at;
	size_t session_room;              /* how many are in `sessions` */
	struct control_session *sessions; /* owned, NULL when they were not asked for */
	struct cgroup_usage usage;        /* UINT64_MAX where nothing is known */
	struct limits held;               /* by the kernel, LIMIT_UNSET where nothing is known */
	struct storage_usage disk;        /* how full its data are */
	uint64_t memory_limit; /* bytes, LIMIT_UNSET or LIMIT_UNLIMITED when there is none */
};

/*
 * Fill it in. False with *why when there is no such container, or its records cannot be read; a PID
 * 1 that does not answer is no failure. Release with container_info_close.
 */
bool container_info_load(const struct context *context, const char *name,
			 struct container_info *info, struct failure *why);
void container_info_close(struct container_info *info);

/* How much is to be known of many containers at once. */
enum container_detail {
	DETAIL_LIST, /* memory, processor time and processes; no limits, no disk of what is stopped
		      */
	DETAIL_ALL,  /* all but the sessions themselves */
};

/*
 * The same for many, whose PID 1s are all asked at once: those that do not answer cost seconds
 * together, not each. Calls `take` for each in the order of the names, without a pidfd. One that
 * vanishes meanwhile is left out; one whose records cannot be read is complained about. STATUS_OK
 * or STATUS_FAILED.
 */
int containers_load(const struct context *context, char *const *names, size_t count,
		    enum container_detail detail,
		    void (*take)(const struct container_info *info, void *data), void *data);

/* "running", "stopping", "no answer" or "stopped". */
const char *container_state(const struct container_info *info);
const char *container_user(const struct container_info *info);
const char *container_policy(const struct container_info *info);
const char *container_image(const struct container_info *info);

/* All that there is to tell about how it stands; what does not run uses no memory. */
void container_info_status(const struct context *context, const struct container_info *info,
			   struct container_status *status);

/* A number that may be unknown: null then. */
void json_known(struct json *json, const char *key, uint64_t value);

/*
 * One request to PID 1 and its answer; `sessions` (of CONTROL_SESSIONS_MAX) and *session_room are
 * filled for CONTROL_STATUS, NULL otherwise. False with *why when it does not answer within seconds
 * or refuses.
 */
bool control_call(const struct registry *registry, const char *name,
		  const struct control_request *request, struct control_answer *answer,
		  struct control_session *sessions, size_t *session_room, struct failure *why);

/*
 * Clear what a container that no longer runs has left at run time: cgroups, record, socket, id
 * block. Takes the registry's lock; a container that has been started again meanwhile is left
 * alone. *cleared tells whether there was anything.
 */
bool container_clear(const struct context *context, const char *name, bool dry_run, bool *cleared,
		     struct failure *why);

/*
 * Remove the stored data of a container that does not run, with its snapshots. With `unused_since`
 * only if it was not used after that moment: FAILURE_BUSY then, as when it runs.
 */
bool container_remove_data(const struct context *context, const char *name,
			   const uint64_t *unused_since, struct failure *why);

/*
 * Kill all that is in the cgroup of a container that should be at its end; `pool` may be "". PID 1
 * ends only when all of its namespace are reaped (pid_namespaces(7)), also children of a login
 * service, which is outside, and may itself wait on something that a user put in its way.
 */
void container_kill(const struct context *context, const char *name, const char *pool);

/* Are there traces at run time of a container that does not run? *pool gets its pool or "". */
bool container_has_traces(const struct context *context, const char *name, char pool[65]);

/*
 * How many containers may be waited for at once, with a descriptor each. Raises the limit to what
 * is allowed: the one that a shell hands on is for programs that use select.
 */
size_t containers_files_at_once(void);

/* Stop running containers, all at once as far as descriptors go. The ones that are gone have been
 * cleared. STATUS_OK or FAILED. */
int containers_stop(const struct context *context, char *const *names, size_t count,
		    const uint64_t *seconds);

#endif

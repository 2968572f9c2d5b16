/* helper/init/channel.h - the talk between the helper and carrel-init while a container is built.
 */
#ifndef CARREL_HELPER_INIT_CHANNEL_H
#define CARREL_HELPER_INIT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/init/plan.h"
#include "helper/limits/limits.h"

/*
 * carrel-init is started by the helper with the channel (SOCK_SEQPACKET) as descriptor 0 and an
 * empty mount namespace as descriptor 3. Then, one message each:
 *
 *   init    CHANNEL_UNSHARED	it has made its user namespace and waits for the id maps
 *   helper  CHANNEL_MAPPED	the maps are written, the cgroup holds it; value: CLONE_NEW* to make
 *   init    CHANNEL_STARTED	value: pid of PID 1 on the host; fd: its pidfd; the sender makes the
 *				network and ends
 *   helper  CHANNEL_PLAN	value: count of the plan's descriptors; fds: its memfd, these
 *   init    CHANNEL_DONE	PID 1 has carried it out, or result says where it failed
 *   helper  CHANNEL_COMMIT	the container is in the registry; PID 1 goes on by itself;
 *				settings; fds: listening control socket, note, [log], [events],
 *				[used], [hold], its cgroups
 *
 * End of file at any point means that the other side died: carrel-init ends then, so that a helper
 * that is killed before the registry knows the container leaves nothing.
 */
enum channel_kind {
	CHANNEL_UNSHARED = 1,
	CHANNEL_MAPPED,
	CHANNEL_STARTED,
	CHANNEL_PLAN,
	CHANNEL_DONE,
	CHANNEL_COMMIT,
	CHANNEL_TROUBLE, /* either way: value is an errno, text says what was tried */
};

struct channel_settings {
	char name[65];
	char policy[65];
	char image[65];
	uint64_t idle_seconds; /* UINT64_MAX: never */
	uint64_t stop_seconds;
	uint32_t has_log, has_events;
	uint32_t
	    has_used; /* the file that says when it was last used, helper/registry/registry.h */
	uint32_t has_hold;      /* kept open by PID 1 for its lifetime: a lock on what is mounted */
	uint32_t session_limit; /* 0: none; as in each struct control_request */
	uint32_t bounded_disk;  /* 0 or 1: statfs(2) of the layer tells the container's own bound */
	uint32_t cgroup_count;  /* O_PATH descriptors of its cgroups; what each is for: */
	struct {
		uint32_t v2;          /* 0 or 1 */
		uint32_t controllers; /* bits as in struct cgroup_layout */
	} cgroups[CGROUP_MAX_ROOTS];
};

struct channel_message {
	uint32_t kind;
	int32_t value;
	struct plan_result result;
	struct channel_settings settings;
	char text[128];
};

#define CHANNEL_MAX_FDS 240 /* below SCM_MAX_FD, 253 (unix(7)) */

/* Send one message with descriptors. False with errno. */
bool channel_send(int channel, const void *data, size_t length, const int *fds, size_t fd_count);

/*
 * Receive one datagram into data. Descriptors (close-on-exec) go to fds, of which there is room for
 * *fd_count; it is set to how many came. Returns the length, 0 at end of file, -1 with errno;
 * a datagram or descriptors that do not fit are EMSGSIZE, with everything received closed.
 */
long channel_receive(int channel, void *data, size_t size, int *fds, size_t *fd_count);

#endif

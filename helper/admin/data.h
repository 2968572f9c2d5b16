/* helper/admin/data.h - have a container's data to oneself for a command, and hold what runs in it.
 */
#ifndef CARREL_HELPER_ADMIN_DATA_H
#define CARREL_HELPER_ADMIN_DATA_H

#include "helper/admin/containers.h"
#include "helper/storage/layer.h"

struct data {
	const struct context *context;
	const char *name; /* borrowed */
	int lock;         /* nobody starts, stops or changes it meanwhile */
	int init;         /* pidfd of PID 1, -1: it does not run */
	struct running_record running;
	struct store
	    store;     /* folder is owned here, -1: nothing is stored; record.version is 0 then */
	int snapshots; /* O_PATH, -1: there are none yet */
	char path[4096];
};

/*
 * Take the container's lock, read its records and complete what an earlier command was killed in.
 * With `may_be_new` it need not exist. False with *why; then nothing is held. Release with
 * data_close.
 */
bool data_open(const struct context *context, const char *name, bool may_be_new, struct data *data,
	       struct failure *why);
void data_close(struct data *data);

/* False with *why, which says what to do, when it runs: `what` is what needs it stopped. */
bool data_need_stopped(const struct data *data, const char *what, struct failure *why);

/* Has data_open something to complete or to clear there? */
bool data_is_unsettled(const struct context *context, const char *name);

bool data_is_running(const struct context *context, const char *name);

/* Processes of a running container that are being held. */
struct hold {
	int lifeline; /* -1: nothing is held */
	pid_t guard;
};

/*
 * Hold the processes of a container that runs; nothing to do for one that does not. A guard lets
 * them go when this process ends, however it ends.
 */
bool data_hold(const struct data *data, struct hold *hold, struct failure *why);
void data_release(struct hold *hold);

#endif

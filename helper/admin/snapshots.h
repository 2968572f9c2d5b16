/* helper/admin/snapshots.h - the stored states of a container, and putting one in its place. */
#ifndef CARREL_HELPER_ADMIN_SNAPSHOTS_H
#define CARREL_HELPER_ADMIN_SNAPSHOTS_H

#include "helper/admin/data.h"
#include "helper/admin/leftovers.h"

#define LABEL_SIZE 65

/*
 * A snapshot is a store (helper/storage/layer.h) below state_dir/snapshots/NAME, with the record
 * `snapshot` beside `stored`. What is being made or removed has a name with a dot in front:
 *   .new-..., .removing-...   to be removed, whatever it is
 *   .swap-LABEL               with the file `staged` in it: not yet in its place, to be removed.
 *                             Without: what was in its place before, to become LABEL.
 */
struct snapshot {
	char label[LABEL_SIZE];
	uint64_t taken_at; /* seconds since the epoch */
	uint64_t bytes;    /* on the host's disk, UINT64_MAX: unknown */
	char admin[65];    /* who caused it */
	struct stored_record stored;
};

/* As names of containers, but a digit may come first. False with *why. */
bool label_check(const char *label, struct failure *why);

/* PREFIX and the time, in UTC: "2026-11-24t20-15-59z". */
void label_of_now(const char *prefix, char label[LABEL_SIZE]);

/* Complete or clear what was cut short. The caller has the lock. */
bool snapshots_settle(struct data *data, struct failure *why);

bool snapshots_are_unsettled(int folder, int snapshots);

/* Sorted by time; free *list. */
bool snapshots_load(const struct registry *registry, const char *name, struct snapshot **list,
		    size_t *count, struct failure *why);

/* Open one; close store->folder. `path` is for the store's. False with *why. */
bool snapshot_open(const struct data *data, const char *label, struct store *store, char path[4096],
		   struct failure *why);

/* Take one of what is there now; of a running container its processes are held meanwhile. */
bool snapshot_take(struct data *data, const char *label, struct failure *why);
bool snapshot_remove(const struct data *data, const char *label, struct failure *why);

/* A state in the making, below the snapshots of its container. */
struct stage {
	int folder;
	char name[LEFTOVER_NAME_MAX];
	char label[LABEL_SIZE]; /* what becomes of the state before; "" to give that up */
	char path[4096];
};

/*
 * Begin a state that is to take the place of the container's. With `keep` the state before becomes
 * a snapshot of the label that begins with it. The caller fills stage->folder: a layer, `stored`.
 */
bool stage_begin(struct data *data, const char *keep, struct stage *stage, struct failure *why);

/* Sync it and put it in its place, in one step; then what was there is kept or removed. */
bool stage_commit(struct data *data, struct stage *stage, struct failure *why);

/* Give it up, if it was not committed. */
void stage_end(struct data *data, struct stage *stage);

#endif

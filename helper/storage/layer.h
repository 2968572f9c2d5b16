/* helper/storage/layer.h - what can be done with a container's data as a whole: copied, emptied. */
#ifndef CARREL_HELPER_STORAGE_LAYER_H
#define CARREL_HELPER_STORAGE_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"
#include "helper/registry/registry.h"

/*
 * A store is a folder with the record `stored` and a layer of the kind that the record names:
 * state_dir/containers/NAME, and each snapshot, state_dir/snapshots/NAME/LABEL. The caller holds
 * the lock of the container.
 */
struct store {
	int folder;       /* not owned */
	const char *path; /* for messages */
	struct stored_record record;
};

/*
 * Open the layer as it is, with nothing made, grown or settled. Returns a descriptor (O_RDONLY) of
 * the folder that has upper, work, home and var-tmp in it; -1 with *why. FAILURE_MISSING when the
 * store has no layer yet.
 */
int layer_open(const struct store *store, struct failure *why);

/*
 * Make in the folder `to`, which has none, a layer like that of `store`, to which nobody writes at
 * the moment: by reflink where the file system can, else without filling holes. What was written is
 * on disk when this returns. A store without a layer is no failure: there is nothing to copy. On
 * failure a part may be left in `to`. Copies are never counted against the disk quota of the
 * container.
 */
bool layer_copy(const struct store *store, int to, struct failure *why);

/* About how many bytes of the host's disk the layer takes; UINT64_MAX when that cannot be told. */
uint64_t layer_usage(const struct store *store);

/*
 * Empty the layer but for `home`, in a way that can be cut short anywhere: from when the mark
 * `pending` is on disk it is as good as done, and whoever opens the layer next completes it.
 */
bool layer_reset(const struct store *store, struct failure *why);

/*
 * Put the folder NEW of the layer in the place of `home`, at once. What was home goes with
 * layer_tidy. layer_stage marks first that there is something to tidy up, and makes NEW.
 */
#define LAYER_NEW_HOME ".new-home"
int layer_stage_home(const struct store *store, int layer, struct failure *why);
bool layer_commit_home(int layer, struct failure *why);

/*
 * Complete in an opened layer (its mount will do) what was cut short, without what can wait. Cheap
 * when there is nothing.
 */
bool layer_settle(int folder, int layer, const char *path, struct failure *why);

/* Has this store something for layer_tidy to do? */
bool layer_is_untidy(int folder);

/* Complete what was cut short, and remove what it left. */
bool layer_tidy(const struct store *store, struct failure *why);

#endif

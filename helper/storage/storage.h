/* helper/storage/storage.h - where the data of one container lies, and what holds it to its size.
 */
#ifndef CARREL_HELPER_STORAGE_H
#define CARREL_HELPER_STORAGE_H

#include <stdbool.h>

#include "base/failure.h"
#include "helper/registry/registry.h"
#include "policy/policy.h"

/*
 * A container's data, whatever holds it, is one folder with these in it, owned on disk by the ids
 * 0..65535 of the inside (an idmapped mount shows them as the container's):
 *   upper, work   what the container changed of its image (overlayfs)
 *   home/USER     private homes
 *   var-tmp       /var/tmp
 */

/*
 * They are kept as
 *   plain   in the folder `layer` of the container, bounded by the host's file system alone
 *   image   in the file `layer.ext4`, a sparse ext4 of the size of the policy's `disk`, when it has
 *           one: full for the inside when it is full, whatever the host's file system can do
 * The first start decides; the data are never moved to another kind.
 *
 * Make (the first time) and open the data of a container. Returns a detached mount of the folder
 * (open_tree(2), fsmount(2)), private, without an id map yet; -1 with *why. The record's `storage`
 * says how it is stored, and is set when it is new.
 */
int storage_open(const struct registry *registry, const char *name, const struct config *config,
		 const struct policy *policy, struct stored_record *record, struct failure *why);

/* The same in any folder with the form of a container's; `path` is the folder's, for messages. */
int storage_open_at(int folder, const char *path, const char *name, const struct config *config,
		    const struct policy *policy, struct stored_record *record, struct failure *why);

/* Can `disk` and `inodes` of this policy be enforced with this storage? FAILURE_UNSUPPORTED if not.
 */
bool storage_check(const struct config *config, const struct policy *policy, struct failure *why);

#endif

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

/* The layout that is written; a record with a higher `version` is of a newer Carrel. */
#define STORED_VERSION 1

/*
 * They are kept (helper/storage/kinds.h) as
 *   plain    in the folder `layer` of the container, bounded by the host's file system alone
 *   project  in the folder `layer.project`, in an ext4 or xfs project of its own
 *   btrfs    in the subvolume `layer.btrfs`
 *   image    in the file `layer.ext4`, a sparse ext4 of the size of the policy's `disk`
 * carrel.conf chooses for policies that ask for disk or inodes; otherwise data stay where they are,
 * and new ones are plain. A container whose kind cannot hold what is asked is moved to one that
 * can.
 */

/*
 * Make (the first time), move when it must be and is small enough for a login to wait, and open the
 * data of a container, held to the limits of the policy. Limits below what is used are refused.
 * Returns a detached mount of the folder (open_tree(2), fsmount(2)), private, nodev, nosuid without
 * root = yes, without an id map yet; -1 with *why. The record's `storage` says how it is stored.
 * Nobody may use the container; the caller holds its lock and writes the record afterwards.
 * With *lent the start has some room beyond the limits, for what it makes there itself, so that
 * whoever has filled them gets in to make room: storage_take_back ends that before anybody else may
 * write.
 */
int storage_open(const struct registry *registry, const char *name, const struct config *config,
		 const struct policy *policy, struct stored_record *record, bool *lent,
		 struct failure *why);

/* As far as it goes; what remains is taken back by the next start. */
void storage_take_back(const struct registry *registry, const char *name,
		       const struct config *config, const struct policy *policy);

/*
 * The same in any folder with the form of a container's, and without a bound in time; `path` is the
 * folder's, for messages.
 */
int storage_open_at(int folder, const char *path, const char *name, const struct config *config,
		    const struct policy *policy, struct stored_record *record, struct failure *why);

/*
 * What storage_open would do to the stored data of a container that does not run, and without a
 * bound in time: move, grow, limit, and clear what was cut short. The caller holds the lock. A
 * container without data needs nothing.
 */
bool storage_settle(const struct registry *registry, const char *name, const struct config *config,
		    const struct policy *policy, struct failure *why);

/*
 * Put the limits of the policy in force on a container that runs; the caller holds the lock.
 * project and btrfs: at once. image: grows, mounted, which needs CAP_SYS_RESOURCE on the host.
 * FAILURE_BUSY when the data would have to be moved, for which it must be stopped.
 * FAILURE_UNSUPPORTED with the numbers when they do not fit. Nothing has changed then.
 */
bool storage_apply(const struct registry *registry, const char *name, const struct config *config,
		   const struct policy *policy, struct failure *why);

/* Can `disk` and `inodes` of this policy be enforced with this storage? FAILURE_UNSUPPORTED if not.
 */
bool storage_check(const struct config *config, const struct policy *policy, struct failure *why);

#endif

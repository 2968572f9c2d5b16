/* helper/storage/move.h - data of a container go from one kind of storage to another. */
#ifndef CARREL_HELPER_STORAGE_MOVE_H
#define CARREL_HELPER_STORAGE_MOVE_H

#include <stdbool.h>

#include "base/failure.h"
#include "helper/registry/registry.h"
#include "helper/storage/kinds.h"

/*
 * Nobody may use the container meanwhile. A move can be cut short at any instant:
 *   .new-ENTRY    the copy in the making; the next move throws it away
 *   .moved-ENTRY  the copy is whole and on disk
 *   the record says that the new kind holds: from here on it is done
 *   .old-ENTRY    the old data, about to be removed
 */

/*
 * Move what the record says to `to`, and say so in the record, on disk. Where `place` is not
 * patient, too much data are FAILURE_UNSUPPORTED with what to type. `to` may be the kind that it
 * has already: then it is made anew.
 */
bool storage_move_to(const struct storage_place *place, const struct storage_ops *to,
		     const struct storage_wish *wish, struct stored_record *record,
		     struct failure *why);

/*
 * Complete a move that was cut short, and remove what is left of one, but never while the data are
 * not in their place: then it may be all that there is of them. Cheap when there is none.
 */
bool storage_move_settle(const struct storage_place *place, const struct stored_record *record,
			 struct failure *why);

/* Is there such an entry? False when that cannot be told, which must not count as either. */
bool storage_has(const struct storage_place *place, const char *entry, bool *has,
		 struct failure *why);

/* A new one, empty, in place. */
bool storage_make_new(const struct storage_place *place, const struct storage_ops *kind,
		      const struct storage_wish *wish, struct failure *why);

#endif

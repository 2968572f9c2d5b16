/* policy/stamp.h - what tells the policy files, as they are now, from all others. */
#ifndef CARREL_POLICY_STAMP_H
#define CARREL_POLICY_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* One record for each file and folder that is read or missed, in the order of reading. */
struct stamp {
	char *bytes; /* the caller frees them */
	size_t length;
	time_t latest; /* of the changes of state */
};

/*
 * Look at the directory `dir` and all that config_load would read in there. False when something
 * cannot be looked at, or there is no memory; what there is of the stamp is to be released.
 */
bool stamp_take(int dir, struct stamp *stamp);

/*
 * Would stamp_take make these bytes again? Which files there are is not asked when the folder that
 * names them has not changed. The bytes, at a multiple of 8, may be anything.
 */
bool stamp_holds(const void *bytes, size_t length, int dir);

#endif

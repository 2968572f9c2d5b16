/* helper/init/skel.h - homes: from the layer, filled from /etc/skel the first time. */
#ifndef CARREL_HELPER_INIT_SKEL_H
#define CARREL_HELPER_INIT_SKEL_H

#include <stdbool.h>
#include <sys/types.h>

/* Copy the files, folders and links below /etc/skel into `target`, for uid and gid. errno on false.
 */
bool skel_copy(int target, uid_t uid, gid_t gid);

/*
 * Make home/USER in the layer when it is not there: filled aside and renamed, so that a home is
 * never half made, whenever the machine stops. errno on false.
 */
bool home_make(int layer, const char *user, uid_t uid, gid_t gid);

#endif

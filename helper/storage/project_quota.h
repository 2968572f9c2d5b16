/* helper/storage/project_quota.h - project quotas of ext4 and xfs, by descriptor. */
#ifndef CARREL_HELPER_STORAGE_PROJECT_QUOTA_H
#define CARREL_HELPER_STORAGE_PROJECT_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"
#include "helper/storage/kinds.h"

/*
 * Limits bind whoever lacks CAP_SYS_RESOURCE in the host's user namespace (fs/quota/dquot.c,
 * ignore_hardlimit()), which nobody in a container has; xfs exempts nobody. Which project a file
 * belongs to, and that a folder hands it on, is changed from the host's user namespace only
 * (fileattr_set_prepare(), since Linux 5.13; FS_IOC_FSSETXATTR and FS_IOC_SETFLAGS alike).
 */

/*
 * Are project limits in force on the file system of `fd`? FAILURE_UNSUPPORTED with what to do. On a
 * file system without project quotas it says so.
 */
bool project_quota_in_force(int fd, struct failure *why);

/* `fd`: any file or folder there, not O_PATH. Both false with errno. */
bool project_quota_get(int fd, uint32_t project, struct storage_facts *facts);
bool project_quota_set(int fd, uint32_t project, const struct storage_wish *wish);

/* The project of an open folder when it hands it on to what is made in it; 0: none. */
uint32_t project_of(int folder);

/* Put an empty folder into a project, with all that will be made in it. False with errno. */
bool project_join(int folder, uint32_t project);

#endif

/* helper/container/trusted_path.h - open a path of the host without being led astray by its users.
 */
#ifndef CARREL_HELPER_CONTAINER_TRUSTED_PATH_H
#define CARREL_HELPER_CONTAINER_TRUSTED_PATH_H

#include "base/failure.h"

/*
 * Open an absolute path as O_PATH. A symbolic link is only followed when the folder that holds it
 * is root's and nobody else can write it: in a folder that a user can write, a link could lead
 * root's eyes anywhere (CVE-2025-6020 was such a path in pam_namespace). The same goes for "..". -1
 * with *why (FAILURE_MISSING when something is not there).
 */
int trusted_path_open(const char *path, struct failure *why);

#endif

/* helper/init/root_grant.h - root = yes: let the user become the container's root. */
#ifndef CARREL_HELPER_INIT_ROOT_GRANT_H
#define CARREL_HELPER_INIT_ROOT_GRANT_H

#include <stdbool.h>

/*
 * No password of the host ever enters a container, so nobody inside has one that sudo or su could
 * ask for. Makes sudo ask none (/etc/sudoers.d/carrel, where the image has that folder), and takes
 * the lock off root's entry in /etc/shadow, so that su asks none either; a root password that the
 * image or the user has set stays. Under a policy without root = yes neither has any effect
 * (no_new_privs). False with errno.
 */
bool root_grant(void);

/* Pure: the shadow text with root's locked password ("*", "!...") made empty; NULL when nothing is
 * to do. */
char *root_unlock(const char *shadow);

#endif

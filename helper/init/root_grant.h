/* helper/init/root_grant.h - root = yes: let the user become the container's root. */
#ifndef CARREL_HELPER_INIT_ROOT_GRANT_H
#define CARREL_HELPER_INIT_ROOT_GRANT_H

#include <stdbool.h>

/*
 * No password of the host ever enters a container, so nobody inside has one that sudo or su could
 * ask for. Makes sudo ask none (/etc/sudoers.d/carrel, where the image has that folder), takes the
 * lock off root's entry in /etc/shadow, so that su asks none either (a root password that the image
 * or the user has set stays), and gives `user` an entry there, without which pam_unix(8) takes the
 * account for expired. Under a policy without root = yes none of it has an effect (no_new_privs).
 * False with errno.
 */
bool root_grant(const char *user);

/*
 * Pure: the shadow text with root's locked password ("*", "!...") made empty and an entry for the
 * user that has no password; caller frees, NULL when out of memory.
 */
char *root_unlock(const char *shadow, const char *user);

#endif

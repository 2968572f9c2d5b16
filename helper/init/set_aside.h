/* helper/init/set_aside.h - clear the way of a login of what it would wait at. */
#ifndef CARREL_HELPER_INIT_SET_ASIDE_H
#define CARREL_HELPER_INIT_SET_ASIDE_H

#include <stdbool.h>

/*
 * When `path` leads to a FIFO, to a device other than /dev/null or, in /etc, to more than 1 MiB,
 * rename it to `path`.set-aside. With root = yes all of this is the container's root's to place,
 * and the login service would read it without an end. True when nothing is in the way, else false
 * with errno.
 */
bool set_aside(const char *path);

#endif

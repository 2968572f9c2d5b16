/* helper/init/top_level.h - show in a new root what another one has at its top level. */
#ifndef CARREL_HELPER_INIT_TOP_LEVEL_H
#define CARREL_HELPER_INIT_TOP_LEVEL_H

#include <stdbool.h>

/*
 * Of each entry of the directory `from` that "/" does not have yet: links are made anew, everything
 * else is bound. False with errno; E2BIG when there is more than a root should hold.
 */
bool top_level_show(int from);

#endif

/* helper/admin/tree_clean.h - take out of an unpacked tree what does not belong into an image. */
#ifndef CARREL_HELPER_ADMIN_TREE_CLEAN_H
#define CARREL_HELPER_ADMIN_TREE_CLEAN_H

#include "helper/storage/tree_copy.h"

/*
 * Make of what another program has unpacked below `dir` what tree_copy would have made of it:
 * device nodes are removed, and the attributes that do not belong into an image. Fills in the
 * counts, and calls counts->tell and tick as tree_copy does.
 */
bool tree_clean(int dir, struct tree_copy *counts, struct failure *why);

#endif

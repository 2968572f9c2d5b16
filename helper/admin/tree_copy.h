/* helper/admin/tree_copy.h - copy a root file system as it is: owners, modes, times, links,
 * attributes. */
#ifndef CARREL_HELPER_ADMIN_TREE_COPY_H
#define CARREL_HELPER_ADMIN_TREE_COPY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/failure.h"

struct tree_copy {
	uint64_t files, directories, links;
	uint64_t bytes;
	uint64_t left_out; /* devices, sockets, other file systems; each was named on stderr */
};

/*
 * Copy what is in directory `from` into the empty directory `to`, and the attributes of `from`
 * itself. Hard links stay links, holes stay holes, extended attributes (ACLs and file capabilities
 * among them) are kept. Device nodes, sockets, mounted file systems and overlayfs's own attributes
 * are left out. `excluded` is a directory not to go into, NULL for none: where the copy is being
 * made. Links are never followed. False with *why on failure; `to` then holds a part.
 */
bool tree_copy(int from, int to, const struct stat *excluded, struct tree_copy *counts,
	       struct failure *why);

/* Remove every device node below `dir`, naming each on stderr; adds to counts->left_out. */
bool tree_remove_devices(int dir, struct tree_copy *counts, struct failure *why);

#endif

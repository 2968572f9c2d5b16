/* helper/storage/tree_copy.h - copy a tree as it is: owners, modes, times, links, attributes. */
#ifndef CARREL_HELPER_STORAGE_TREE_COPY_H
#define CARREL_HELPER_STORAGE_TREE_COPY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/failure.h"

#define TREE_ID_MAX 65535u

struct tree_copy {
	uint64_t files, directories, links;
	uint64_t bytes;
	uint64_t left_out; /* devices, sockets, other file systems; each was told */
	uint64_t unmapped; /* entries with an owner above TREE_ID_MAX, who is nobody inside */

	/* Set by the caller. */
	void (*tell)(void *context, const char *path, const char *what); /* what is left out */
	/* Before each entry, NULL: nobody is interested; false with *why stops the copy. */
	bool (*tick)(void *context, const char *path, struct failure *why);
	void *context; /* for both */
	/*
	 * A container's layer rather than a root file system: overlayfs's own attributes and
	 * whiteouts (character devices 0:0) say what the container changed and removed of its
	 * image, and sockets are kept too.
	 */
	bool is_layer;
	/* By CLOCK_MONOTONIC, when to give up with FAILURE_BUSY; NULL: never. */
	const struct timespec *until;
};

/*
 * Copy what is in directory `from` into the empty directory `to`, and the attributes of `from`
 * itself. Hard links stay links, holes stay holes, extended attributes (ACLs and file capabilities
 * among them) are kept. Device nodes and mounted file systems are left out, as are sockets and
 * overlayfs's own attributes unless it is a layer. `excluded` is a directory not to go into, NULL
 * for none: where the copy is being made. Links are never followed. False with *why on failure;
 * `to` then holds a part.
 */
bool tree_copy(int from, int to, const struct stat *excluded, struct tree_copy *counts,
	       struct failure *why);

#endif

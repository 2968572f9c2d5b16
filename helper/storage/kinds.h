/* helper/storage/kinds.h - the ways to keep the data of one container, one table entry for each. */
#ifndef CARREL_HELPER_STORAGE_KINDS_H
#define CARREL_HELPER_STORAGE_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"
#include "policy/policy.h"

/* Longest name of an entry in a container's folder, ".moved-layer.project" and its like. */
#define STORAGE_ENTRY_SIZE 32

/* The folder in which the data of one container are: state_dir/containers/NAME or its like. */
struct storage_place {
	int folder;                  /* not owned */
	const char *path;            /* of the folder, for messages */
	const char *name;            /* of the container */
	const struct config *config; /* for the range of project ids */
	bool is_patient;             /* nobody waits at a login: programs may take their time */
	/*
	 * For a start, which makes a few files itself: open() lets it have room beyond the limits,
	 * says so here, and take_back() ends that. NULL: nothing is lent.
	 */
	bool *lent;
};

/* What the policy asks for. */
struct storage_wish {
	uint64_t disk;   /* bytes; 0: no bound */
	uint64_t inodes; /* 0: no bound */
};

/* What is used of it; UINT64_MAX where that cannot be told. */
struct storage_facts {
	uint64_t disk_bytes, disk_limit_bytes;
	uint64_t inodes, inode_limit;
};

/*
 * `entry` is the name below the folder of the place: the kind's own, or one beside it while data
 * are moved. Each returns false or -1 with *why.
 */
struct storage_ops {
	enum storage_kind kind;
	const char *entry; /* under which the data are, once they are whole */

	/*
	 * Can this be held on the file system of `state` (any descriptor on it)?
	 * FAILURE_UNSUPPORTED with what is missing and what to do.
	 */
	bool (*can_hold)(int state, const struct config *config, const struct policy *policy,
			 const struct storage_wish *wish, struct failure *why);
	/* A new and empty one, which is on disk when this returns, and is in force to its limits.
	 */
	bool (*make)(const struct storage_place *place, const char *entry,
		     const struct storage_wish *wish, struct failure *why);
	/*
	 * The detached mount of one that is there, with the limits of the wish put in force. Limits
	 * below what is used are refused (FAILURE_UNSUPPORTED with both numbers).
	 */
	int (*open)(const struct storage_place *place, const char *entry,
		    const struct storage_wish *wish, struct failure *why);
	/* What open() lent is no longer to be had, as far as it was not used. NULL: never lends. */
	void (*take_back)(const struct storage_place *place, const struct storage_wish *wish);
	/* The same limits, on one that may be mounted. */
	bool (*apply)(const struct storage_place *place, const struct storage_wish *wish,
		      struct failure *why);
	/* A descriptor (O_RDONLY) of the folder with the data, with nothing changed. */
	int (*look)(const struct storage_place *place, const char *entry, struct failure *why);
	bool (*remove)(const struct storage_place *place, const char *entry, struct failure *why);
	/* Must it be made anew and filled, since what is there cannot be held as it is? NULL: never
	 */
	bool (*is_astray)(const struct storage_place *place);
	/* NULL: there is nothing that counts. */
	bool (*facts)(const struct storage_place *place, struct storage_facts *facts,
		      struct failure *why);
};

extern const struct storage_ops storage_plain, storage_project, storage_btrfs, storage_image;

/* By the name in the record; NULL when this build knows none. */
const struct storage_ops *storage_kind_named(const char *name);

/* All kinds: NULL after the last. */
const struct storage_ops *storage_kind_at(size_t i);

/* For kinds that are folders: the ops that do not depend on the quota. */
int folder_mount(const struct storage_place *place, const char *entry, struct failure *why);
int folder_look(const struct storage_place *place, const char *entry, struct failure *why);
bool folder_remove(const struct storage_place *place, const char *entry, struct failure *why);

/*
 * A limit (0: none) for the while of a start, in which nobody else writes. Starts may have brought
 * what is used beyond the limit, so that kinds refuse only what is beyond it by more than a loan.
 */
uint64_t storage_with_loan(uint64_t limit, uint64_t used, uint64_t loan);

/*
 * `disk` or `inodes` of the policy is below what the container uses. Always false.
 */
bool storage_too_small(const struct storage_place *place, const char *key, uint64_t used,
		       uint64_t asked, struct failure *why);

#endif

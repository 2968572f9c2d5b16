/* helper/admin/collect_one.h - get what one user has, from inside, without believing any of it. */
#ifndef CARREL_HELPER_ADMIN_COLLECT_ONE_H
#define CARREL_HELPER_ADMIN_COLLECT_ONE_H

#include "helper/admin/select.h"

struct collecting {
	const struct context *context;
	const char *path;   /* inside, from the user's home */
	int target;         /* the folder in which each gets one of their own */
	uint64_t max_bytes; /* of each; every file counts as at least COLLECT_FILE_BYTES */
	uint64_t seconds;   /* for each */
};
#define COLLECT_FILE_BYTES 4096

enum collected { COLLECTED_ALL, COLLECTED_PART, COLLECTED_NOT };

/*
 * Copy it to TARGET/USER/, which must not be there yet: a process that has joined the running
 * container as that user reads, another on the host makes files and folders only, that belong to
 * the caller, without set-id bits. TARGET/USER appears when all is in it. `reason` gets what was
 * told about it, safe for a terminal, "" when there is nothing to tell.
 */
enum collected collect_one(const struct collecting *what, const struct person *person, char *reason,
			   size_t size);

#endif

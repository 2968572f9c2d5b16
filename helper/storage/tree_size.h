/* helper/storage/tree_size.h - how large a tree is, as far as one wants to know. */
#ifndef CARREL_HELPER_STORAGE_TREE_SIZE_H
#define CARREL_HELPER_STORAGE_TREE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

struct tree_size {
	uint64_t bytes;   /* on disk; a file with several names counts in parts with each */
	uint64_t entries; /* names */
};

/*
 * Measure what is below the folder `dir`, and stop as soon as it is more than `enough` in either
 * way (NULL: never). Links are not followed. False with errno.
 */
bool tree_size(int dir, const struct tree_size *enough, struct tree_size *size);

#endif

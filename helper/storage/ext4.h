/* helper/storage/ext4.h - sizes of an ext4 file system and what its superblock says. Pure. */
#ifndef CARREL_HELPER_STORAGE_EXT4_H
#define CARREL_HELPER_STORAGE_EXT4_H

#include <stdbool.h>
#include <stdint.h>

#define EXT4_BLOCK_BYTES      4096U
#define EXT4_SUPERBLOCK_AT    1024
#define EXT4_SUPERBLOCK_BYTES 1024

struct ext4_facts {
	uint64_t blocks;
	uint32_t block_bytes;
	uint32_t inodes, inodes_per_group, free_inodes;
	/* As statfs(2) has them: without the file system's own tables and its reserve. */
	uint64_t used_blocks, available_blocks;
	bool needs_check; /* not cleanly unmounted in a way that the journal repairs, or has errors
			   */
};

/* Read the superblock (the EXT4_SUPERBLOCK_BYTES at EXT4_SUPERBLOCK_AT). False: it is not one. */
bool ext4_read(const unsigned char *superblock, struct ext4_facts *facts);

/*
 * Blocks of the file system for a file of `disk` bytes: mkfs.ext4 and resize2fs leave out a last
 * block group that is too small to be of use, so that it is left out here, for all to agree.
 */
uint64_t ext4_blocks_for(uint64_t disk);

/*
 * How many inodes to make so that at most `inodes` files, and the few of the layout, fit. Each
 * block group has the same number of them, in whole blocks. 0 when `inodes` is less than that can
 * be.
 */
uint64_t ext4_inodes_for(uint64_t disk, uint64_t inodes);

/* The lowest `inodes` for which ext4_inodes_for is not 0. */
uint64_t ext4_inodes_least(uint64_t disk);

/* Inodes that the file system has once it is grown to `disk` bytes. */
uint64_t ext4_inodes_grown(const struct ext4_facts *facts, uint64_t disk);

/* Are `count` inodes no more than `inodes` and those of the layout? */
bool ext4_inodes_hold(uint64_t count, uint64_t inodes);

#endif

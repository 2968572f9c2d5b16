/* helper/storage/ext4.c - sizes of an ext4 file system and what its superblock says. */
#include "helper/storage/ext4.h"

#include <stddef.h>

/* A bitmap of one block tells about this many blocks. */
#define GROUP_BLOCKS (8U * EXT4_BLOCK_BYTES)
/*
 * More than the tables of any group of ours take (an inode table of 2048 blocks, bitmaps, group
 * descriptors and the room to grow them): a smaller last group may be left out.
 */
#define LEAST_LAST_GROUP 4096U
#define INODE_BYTES      256U
#define INODES_IN_BLOCK  (EXT4_BLOCK_BYTES / INODE_BYTES)
/* The ten that ext4 keeps, lost+found, and the folders of the layer. */
#define OWN_INODES 16U

/* Documentation/filesystems/ext4/super.rst: offsets into the superblock, all little-endian. */
enum {
	INODES_COUNT = 0x0,
	BLOCKS_COUNT_LOW = 0x4,
	FREE_BLOCKS_LOW = 0xC,
	FREE_INODES = 0x10,
	LOG_BLOCK_SIZE = 0x18,
	INODES_PER_GROUP = 0x28,
	MAGIC = 0x38,
	STATE = 0x3A,
	FEATURE_COMPAT = 0x5C,
	FEATURE_INCOMPAT = 0x60,
	BLOCKS_COUNT_HIGH = 0x150,
	FREE_BLOCKS_HIGH = 0x158,
	OVERHEAD_BLOCKS = 0x248,
};
#define MAGIC_EXT4         0xEF53U
#define STATE_CLEAN        0x1U
#define STATE_ERRORS       0x2U
#define COMPAT_JOURNAL     0x4U
#define INCOMPAT_RECOVER   0x4U
#define INCOMPAT_64BIT     0x80U
#define MAX_LOG_BLOCK_SIZE 6U

/* Kept back for what must not fail: a fiftieth, at most this (ext4_calculate_resv_clusters). */
#define RESERVE_MOST 4096U

static uint32_t read16(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t read32(const unsigned char *at)
{
	return read16(at) | read16(at + 2) << 16;
}

/* Numbers that do not fit together (a superblock may be damaged) become 0. */
static void read_space(const unsigned char *superblock, bool is_64bit, struct ext4_facts *facts)
{
	uint64_t free = read32(superblock + FREE_BLOCKS_LOW);
	uint64_t overhead = read32(superblock + OVERHEAD_BLOCKS), reserve = facts->blocks / 50;

	if (is_64bit)
		free |= (uint64_t)read32(superblock + FREE_BLOCKS_HIGH) << 32;
	if (reserve > RESERVE_MOST)
		reserve = RESERVE_MOST;
	if (overhead > facts->blocks)
		overhead = 0;
	facts->used_blocks = 0;
	if (free <= facts->blocks - overhead)
		facts->used_blocks = facts->blocks - overhead - free;
	facts->available_blocks = free > reserve && free <= facts->blocks ? free - reserve : 0;
	facts->free_inodes = read32(superblock + FREE_INODES);
	if (facts->free_inodes > facts->inodes)
		facts->free_inodes = 0;
}

bool ext4_read(const unsigned char *superblock, struct ext4_facts *facts)
{
	uint32_t log_size = read32(superblock + LOG_BLOCK_SIZE);
	uint32_t state = read16(superblock + STATE);
	uint32_t incompat = read32(superblock + FEATURE_INCOMPAT);

	/* Without a journal it is not one that was made here, and nothing would repair it. */
	if (read16(superblock + MAGIC) != MAGIC_EXT4 || log_size > MAX_LOG_BLOCK_SIZE ||
	    !(read32(superblock + FEATURE_COMPAT) & COMPAT_JOURNAL))
		return false;
	facts->block_bytes = 1024U << log_size;
	facts->blocks = read32(superblock + BLOCKS_COUNT_LOW);
	if (incompat & INCOMPAT_64BIT)
		facts->blocks |= (uint64_t)read32(superblock + BLOCKS_COUNT_HIGH) << 32;
	facts->inodes = read32(superblock + INODES_COUNT);
	facts->inodes_per_group = read32(superblock + INODES_PER_GROUP);
	read_space(superblock, incompat & INCOMPAT_64BIT, facts);
	facts->needs_check =
	    (state & STATE_ERRORS) || (!(state & STATE_CLEAN) && !(incompat & INCOMPAT_RECOVER));
	return facts->blocks > 0 && facts->inodes_per_group > 0;
}

uint64_t ext4_blocks_for(uint64_t disk)
{
	uint64_t blocks = disk / EXT4_BLOCK_BYTES;
	uint64_t last = blocks % GROUP_BLOCKS;

	return blocks > GROUP_BLOCKS && last < LEAST_LAST_GROUP ? blocks - last : blocks;
}

static uint64_t groups_for(uint64_t disk)
{
	return (ext4_blocks_for(disk) + GROUP_BLOCKS - 1) / GROUP_BLOCKS;
}

uint64_t ext4_inodes_for(uint64_t disk, uint64_t inodes)
{
	uint64_t groups = groups_for(disk), blocks = ext4_blocks_for(disk);
	uint64_t most = inodes + OWN_INODES;

	if (groups == 0)
		return 0;
	/* More files than blocks are of no use, and their table would eat up the disk. */
	if (most > blocks)
		most = blocks;
	return most / groups / INODES_IN_BLOCK * INODES_IN_BLOCK * groups;
}

uint64_t ext4_inodes_least(uint64_t disk)
{
	return groups_for(disk) * INODES_IN_BLOCK - OWN_INODES;
}

uint64_t ext4_inodes_grown(const struct ext4_facts *facts, uint64_t disk)
{
	return groups_for(disk) * facts->inodes_per_group;
}

bool ext4_inodes_hold(uint64_t count, uint64_t inodes)
{
	return count <= inodes + OWN_INODES;
}

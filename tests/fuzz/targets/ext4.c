/* targets/ext4.c - the superblock of a container's disk. */
/* Sources: helper/storage/ext4.c */
#include "helper/storage/ext4.h"
#include "tests/fuzz/targets/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *superblock = calloc(1, EXT4_SUPERBLOCK_BYTES);
	struct ext4_facts facts;
	uint64_t disk = 0, inodes;

	MUST(superblock);
	memcpy(superblock, data, size < EXT4_SUPERBLOCK_BYTES ? size : EXT4_SUPERBLOCK_BYTES);
	if (ext4_read(superblock, &facts)) {
		MUST(facts.blocks > 0 && facts.block_bytes >= 1024 && facts.block_bytes <= 65536);
		MUST(facts.used_blocks <= facts.blocks && facts.available_blocks <= facts.blocks);
		MUST(facts.free_inodes <= facts.inodes && facts.inodes_per_group > 0);
	}
	free(superblock);

	/* From the least to the largest disk of a policy. */
	memcpy(&disk, data, size < sizeof(disk) ? size : sizeof(disk));
	disk = (16U << 20) + disk % (UINT64_C(1) << 50);
	MUST(ext4_blocks_for(disk) > 0 && ext4_blocks_for(disk) <= disk / EXT4_BLOCK_BYTES);
	inodes = ext4_inodes_least(disk);
	MUST(ext4_inodes_for(disk, inodes) > 0);
	inodes += disk % 100003;
	MUST(ext4_inodes_hold(ext4_inodes_for(disk, inodes), inodes));
	return 0;
}

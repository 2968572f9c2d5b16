/* tests/unit/test_ext4.c - sizes of an image, and what its superblock says of its state. */
#include <string.h>

#include "helper/storage/ext4.h"
#include "tests/unit/suites.h"

#define MIB UINT64_C(1048576)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

static unsigned char superblock[EXT4_SUPERBLOCK_BYTES];

static void put16(size_t at, unsigned value)
{
	superblock[at] = (unsigned char)value;
	superblock[at + 1] = (unsigned char)(value >> 8);
}

static void put32(size_t at, uint32_t value)
{
	put16(at, value & 0xffff);
	put16(at + 2, value >> 16);
}

/* As mkfs.ext4 makes it for 64M: offsets as in Documentation/filesystems/ext4/super.rst. */
static void fill(void)
{
	memset(superblock, 0, sizeof(superblock));
	put32(0x0, 1008);
	put32(0x4, 16384);
	put32(0x18, 2);
	put32(0x28, 1008);
	put16(0x38, 0xEF53);
	put16(0x3A, 1);
	put32(0x5C, 0x3C);
	put32(0x60, 0x2C2);
}

static bool needs_check(unsigned state, bool recover)
{
	struct ext4_facts facts;

	fill();
	put16(0x3A, state);
	put32(0x60, recover ? 0x2C6 : 0x2C2);
	ck_assert(ext4_read(superblock, &facts));
	return facts.needs_check;
}

START_TEST(reads_what_mkfs_wrote)
{
	struct ext4_facts facts;

	fill();
	ck_assert(ext4_read(superblock, &facts));
	ck_assert_uint_eq(facts.blocks, 16384);
	ck_assert_uint_eq(facts.block_bytes, EXT4_BLOCK_BYTES);
	ck_assert_uint_eq(facts.inodes, 1008);
	ck_assert_uint_eq(facts.inodes_per_group, 1008);
	ck_assert(!facts.needs_check);
}
END_TEST

START_TEST(reads_how_full_it_is)
{
	struct ext4_facts facts;

	fill();
	put32(0xC, 10000);
	put32(0x10, 990);
	put32(0x248, 1300); /* tables and journal */
	ck_assert(ext4_read(superblock, &facts));
	ck_assert_uint_eq(facts.used_blocks, 16384 - 1300 - 10000);
	ck_assert_uint_eq(facts.available_blocks, 10000 - 16384 / 50);
	ck_assert_uint_eq(facts.free_inodes, 990);
}
END_TEST

START_TEST(makes_nothing_of_numbers_that_do_not_fit)
{
	struct ext4_facts facts;

	fill();
	put32(0xC, 20000);
	put32(0x10, 5000);
	put32(0x248, 1300);
	ck_assert(ext4_read(superblock, &facts));
	ck_assert_uint_eq(facts.used_blocks, 0);
	ck_assert_uint_eq(facts.available_blocks, 0);
	ck_assert_uint_eq(facts.free_inodes, 0);
}
END_TEST

START_TEST(reads_more_than_32_bits_of_blocks)
{
	struct ext4_facts facts;

	fill();
	put32(0x150, 3);
	ck_assert(ext4_read(superblock, &facts));
	ck_assert_uint_eq(facts.blocks, (UINT64_C(3) << 32) + 16384);
	put32(0x60, 0x242); /* without the feature 64bit the field means nothing */
	ck_assert(ext4_read(superblock, &facts));
	ck_assert_uint_eq(facts.blocks, 16384);
}
END_TEST

START_TEST(refuses_what_is_no_ext4)
{
	static const struct {
		size_t at;
		uint32_t value;
	} wrong[] = {
	    {0x38, 0},    /* the magic number and the state */
	    {0x18, 7},    /* a block size that there is not */
	    {0x5C, 0x38}, /* no journal */
	    {0x4, 0},     /* no blocks */
	    {0x28, 0},    /* no inodes */
	};
	struct ext4_facts facts;

	memset(superblock, 0, sizeof(superblock));
	ck_assert(!ext4_read(superblock, &facts));
	memset(superblock, 0xff, sizeof(superblock));
	ck_assert(!ext4_read(superblock, &facts));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fill();
		put32(wrong[i].at, wrong[i].value);
		ck_assert_msg(!ext4_read(superblock, &facts), "row %zu is accepted", i);
	}
}
END_TEST

START_TEST(errors_are_checked_and_a_journal_is_not)
{
	ck_assert(!needs_check(1, false));
	ck_assert(!needs_check(1, true));
	ck_assert(!needs_check(0, true));
	ck_assert(needs_check(0, false));
	ck_assert(needs_check(2, false));
	ck_assert(needs_check(3, false));
	ck_assert(needs_check(3, true));
}
END_TEST

START_TEST(blocks_leave_out_a_last_group_that_is_too_small)
{
	ck_assert_uint_eq(ext4_blocks_for(16 * MIB), 4096);
	ck_assert_uint_eq(ext4_blocks_for(16 * MIB + 4095), 4096);
	ck_assert_uint_eq(ext4_blocks_for(128 * MIB), 32768);
	ck_assert_uint_eq(ext4_blocks_for(129 * MIB), 32768);
	ck_assert_uint_eq(ext4_blocks_for(144 * MIB), 36864);
	ck_assert_uint_eq(ext4_blocks_for(10 * GIB), 2621440);
}
END_TEST

START_TEST(inodes_are_never_more_than_asked_for)
{
	static const uint64_t disks[] = {16 * MIB, 64 * MIB, 300 * MIB, 10 * GIB, TIB};
	static const uint64_t counts[] = {1000, 1001, 5000, 200000, 4294967295};

	for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++)
		for (size_t j = 0; j < sizeof(counts) / sizeof(counts[0]); j++) {
			uint64_t made = ext4_inodes_for(disks[i], counts[j]);

			ck_assert(ext4_inodes_hold(made, counts[j]));
			ck_assert_uint_le(made, UINT32_MAX);
			ck_assert_uint_eq(made == 0, counts[j] < ext4_inodes_least(disks[i]));
		}
	ck_assert_uint_eq(ext4_inodes_for(64 * MIB, 1000), 1008);
	ck_assert_uint_eq(ext4_inodes_for(16 * MIB, 200000), 4096);
	ck_assert_uint_eq(ext4_inodes_for(100 * GIB, 1000), 0);
	ck_assert_uint_eq(ext4_inodes_least(100 * GIB), 12784);
	ck_assert_uint_ne(ext4_inodes_for(100 * GIB, 12784), 0);
	ck_assert_uint_eq(ext4_inodes_for(100 * GIB, 12783), 0);
}
END_TEST

START_TEST(growing_adds_inodes_with_every_group)
{
	struct ext4_facts facts = {.inodes_per_group = 1008};

	ck_assert_uint_eq(ext4_inodes_grown(&facts, 128 * MIB), 1008);
	ck_assert_uint_eq(ext4_inodes_grown(&facts, 300 * MIB), 3024);
	ck_assert(ext4_inodes_hold(1008, 1000));
	ck_assert(!ext4_inodes_hold(3024, 1000));
}
END_TEST

Suite *ext4_suite(void)
{
	Suite *suite = suite_create("ext4");
	TCase *group = tcase_create("ext4");

	tcase_add_test(group, reads_what_mkfs_wrote);
	tcase_add_test(group, reads_how_full_it_is);
	tcase_add_test(group, makes_nothing_of_numbers_that_do_not_fit);
	tcase_add_test(group, reads_more_than_32_bits_of_blocks);
	tcase_add_test(group, refuses_what_is_no_ext4);
	tcase_add_test(group, errors_are_checked_and_a_journal_is_not);
	tcase_add_test(group, blocks_leave_out_a_last_group_that_is_too_small);
	tcase_add_test(group, inodes_are_never_more_than_asked_for);
	tcase_add_test(group, growing_adds_inodes_with_every_group);
	suite_add_tcase(suite, group);
	return suite;
}

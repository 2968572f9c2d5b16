/* tests/unit/test_lean_memory.c - the memory of carrel-helper, which takes the place of malloc
 * there. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suites.h"

#define ARENA_UNDER_TEST
#define malloc  arena_malloc
#define calloc  arena_calloc
#define realloc arena_realloc
#define free    arena_free
void *arena_malloc(size_t size);
void *arena_calloc(size_t count, size_t size);
void *arena_realloc(void *memory, size_t size);
void arena_free(void *memory);
#include "helper/lean/memory.c" // NOLINT(bugprone-suspicious-include)

START_TEST(calloc_is_zero_where_something_was)
{
	for (size_t size = 1; size < 100000; size = size * 3 + 1) {
		unsigned char *memory = malloc(size);

		ck_assert_ptr_nonnull(memory);
		memset(memory, 0xa5, size);
		free(memory);
		memory = calloc(1, size + 20);
		ck_assert_ptr_nonnull(memory);
		for (size_t i = 0; i < size + 20; i++)
			ck_assert_uint_eq(memory[i], 0);
		free(memory);
	}
}
END_TEST

START_TEST(last_block_grows_where_it_is)
{
	char *first = malloc(10), *second;

	memcpy(first, "ten bytes", 10);
	ck_assert_ptr_eq(realloc(first, 1000), first);
	second = malloc(10);
	ck_assert_ptr_nonnull(second);
	ck_assert_ptr_eq(realloc(first, 900), first); /* never smaller */
	first = realloc(first, 2000);
	ck_assert_ptr_nonnull(first);
	ck_assert(first > second);
	ck_assert_str_eq(first, "ten bytes");
	first = realloc(first, LARGE * 3);
	ck_assert_str_eq(first, "ten bytes");
	first = realloc(first, LARGE * 6);
	ck_assert_str_eq(first, "ten bytes");
	free(first);
	free(second);
	free(NULL);
}
END_TEST

START_TEST(impossible_sizes_are_refused)
{
	volatile size_t most = SIZE_MAX, half = SIZE_MAX / 2 + 1;
	char *kept = malloc(5);

	strcpy(kept, "kept");
	errno = 0;
	ck_assert_ptr_null(malloc(most));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_null(calloc(half, 2));
	ck_assert_ptr_null(malloc(half - 4096)); /* more than there are addresses */
	ck_assert_ptr_null(realloc(kept, most));
	ck_assert_ptr_null(realloc(kept, half - 4096));
	ck_assert_ptr_ne(malloc(5), kept); /* still the caller's */
	ck_assert_str_eq(kept, "kept");
	ck_assert_ptr_nonnull(malloc(0));
}
END_TEST

#define MANY 300

static void assert_all(unsigned char *const blocks[MANY], const size_t sizes[MANY])
{
	for (size_t i = 0; i < MANY; i++)
		for (size_t at = 0; at < sizes[i]; at += 97)
			ck_assert_uint_eq(blocks[i][at], (unsigned char)i);
}

/* Far more than an arena, in any order: nobody gets what is somebody else's. */
START_TEST(blocks_do_not_meet)
{
	static unsigned char *blocks[MANY];
	static size_t sizes[MANY];
	unsigned random = 1;

	for (int round = 0; round < 20000; round++) {
		size_t which = (random = random * 1103515245 + 12345) / 65536 % MANY;
		size_t size = (random = random * 1103515245 + 12345) / 65536 % 3000;

		if (round % 1000 == 0)
			size = LARGE + size;
		if (round % 3 == 0) {
			free(blocks[which]);
			blocks[which] = calloc(1, size);
		} else {
			blocks[which] = realloc(blocks[which], size);
		}
		ck_assert_ptr_nonnull(blocks[which]);
		ck_assert_uint_eq((uintptr_t)blocks[which] % ALIGNMENT, 0);
		memset(blocks[which], (int)which, size);
		sizes[which] = size;
		if (round % 500 == 0)
			assert_all(blocks, sizes);
	}
	assert_all(blocks, sizes);
}
END_TEST

Suite *lean_memory_suite(void)
{
	Suite *suite = suite_create("lean_memory");
	TCase *tests = tcase_create("arena");

	tcase_add_test(tests, calloc_is_zero_where_something_was);
	tcase_add_test(tests, last_block_grows_where_it_is);
	tcase_add_test(tests, impossible_sizes_are_refused);
	tcase_add_test(tests, blocks_do_not_meet);
	suite_add_tcase(suite, tests);
	return suite;
}

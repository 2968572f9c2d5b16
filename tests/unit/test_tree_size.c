/* tests/unit/test_tree_size.c - how large a tree is, as far as one wants to know. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "helper/storage/tree_size.h"
#include "tests/unit/suites.h"

static void make_file(int dir, const char *name)
{
	_cleanup_close_ int file = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char data[65536] = {1};

	ck_assert_int_ge(file, 0);
	ck_assert(file_write_all(file, data, sizeof(data)));
	ck_assert_int_eq(fsync(file), 0);
}

START_TEST(a_tree_is_measured_until_it_is_enough)
{
	char path[] = "/tmp/tree-size-XXXXXX";
	const struct tree_size enough = {.bytes = UINT64_MAX, .entries = 1};
	_cleanup_close_ int dir = -1;
	struct tree_size size;
	struct failure why;

	ck_assert_ptr_nonnull(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(dir, "below", 0700), 0);
	make_file(dir, "one");
	make_file(dir, "below/two");
	ck_assert_int_eq(linkat(dir, "one", dir, "again", 0), 0);
	ck_assert_int_eq(symlinkat("/usr", dir, "link"), 0);

	ck_assert(tree_size(dir, NULL, &size));
	ck_assert_uint_eq(size.entries, 5);
	ck_assert_uint_ge(size.bytes, 2 * 65536);
	ck_assert_uint_lt(size.bytes, 3 * 65536);
	ck_assert(tree_size(dir, &enough, &size));
	ck_assert_uint_le(size.entries, 4);
	ck_assert(tree_remove_at(AT_FDCWD, path, &why));
}
END_TEST

Suite *tree_size_suite(void)
{
	Suite *suite = suite_create("tree_size");
	TCase *tests = tcase_create("tests");

	tcase_add_test(tests, a_tree_is_measured_until_it_is_enough);
	suite_add_tcase(suite, tests);
	return suite;
}

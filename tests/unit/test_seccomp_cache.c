/* tests/unit/test_seccomp_cache.c - a kept program is the compiled one, or is not used. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/seccomp/program.h"
#include "helper/seccomp/seccomp_profile.h"
#include "tests/unit/suites.h"

static const struct string_list nothing;

#define NAMES(...)                                                                                 \
	((struct string_list){                                                                     \
	    .count = sizeof((char *[]){__VA_ARGS__}) / sizeof(char *),                             \
	    .items = (char *[]){__VA_ARGS__},                                                      \
	})

static int open_program(int cache, bool allow_root, const struct string_list *allow,
			const struct string_list *deny)
{
	struct failure why = {0};
	int fd = seccomp_program_open(cache, allow_root, allow, deny, &why);

	ck_assert_msg(fd >= 0, "%s", why.text);
	return fd;
}

/* The tests of the cache work in a directory of their own; its only file is the program's. */
struct cache {
	char path[64];
	int dir;
};

static struct cache make_cache(void)
{
	struct cache cache = {.path = "/tmp/carrel-test-seccomp-XXXXXX"};

	ck_assert_ptr_nonnull(mkdtemp(cache.path));
	cache.dir = open(cache.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(cache.dir, 0);
	return cache;
}

/* The name of the one file in the cache, and that it is the only one. */
static char *only_file(const struct cache *cache)
{
	_cleanup_closedir_ DIR *dir = opendir(cache->path);
	struct dirent *entry;
	char *name = NULL;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' && strchr("..", entry->d_name[1]))
			continue;
		ck_assert_msg(!name, "both '%s' and '%s' are in the cache", name, entry->d_name);
		name = strdup(entry->d_name);
	}
	ck_assert_msg(name, "nothing was kept");
	return name;
}

static void remove_cache(struct cache *cache)
{
	_cleanup_closedir_ DIR *dir = opendir(cache->path);
	struct dirent *entry;

	while ((entry = readdir(dir)))
		(void)unlinkat(cache->dir, entry->d_name, 0);
	(void)close(cache->dir);
	ck_assert_int_eq(rmdir(cache->path), 0);
}

static void assert_same_program(int a, int b)
{
	char left[sizeof(struct seccomp_program)], right[sizeof(left)];
	ssize_t length = pread(a, left, sizeof(left), 0);

	ck_assert_int_gt(length, 0);
	ck_assert_int_eq(pread(b, right, sizeof(right), 0), length);
	ck_assert_mem_eq(left, right, (size_t)length);
}

static ino_t inode_of(const struct cache *cache, const char *name)
{
	struct stat status;

	ck_assert_int_eq(fstatat(cache->dir, name, &status, AT_SYMLINK_NOFOLLOW), 0);
	return status.st_ino;
}

START_TEST(cache_keeps_a_program_and_gives_it_back)
{
	struct cache cache = make_cache();
	_cleanup_close_ int compiled = open_program(-1, false, &nothing, &NAMES("ptrace"));
	_cleanup_close_ int stored = open_program(cache.dir, false, &nothing, &NAMES("ptrace"));
	_cleanup_free_ char *name = only_file(&cache);
	ino_t before = inode_of(&cache, name);
	_cleanup_close_ int kept = open_program(cache.dir, false, &nothing, &NAMES("ptrace"));

	ck_assert_uint_eq(inode_of(&cache, name), before);
	assert_same_program(compiled, stored);
	assert_same_program(compiled, kept);
	remove_cache(&cache);
}
END_TEST

/* Nobody gets what another policy allows. */
START_TEST(cache_tells_rules_apart)
{
	const struct string_list keyctl = NAMES("keyctl"), ptrace = NAMES("ptrace");
	const struct {
		bool allow_root;
		const struct string_list *allow, *deny;
	} rules[] = {
	    {false, &nothing, &nothing}, {true, &nothing, &nothing}, {false, &keyctl, &nothing},
	    {false, &nothing, &keyctl},  {false, &nothing, &ptrace}, {false, &keyctl, &ptrace},
	};
	struct cache cache = make_cache();

	/* The first round stores, the second one reads. */
	for (size_t i = 0; i < 2 * ARRAY_LENGTH(rules); i++) {
		const size_t n = i % ARRAY_LENGTH(rules);
		_cleanup_close_ int compiled =
		    open_program(-1, rules[n].allow_root, rules[n].allow, rules[n].deny);
		_cleanup_close_ int kept =
		    open_program(cache.dir, rules[n].allow_root, rules[n].allow, rules[n].deny);

		assert_same_program(compiled, kept);
	}
	remove_cache(&cache);
}
END_TEST

/* What makes a kept file another one than we wrote. `size` is that of the file. */
static void flip_byte(int fd, off_t position)
{
	unsigned char byte;

	ck_assert_int_eq(pread(fd, &byte, 1, position), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(fd, &byte, 1, position), 1);
}

static void spoil_magic(int fd, off_t size)
{
	(void)size;
	flip_byte(fd, 0);
}

static void spoil_key(int fd, off_t size)
{
	(void)size;
	flip_byte(fd, 40);
}

static void spoil_last_instruction(int fd, off_t size)
{
	flip_byte(fd, size - 1);
}

static void cut_short(int fd, off_t size)
{
	ck_assert_int_eq(ftruncate(fd, size - 8), 0);
}

static void empty(int fd, off_t size)
{
	(void)size;
	ck_assert_int_eq(ftruncate(fd, 0), 0);
}

static void append(int fd, off_t size)
{
	ck_assert_int_eq(pwrite(fd, "12345678", 8, size), 8);
}

static void open_to_group(int fd, off_t size)
{
	(void)size;
	ck_assert_int_eq(fchmod(fd, 0620), 0);
}

START_TEST(cache_is_rebuilt_when_it_is_not_as_written)
{
	static void (*const spoils[])(int fd, off_t size) = {
	    spoil_magic, spoil_key, spoil_last_instruction, cut_short, empty, append, open_to_group,
	};
	struct cache cache = make_cache();
	_cleanup_close_ int good = open_program(cache.dir, false, &nothing, &nothing);
	_cleanup_free_ char *name = only_file(&cache);
	_cleanup_close_ int file = openat(cache.dir, name, O_RDWR | O_CLOEXEC);
	_cleanup_close_ int rebuilt = -1, kept = -1;
	struct stat status;
	ino_t before;

	ck_assert_int_eq(fstat(file, &status), 0);
	spoils[_i](file, status.st_size);

	rebuilt = open_program(cache.dir, false, &nothing, &nothing);
	assert_same_program(good, rebuilt);
	before = inode_of(&cache, name);
	ck_assert_uint_ne(before, status.st_ino);
	kept = open_program(cache.dir, false, &nothing, &nothing);
	ck_assert_uint_eq(inode_of(&cache, name), before);
	assert_same_program(good, kept);
	remove_cache(&cache);
}
END_TEST

/* A link to a good program elsewhere, a second name of one, a FIFO that nobody writes to. */
START_TEST(cache_follows_no_link_and_waits_for_nobody)
{
	struct cache cache = make_cache();
	_cleanup_close_ int good = open_program(cache.dir, false, &nothing, &nothing);
	_cleanup_free_ char *name = only_file(&cache);
	_cleanup_close_ int after = -1;
	struct stat status;

	ck_assert_int_eq(renameat(cache.dir, name, cache.dir, "elsewhere"), 0);
	if (_i == 0)
		ck_assert_int_eq(symlinkat("elsewhere", cache.dir, name), 0);
	else if (_i == 1)
		ck_assert_int_eq(linkat(cache.dir, "elsewhere", cache.dir, name, 0), 0);
	else
		ck_assert_int_eq(mkfifoat(cache.dir, name, 0600), 0);

	after = open_program(cache.dir, false, &nothing, &nothing);
	assert_same_program(good, after);
	ck_assert_int_eq(fstatat(cache.dir, name, &status, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISREG(status.st_mode));
	ck_assert_uint_ne(status.st_ino, inode_of(&cache, "elsewhere"));
	remove_cache(&cache);
}
END_TEST

START_TEST(cache_that_cannot_keep_anything_refuses_nobody)
{
	struct cache cache = make_cache();
	_cleanup_close_ int good = open_program(-1, false, &nothing, &nothing);
	_cleanup_close_ int gone = -1;

	ck_assert_int_eq(rmdir(cache.path), 0);
	gone = open_program(cache.dir, false, &nothing, &nothing);
	assert_same_program(good, gone);
	(void)close(cache.dir);
}
END_TEST

/* Refused rules must not come out of the cache, nor make another set's key by a line break. */
START_TEST(cache_keeps_no_refused_rules)
{
	struct cache cache = make_cache();
	struct failure why = {0};
	_cleanup_close_ int good =
	    open_program(cache.dir, false, &NAMES("keyctl", "add_key"), &nothing);

	ck_assert_int_ge(good, 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(
		    seccomp_program_open(cache.dir, false, &NAMES("reboot"), &nothing, &why), -1);
		ck_assert_int_eq(seccomp_program_open(cache.dir, false,
						      &NAMES("keyctl\nallow add_key"), &nothing,
						      &why),
				 -1);
	}
	free(only_file(&cache));
	remove_cache(&cache);
}
END_TEST

Suite *seccomp_cache_suite(void)
{
	Suite *suite = suite_create("seccomp_cache");
	TCase *cache = tcase_create("cache");

	tcase_add_test(cache, cache_keeps_a_program_and_gives_it_back);
	tcase_add_test(cache, cache_tells_rules_apart);
	tcase_add_loop_test(cache, cache_is_rebuilt_when_it_is_not_as_written, 0, 7);
	tcase_add_loop_test(cache, cache_follows_no_link_and_waits_for_nobody, 0, 3);
	tcase_add_test(cache, cache_that_cannot_keep_anything_refuses_nobody);
	tcase_add_test(cache, cache_keeps_no_refused_rules);
	suite_add_tcase(suite, cache);
	return suite;
}

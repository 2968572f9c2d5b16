/* tests/unit/test_files.c - small files and directories, also when somebody works against us. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "tests/unit/suites.h"

/* Each test has a directory of its own, and the umask of a login service. */
static char place[] = "/tmp/carrel-test-files.XXXXXX";
static int room;

static void make_room(void)
{
	(void)umask(077);
	ck_assert_ptr_nonnull(mkdtemp(place));
	room = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(room, 0);
}

static void leave_room(void)
{
	struct failure why;

	(void)close(room);
	ck_assert_msg(tree_remove_at(AT_FDCWD, place, &why), "%s", why.text);
	memcpy(strrchr(place, '.'), ".XXXXXX", sizeof(".XXXXXX"));
}

static void put(const char *name, const char *text)
{
	struct failure why;

	ck_assert_msg(file_replace_at(room, name, text, strlen(text), 0600, false, &why), "%s",
		      why.text);
}

static void make(const char *path)
{
	struct failure why;

	ck_assert_msg(dir_make_at(room, path, 0755, &why), "%s", why.text);
}

static bool exists(const char *path)
{
	return faccessat(room, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static mode_t mode_of(const char *path)
{
	struct stat status;

	ck_assert_int_eq(fstatat(room, path, &status, AT_SYMLINK_NOFOLLOW), 0);
	return status.st_mode & 07777;
}

static void assert_content(const char *name, const char *expected)
{
	struct failure why;
	_cleanup_free_ char *text = file_read_at(room, name, 1 << 20, NULL, &why);

	ck_assert_msg(text != NULL, "%s", why.text);
	ck_assert_str_eq(text, expected);
}

START_TEST(reads_up_to_the_limit_and_no_further)
{
	_cleanup_free_ char *text = NULL, *none = NULL;
	struct failure why;
	size_t length = 0;

	put("five", "12345");
	text = file_read_at(room, "five", 5, &length, &why);
	ck_assert_str_eq(text, "12345");
	ck_assert_uint_eq(length, 5);
	none = file_read_at(room, "five", 4, &length, &why);
	ck_assert_ptr_null(none);
	ck_assert_int_eq(why.kind, FAILURE_DATA);
	ck_assert_ptr_nonnull(strstr(why.text, "five is larger than 4 bytes"));
}
END_TEST

START_TEST(reads_large_and_empty_files)
{
	static const size_t lengths[] = {0, 1, 4095, 4096, 4097, 8193, 300000};
	static char data[300000];
	struct failure why;

	memset(data, 'a', sizeof(data));
	for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
		_cleanup_free_ char *text = NULL;
		size_t length = SIZE_MAX;

		ck_assert(file_replace_at(room, "data", data, lengths[i], 0600, false, &why));
		text = file_read_at(room, "data", SIZE_MAX, &length, &why);
		ck_assert_msg(text != NULL, "%s", why.text);
		ck_assert_uint_eq(length, lengths[i]);
		ck_assert_int_eq(memcmp(text, data, length), 0);
		ck_assert_int_eq(text[length], '\0');
	}
}
END_TEST

/* The kernel's files are empty for stat(2) and may be longer than one page. */
START_TEST(reads_files_of_the_kernel)
{
	_cleanup_free_ char *text = NULL;
	struct failure why;
	size_t length = 0;

	text = file_read_at(AT_FDCWD, "/proc/self/smaps", 16 << 20, &length, &why);
	ck_assert_msg(text != NULL, "%s", why.text);
	ck_assert_uint_gt(length, 4096);
	ck_assert_ptr_nonnull(strstr(text, "[stack]"));
}
END_TEST

START_TEST(reads_from_the_start_whatever_the_offset)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	struct failure why;

	put("file", "from the start");
	fd = openat(room, "file", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(lseek(fd, 5, SEEK_SET), 5);
	text = file_read(fd, 100, NULL, "file", &why);
	ck_assert_str_eq(text, "from the start");
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
	struct failure why;

	put("file", "secret");
	ck_assert_int_eq(symlinkat("file", room, "link"), 0);
	ck_assert_int_eq(mkfifoat(room, "pipe", 0600), 0);
	ck_assert_ptr_null(file_read_at(room, "link", 100, NULL, &why));
	ck_assert_int_eq(why.error, ELOOP);
	ck_assert_ptr_null(file_read_at(room, "pipe", 100, NULL, &why)); /* without waiting */
	ck_assert_int_eq(why.kind, FAILURE_SYSTEM);
	ck_assert_ptr_null(file_read_at(room, ".", 100, NULL, &why));
	ck_assert_int_eq(why.error, EISDIR);
	ck_assert_ptr_null(file_read_at(room, "missing", 100, NULL, &why));
	ck_assert_int_eq(why.kind, FAILURE_MISSING);
}
END_TEST

START_TEST(control_files_are_neither_made_nor_followed)
{
	put("control", "");
	ck_assert(file_write_at(room, "control", "max"));
	assert_content("control", "max");
	ck_assert(!file_write_at(room, "other", "max"));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(symlinkat("control", room, "link"), 0);
	ck_assert(!file_write_at(room, "link", "0"));
	ck_assert_int_eq(errno, ELOOP);
	assert_content("control", "max");
}
END_TEST

/* The next one comes later and later, so that a slow machine gets something done in between. */
static void tick(int number)
{
	static suseconds_t pause = 200;
	const struct itimerval next = {.it_value = {0, pause}};

	(void)number;
	pause += pause / 16;
	(void)setitimer(ITIMER_REAL, &next, NULL);
}

/* A pipe with a slow reader and a timer without SA_RESTART: short writes and EINTR in plenty. */
START_TEST(writes_everything_despite_signals)
{
	static char data[1 << 20];
	const struct sigaction action = {.sa_handler = tick};
	int ends[2], status;
	pid_t reader;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	reader = fork();
	ck_assert_int_ge(reader, 0);
	if (reader == 0) {
		size_t total = 0;
		ssize_t got;

		(void)close(ends[1]);
		while ((got = read(ends[0], data, 5000)) > 0) {
			total += (size_t)got;
			(void)usleep(20);
		}
		_exit(got == 0 && total == sizeof(data) ? 0 : 1);
	}
	(void)close(ends[0]);
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	tick(SIGALRM);
	ck_assert(file_write_all(ends[1], data, sizeof(data)));
	ck_assert_ptr_ne(signal(SIGALRM, SIG_IGN), SIG_ERR);
	(void)close(ends[1]);
	ck_assert_int_eq(waitpid(reader, &status, 0), reader);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(write_reports_the_error)
{
	_cleanup_close_ int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(full, 0);
	ck_assert(!file_write_all(full, "text", 4));
	ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

START_TEST(replaces_with_the_exact_mode)
{
	struct failure why;

	put("file", "old and longer than the new");
	ck_assert(file_replace_at(room, "file", "new", 3, 0644, true, &why));
	assert_content("file", "new");
	ck_assert_uint_eq(mode_of("file"), 0644);
	ck_assert(!exists(".new-file"));
}
END_TEST

/* What an interrupted writer left, or somebody put there, is taken away and not written through. */
START_TEST(replaces_despite_leftovers)
{
	put("victim", "untouched");
	ck_assert_int_eq(symlinkat("victim", room, ".new-file"), 0);
	put("file", "first");
	put(".new-file", "half of an interrupted wri");
	put("file", "second");
	assert_content("file", "second");
	assert_content("victim", "untouched");
	ck_assert(!exists(".new-file"));
	ck_assert_int_eq(symlinkat("victim", room, "link"), 0);
	put("link", "third");
	assert_content("link", "third");
	assert_content("victim", "untouched");
}
END_TEST

/* Returns the limit as it was, to be set again: without CK_FORK other tests come after. */
static struct rlimit lower_limit(__rlimit_resource_t resource, rlim_t value)
{
	struct rlimit before, lower;

	ck_assert_int_eq(getrlimit(resource, &before), 0);
	lower = (struct rlimit){value, before.rlim_max};
	ck_assert_int_eq(setrlimit(resource, &lower), 0);
	return before;
}

START_TEST(a_failed_replacement_leaves_the_old)
{
	struct rlimit before;
	struct failure why;

	put("file", "old");
	ck_assert_ptr_ne(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
	before = lower_limit(RLIMIT_FSIZE, 4);
	ck_assert(!file_replace_at(room, "file", "too long", 8, 0600, true, &why));
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(why.error, EFBIG);
	assert_content("file", "old");
	ck_assert(!exists(".new-file"));
	ck_assert(!file_replace_at(room, "folder/file", "x", 1, 0600, false, &why));
	ck_assert_int_eq(why.error, EINVAL);
}
END_TEST

#define WRITERS     4
#define SHARED_SIZE 300000

/* A writer that never waits for another; what it leaves is all `letter`. */
static void write_many(char letter, int times)
{
	static char data[SHARED_SIZE];
	struct failure why;

	memset(data, letter, sizeof(data));
	for (int i = 0; i < times; i++)
		ck_assert_msg(
		    file_replace_at(room, "shared", data, sizeof(data), 0644, false, &why), "%s",
		    why.text);
}

static void start_writer(char letter)
{
	pid_t writer = fork();

	ck_assert_int_ge(writer, 0);
	if (writer == 0) {
		write_many(letter, 100);
		_exit(0);
	}
}

START_TEST(readers_never_see_a_mixture)
{
	int running = WRITERS, status;

	write_many('a', 1);
	for (int i = 0; i < WRITERS; i++)
		start_writer((char)('b' + i));
	while (running > 0) {
		_cleanup_free_ char *text = NULL;
		struct failure why;
		size_t length;

		text = file_read_at(room, "shared", 1 << 20, &length, &why);
		ck_assert_msg(text != NULL, "%s", why.text);
		ck_assert_uint_eq(length, SHARED_SIZE);
		ck_assert_int_eq(memcmp(text, text + 1, length - 1), 0);
		if (waitpid(-1, &status, WNOHANG) > 0) {
			ck_assert_int_eq(status, 0);
			running--;
		}
	}
}
END_TEST

START_TEST(makes_parents_and_keeps_what_is_there)
{
	struct failure why;

	ck_assert_int_eq(mkdirat(room, "a", 0700), 0);
	ck_assert(dir_make_at(room, "a/b//./c/", 0711, &why));
	ck_assert_uint_eq(mode_of("a"), 0700);
	ck_assert_uint_eq(mode_of("a/b"), 0755);
	ck_assert_uint_eq(mode_of("a/b/c"), 0711);
	ck_assert(dir_make_at(room, "a/b/c", 0700, &why));
	ck_assert_uint_eq(mode_of("a/b/c"), 0711);
}
END_TEST

START_TEST(makes_absolute_paths)
{
	char path[PATH_MAX];
	struct failure why;

	(void)snprintf(path, sizeof(path), "%s/x/y", place);
	ck_assert(dir_make_at(AT_FDCWD, path, 0755, &why));
	ck_assert(exists("x/y"));
}
END_TEST

START_TEST(never_makes_through_a_link)
{
	struct failure why;

	make("real");
	put("file", "");
	ck_assert_int_eq(symlinkat("real", room, "link"), 0);
	ck_assert_int_eq(symlinkat("nowhere", room, "dangling"), 0);
	ck_assert(!dir_make_at(room, "link/sub", 0755, &why));
	ck_assert_ptr_nonnull(strstr(why.text, "link"));
	ck_assert(!dir_make_at(room, "link", 0755, &why));
	ck_assert(!dir_make_at(room, "dangling", 0755, &why));
	ck_assert(!dir_make_at(room, "file/sub", 0755, &why));
	ck_assert(!dir_make_at(room, "real/../up", 0755, &why));
	ck_assert(!exists("real/sub"));
	ck_assert(!exists("nowhere"));
	ck_assert(!exists("up"));
}
END_TEST

START_TEST(opens_no_link_on_the_way)
{
	_cleanup_close_ int good = -1, path_only = -1;
	char byte;

	make("real/sub");
	put("file", "");
	ck_assert_int_eq(symlinkat("real", room, "link"), 0);
	good = dir_open_at(room, "real/sub", false);
	ck_assert_int_ge(good, 0);
	path_only = dir_open_at(room, "real/sub", true);
	ck_assert_int_ge(path_only, 0);
	ck_assert_int_lt(read(path_only, &byte, 1), 0);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(fcntl(good, F_GETFD), FD_CLOEXEC);
	ck_assert_int_lt(dir_open_at(room, "link/sub", true), 0);
	ck_assert_int_eq(errno, ELOOP);
	ck_assert_int_lt(dir_open_at(room, "link", true), 0);
	ck_assert_int_eq(errno, ELOOP);
	ck_assert_int_lt(dir_open_at(AT_FDCWD, "/proc/self/cwd", true), 0);
	ck_assert_int_eq(errno, ELOOP);
	ck_assert_int_lt(dir_open_at(room, "file", true), 0);
	ck_assert_int_eq(errno, ENOTDIR);
}
END_TEST

START_TEST(removes_all_kinds_of_entries)
{
	struct failure why;

	make("tree/a/b/c");
	make("tree/.hidden");
	make("outside");
	put("outside-file", "kept");
	ck_assert_int_eq(symlinkat("../outside", room, "tree/link"), 0);
	ck_assert_int_eq(symlinkat("../outside-file", room, "tree/a/link"), 0);
	ck_assert_int_eq(mkfifoat(room, "tree/a/b/pipe", 0600), 0);
	ck_assert_int_eq(linkat(room, "outside-file", room, "tree/a/b/c/hard", 0), 0);
	ck_assert_msg(tree_remove_at(room, "tree", &why), "%s", why.text);
	ck_assert(!exists("tree"));
	ck_assert(exists("outside"));
	assert_content("outside-file", "kept");
}
END_TEST

START_TEST(removes_nothing_but_a_directory)
{
	struct failure why;

	make("real");
	put("file", "kept");
	ck_assert_int_eq(symlinkat("real", room, "link"), 0);
	ck_assert(!tree_remove_at(room, "missing", &why));
	ck_assert_int_eq(why.kind, FAILURE_MISSING);
	ck_assert(!tree_remove_at(room, "link", &why));
	ck_assert(!tree_remove_at(room, "file", &why));
	ck_assert(exists("real"));
	ck_assert(exists("link"));
	ck_assert(exists("file"));
}
END_TEST

/* In a namespace of its own: 0 when the mount stopped the removal, 77 when it cannot be tried. */
static int remove_with_mount(void)
{
	char uncle[PATH_MAX], point[PATH_MAX];
	struct failure why;

	(void)snprintf(uncle, sizeof(uncle), "%s/uncle", place);
	(void)snprintf(point, sizeof(point), "%s/tree/a/point", place);
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return 77;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(uncle, point, NULL, MS_BIND, NULL) < 0)
		return 77;
	room = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* by the new mounts */
	if (room < 0 || tree_remove_at(room, "tree", &why) || why.kind != FAILURE_BUSY)
		return 1;
	if (tree_remove_at(room, "tree/a/point", &why) || why.kind != FAILURE_BUSY)
		return 2;
	return exists("uncle/file") ? 0 : 3;
}

/* A bind mount of the same file system looks like any other directory to stat(2). */
START_TEST(never_enters_a_mount)
{
	struct failure why;
	pid_t child;
	int status;

	make("tree/a/point");
	make("uncle");
	put("file", "kept");
	ck_assert_int_eq(renameat(room, "file", room, "uncle/file"), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(remove_with_mount());
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		puts("SKIP  never_enters_a_mount: mount namespaces are not permitted here");
		return;
	}
	ck_assert_int_eq(status, 0);
	ck_assert(exists("uncle/file"));
	ck_assert_msg(tree_remove_at(room, "tree", &why), "%s", why.text);
}
END_TEST

#define DEEP 1500

/* Deeper than descriptors reach, with names that the removal itself would like to use. */
START_TEST(removes_trees_of_any_depth)
{
	struct rlimit before;
	int fd = dup(room);
	struct failure why;

	ck_assert_int_eq(mkdirat(fd, "tree", 0755), 0);
	make("tree/.removed-0/full");
	put(".removed-1", "");
	ck_assert_int_eq(renameat(room, ".removed-1", room, "tree/.removed-1"), 0);
	for (int i = 0; i < DEEP; i++) {
		int next = openat(fd, i == 0 ? "tree" : "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		ck_assert_int_ge(next, 0);
		(void)close(fd);
		fd = next;
		ck_assert_int_eq(mkdirat(fd, "d", 0755), 0);
		ck_assert_int_eq(mkdirat(fd, "e", 0755), 0);
		ck_assert_int_eq(symlinkat("/", fd, "e/link"), 0);
	}
	(void)close(fd);
	before = lower_limit(RLIMIT_NOFILE, 200);
	ck_assert_msg(tree_remove_at(room, "tree", &why), "%s", why.text);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert(!exists("tree"));
}
END_TEST

static TCase *reading_and_writing(void)
{
	TCase *files = tcase_create("files");

	tcase_set_timeout(files, 60);
	tcase_add_checked_fixture(files, make_room, leave_room);
	tcase_add_test(files, reads_up_to_the_limit_and_no_further);
	tcase_add_test(files, reads_large_and_empty_files);
	tcase_add_test(files, reads_files_of_the_kernel);
	tcase_add_test(files, reads_from_the_start_whatever_the_offset);
	tcase_add_test(files, refuses_what_is_no_file);
	tcase_add_test(files, control_files_are_neither_made_nor_followed);
	tcase_add_test(files, writes_everything_despite_signals);
	tcase_add_test(files, write_reports_the_error);
	tcase_add_test(files, replaces_with_the_exact_mode);
	tcase_add_test(files, replaces_despite_leftovers);
	tcase_add_test(files, a_failed_replacement_leaves_the_old);
	tcase_add_test(files, readers_never_see_a_mixture);
	return files;
}

static TCase *directories(void)
{
	TCase *directory = tcase_create("directories");

	tcase_set_timeout(directory, 60);
	tcase_add_checked_fixture(directory, make_room, leave_room);
	tcase_add_test(directory, makes_parents_and_keeps_what_is_there);
	tcase_add_test(directory, makes_absolute_paths);
	tcase_add_test(directory, never_makes_through_a_link);
	tcase_add_test(directory, opens_no_link_on_the_way);
	tcase_add_test(directory, removes_all_kinds_of_entries);
	tcase_add_test(directory, removes_nothing_but_a_directory);
	tcase_add_test(directory, never_enters_a_mount);
	tcase_add_test(directory, removes_trees_of_any_depth);
	return directory;
}

Suite *files_suite(void)
{
	Suite *suite = suite_create("files");

	suite_add_tcase(suite, reading_and_writing());
	suite_add_tcase(suite, directories());
	return suite;
}

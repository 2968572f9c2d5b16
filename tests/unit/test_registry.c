/* tests/unit/test_registry.c - records, process identity, locks, blocks. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/registry/process.h"
#include "helper/registry/record.h"
#include "helper/registry/registry.h"
#include "tests/unit/suites.h"

static char folder[64];
static struct registry registry;

/* A registry below a temporary folder: what registry_open would have made. */
static void setup(void)
{
	struct failure why;
	int top;

	memcpy(folder, "/tmp/carrel-registry-XXXXXX", sizeof("/tmp/carrel-registry-XXXXXX"));
	ck_assert_ptr_nonnull(mkdtemp(folder));
	top = open(folder, O_PATH | O_DIRECTORY);
	ck_assert(dir_make_at(top, "run/containers", 0700, &why));
	ck_assert(dir_make_at(top, "run/blocks", 0700, &why));
	ck_assert(dir_make_at(top, "state/containers", 0700, &why));
	ck_assert(dir_make_at(top, "state/images", 0700, &why));
	registry.run = dir_open_at(top, "run", true);
	registry.run_containers = dir_open_at(top, "run/containers", true);
	registry.state = dir_open_at(top, "state", true);
	registry.state_containers = dir_open_at(top, "state/containers", true);
	registry.state_images = dir_open_at(top, "state/images", true);
	ck_assert_int_ge(registry.state_images, 0);
	(void)close(top);
}

static void teardown(void)
{
	struct failure why;

	registry_close(&registry);
	ck_assert(tree_remove_at(AT_FDCWD, folder, &why));
}

START_TEST(record_keeps_any_bytes)
{
	static const char odd[] = "a=b\n%41 \x01\xff end";
	struct record record = {0};
	char out[64];

	record_put(&record, "name", odd);
	record_put_number(&record, "number", UINT64_MAX);
	record_get(&record, "name", out, sizeof(out));
	ck_assert_str_eq(out, odd);
	ck_assert_uint_eq(record_get_number(&record, "number", UINT64_MAX), UINT64_MAX);
	ck_assert(!record.failed);
}
END_TEST

START_TEST(record_refuses_what_it_did_not_write)
{
	static const char *const texts[] = {"",          "key",       "key=%4",
					    "key=%zz\n", "key=%",     "key=%00\n",
					    "key=%4\n",  "other=1\n", "key=a"};

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
		struct record record = {0};
		char out[8];

		(void)snprintf(record.text, sizeof(record.text), "%s", texts[i]);
		record_get(&record, "key", out, sizeof(out));
		ck_assert_msg(record.failed, "accepted '%s'", texts[i]);
		ck_assert_str_eq(out, "");
	}
}
END_TEST

START_TEST(record_checks_sizes_and_ranges)
{
	struct record record = {.text = "long=123456789\nnegative=-1\n"};
	char out[8];

	record_get(&record, "long", out, sizeof(out));
	ck_assert(record.failed);
	record.failed = false;
	ck_assert_uint_eq(record_get_number(&record, "negative", 100), 0);
	ck_assert(record.failed);
	record.failed = false;
	ck_assert_uint_eq(record_get_number(&record, "long", 1000), 0);
	ck_assert(record.failed);
}
END_TEST

START_TEST(record_is_read_in_any_order)
{
	struct record record = {.text = "first=1\nsecond=2\nsecondary=3\nthird=4\ntorn=5"};

	ck_assert_uint_eq(record_get_number(&record, "third", 9), 4);
	ck_assert_uint_eq(record_get_number(&record, "first", 9), 1);
	ck_assert_uint_eq(record_get_number(&record, "second", 9), 2);
	ck_assert_uint_eq(record_get_number(&record, "second", 9), 2);
	ck_assert_uint_eq(record_get_number(&record, "secondary", 9), 3);
	ck_assert(!record.failed);
	ck_assert_uint_eq(record_get_number(&record, "missing", 9), 0);
	ck_assert(record.failed);
	record.failed = false;
	ck_assert_uint_eq(record_get_number(&record, "third", 9), 4);
	ck_assert(!record.failed);
	ck_assert_uint_eq(record_get_number(&record, "torn", 9), 0); /* right behind the last */
	ck_assert(record.failed);
}
END_TEST

START_TEST(start_ticks_survive_any_process_name)
{
	ck_assert_uint_eq(
	    process_parse_start_ticks("7 (a) b) (c)) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 "
				      "0 0 20 0 1 0 4711 1 2"),
	    4711);
	ck_assert_uint_eq(process_parse_start_ticks("7 (short) S 1"), 0);
	ck_assert_uint_eq(process_parse_start_ticks(""), 0);
	ck_assert_uint_ne(process_start_ticks(getpid()), 0);
	ck_assert_uint_eq(process_start_ticks(0x3fffffff), 0);
}
END_TEST

START_TEST(running_record_names_one_process)
{
	struct running_record written = {.pid = getpid(), .block = 7, .allow_root = true};
	struct running_record record;
	struct failure why;
	int lock, init;

	lock = registry_lock(&registry, "alice", 0, &why);
	ck_assert_int_ge(lock, 0);
	written.start_ticks = process_start_ticks(getpid());
	memcpy(written.user, "al ice", 7);
	ck_assert(registry_write_running(&registry, "alice", &written, &why));
	ck_assert(registry_running(&registry, "alice", &record, &init, &why));
	ck_assert_int_ge(init, 0);
	ck_assert_str_eq(record.user, "al ice");
	ck_assert_uint_eq(record.block, 7);
	(void)close(init);
	/* The same pid with another start time is another process. */
	written.start_ticks++;
	ck_assert(registry_write_running(&registry, "alice", &written, &why));
	ck_assert(registry_running(&registry, "alice", &record, &init, &why));
	ck_assert_int_eq(init, -1);
	(void)close(lock);
}
END_TEST

static bool runs(const struct running_record *written)
{
	struct running_record record;
	struct failure why;
	int init;

	ck_assert(registry_write_running(&registry, "alice", written, &why));
	ck_assert(registry_running(&registry, "alice", &record, &init, &why));
	ck_assert_uint_eq(record.pidfd_inode, written->pidfd_inode);
	ck_assert_uint_eq(record.uid, written->uid);
	if (init >= 0)
		(void)close(init);
	return init >= 0;
}

/* Where the kernel has such a thing (Linux 6.9), the inode of the pidfd decides alone. */
START_TEST(inode_of_a_pidfd_names_one_process)
{
	struct running_record written = {.pid = getpid(), .uid = 1234};
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct failure why;
	int lock = registry_lock(&registry, "alice", 0, &why);

	ck_assert_int_ge(lock, 0);
	ck_assert_int_ge(pidfd, 0);
	written.pidfd_inode = process_pidfd_inode(pidfd);
	written.start_ticks = process_start_ticks(getpid());
	ck_assert(runs(&written));
	if (written.pidfd_inode != 0) {
		written.start_ticks++;
		ck_assert(runs(&written));
		written.pidfd_inode++;
		written.start_ticks--;
		ck_assert(!runs(&written));
	}
	/* A record from before, or of a kernel that does not tell. */
	written.pidfd_inode = 0;
	ck_assert(runs(&written));
	ck_assert_uint_eq(process_pidfd_inode(lock), 0);
	(void)close(lock);
}
END_TEST

/* What a list of thousands reads: this process plays PID 1, then one that ended long ago. */
START_TEST(a_glance_reads_files_alone)
{
	struct running_record record = {.pid = getpid(), .user = "alice"};
	struct note written = {.version = NOTE_VERSION, .session_count = 3}, note;
	struct failure why;
	bool runs, answers;
	int file;

	ck_assert(registry_glance(&registry, "bob", &record, &runs, &answers, &note, &why));
	ck_assert(!runs && !answers);
	record = (struct running_record){.pid = getpid(), .user = "alice"};
	record.start_ticks = process_start_ticks(getpid());
	ck_assert(dir_make_at(registry.run_containers, "alice", 0700, &why));
	ck_assert(registry_write_running(&registry, "alice", &record, &why));
	ck_assert(registry_glance(&registry, "alice", &record, &runs, &answers, &note, &why));
	ck_assert(runs && !answers); /* there is no note */
	file = openat(registry.run_containers, "alice/" NOTE_FILE, O_WRONLY | O_CREAT, 0600);
	ck_assert(note_write(file, &written));
	ck_assert(registry_glance(&registry, "alice", &record, &runs, &answers, &note, &why));
	ck_assert(runs && answers);
	ck_assert_uint_eq(note.session_count, 3);
	ck_assert_str_eq(record.user, "alice");
	written.version++;
	ck_assert(note_write(file, &written));
	ck_assert(registry_glance(&registry, "alice", &record, &runs, &answers, &note, &why));
	ck_assert(runs && !answers);
	(void)close(file);
	record.start_ticks++;
	ck_assert(registry_write_running(&registry, "alice", &record, &why));
	ck_assert(registry_glance(&registry, "alice", &record, &runs, &answers, &note, &why));
	ck_assert(!runs && !answers);
}
END_TEST

START_TEST(damaged_running_record_is_told)
{
	struct running_record record;
	struct failure why;
	int init, dir, lock = registry_lock(&registry, "bob", 0, &why);

	dir = dir_open_at(registry.run_containers, "bob", false);
	ck_assert(file_replace_at(dir, "running", "pid=x\n", 6, 0600, false, &why));
	ck_assert(!registry_running(&registry, "bob", &record, &init, &why));
	ck_assert_int_eq(why.kind, FAILURE_DATA);
	ck_assert_ptr_nonnull(strstr(why.text, "bob"));
	(void)close(dir);
	(void)close(lock);
}
END_TEST

START_TEST(lock_is_exclusive_and_waits_no_longer_than_told)
{
	struct failure why;
	int first = registry_lock(&registry, "carol", 0, &why);

	ck_assert_int_ge(first, 0);
	ck_assert_int_eq(registry_lock(&registry, "carol", 30, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_BUSY);
	(void)close(first);
	first = registry_lock(&registry, "carol", 0, &why);
	ck_assert_int_ge(first, 0);
	(void)close(first);
}
END_TEST

START_TEST(blocks_are_held_once_and_taken_over_when_stale)
{
	struct running_record running = {.pid = getpid()};
	struct failure why;
	uint32_t first, second, third;
	int lock;

	running.start_ticks = process_start_ticks(getpid());
	ck_assert(registry_take_block(&registry, "alice", 2, &first, &why));
	lock = registry_lock(&registry, "alice", 0, &why);
	ck_assert(registry_write_running(&registry, "alice", &running, &why));
	(void)close(lock);
	ck_assert(registry_take_block(&registry, "bob", 2, &second, &why));
	ck_assert_uint_ne(first, second);
	/* Alice runs and keeps hers; bob has no running record, so his block is free. */
	ck_assert(registry_take_block(&registry, "carol", 2, &third, &why));
	ck_assert_uint_eq(third, second);
	ck_assert(registry_take_block(&registry, "alice", 2, &third, &why));
	ck_assert_uint_eq(third, first);
}
END_TEST

START_TEST(blocks_run_out_with_a_reason)
{
	struct running_record running = {.pid = getpid()};
	struct failure why;
	uint32_t block;
	int lock;

	running.start_ticks = process_start_ticks(getpid());
	ck_assert(registry_take_block(&registry, "alice", 1, &block, &why));
	lock = registry_lock(&registry, "alice", 0, &why);
	ck_assert(registry_write_running(&registry, "alice", &running, &why));
	(void)close(lock);
	ck_assert(!registry_take_block(&registry, "bob", 1, &block, &why));
	ck_assert_int_eq(why.kind, FAILURE_LIMIT);
	ck_assert_ptr_nonnull(strstr(why.text, "id_blocks"));
	registry_clear_runtime(&registry, "alice");
}
END_TEST

START_TEST(stored_record_round_trip_and_damage)
{
	struct stored_record stored = {.version = 1, .created_at = 5, .last_used_at = 6}, read;
	struct failure why;
	int dir;

	ck_assert(registry_stored(&registry, "dave", &read, &why));
	ck_assert_uint_eq(read.version, 0);
	(void)close(registry_state_dir(&registry, "dave", true, &why));
	memcpy(stored.user, "dave", 5);
	memcpy(stored.storage, "plain", 6);
	ck_assert(registry_write_stored(&registry, "dave", &stored, &why));
	ck_assert(registry_stored(&registry, "dave", &read, &why));
	ck_assert_str_eq(read.user, "dave");
	ck_assert_uint_eq(read.last_used_at, 6);
	dir = dir_open_at(registry.state_containers, "dave", false);
	ck_assert(file_replace_at(dir, "stored", "version=0\n", 10, 0600, false, &why));
	ck_assert(!registry_stored(&registry, "dave", &read, &why));
	ck_assert_int_eq(why.kind, FAILURE_DATA);
	(void)close(dir);
}
END_TEST

static ino_t inode_of_stored(const char *name)
{
	char path[80];
	struct stat status;

	(void)snprintf(path, sizeof(path), "%s/stored", name);
	ck_assert_int_eq(fstatat(registry.state_containers, path, &status, 0), 0);
	return status.st_ino;
}

/* A new file needs a sync, which takes a login milliseconds. */
START_TEST(stored_time_is_written_in_place)
{
	struct stored_record stored = {.version = 1, .last_used_at = 1700000000}, read;
	struct failure why;
	ino_t first;

	(void)close(registry_state_dir(&registry, "eve", true, &why));
	memcpy(stored.policy, "students", 9);
	ck_assert(registry_write_stored(&registry, "eve", &stored, &why));
	first = inode_of_stored("eve");
	stored.last_used_at = 1800000000;
	ck_assert(registry_write_stored(&registry, "eve", &stored, &why));
	ck_assert(registry_stored(&registry, "eve", &read, &why));
	ck_assert_uint_eq(read.last_used_at, 1800000000);
	ck_assert_str_eq(read.policy, "students");
	ck_assert_uint_eq(inode_of_stored("eve"), first);
	memcpy(stored.policy, "visitors", 9);
	ck_assert(registry_write_stored(&registry, "eve", &stored, &why));
	ck_assert(registry_stored(&registry, "eve", &read, &why));
	ck_assert_str_eq(read.policy, "visitors");
	ck_assert_uint_ne(inode_of_stored("eve"), first);
}
END_TEST

START_TEST(names_are_sorted_and_single)
{
	struct failure why;
	char **names;
	size_t count;

	(void)close(registry_state_dir(&registry, "zoe", true, &why));
	(void)close(registry_state_dir(&registry, "adam", true, &why));
	(void)close(registry_lock(&registry, "zoe", 0, &why));
	(void)close(registry_lock(&registry, "mia", 0, &why));
	ck_assert(registry_names(&registry, &names, &count, &why));
	ck_assert_uint_eq(count, 3);
	ck_assert_str_eq(names[0], "adam");
	ck_assert_str_eq(names[1], "mia");
	ck_assert_str_eq(names[2], "zoe");
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}
END_TEST

START_TEST(foreign_folders_are_refused)
{
	struct failure why;
	int top = dir_open_at(registry.run, "containers", false);

	ck_assert_int_eq(mkdirat(top, "evil", 0777), 0);
	ck_assert_int_eq(fchmodat(top, "evil", 0777, 0), 0);
	ck_assert_int_eq(registry_lock(&registry, "evil", 0, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_DATA);
	ck_assert_int_eq(symlinkat("/tmp", top, "link"), 0);
	ck_assert_int_eq(registry_lock(&registry, "link", 0, &why), -1);
	(void)close(top);
}
END_TEST

Suite *registry_suite(void)
{
	Suite *suite = suite_create("registry");
	TCase *pure = tcase_create("pure");
	TCase *files = tcase_create("files");

	tcase_add_test(pure, record_keeps_any_bytes);
	tcase_add_test(pure, record_refuses_what_it_did_not_write);
	tcase_add_test(pure, record_checks_sizes_and_ranges);
	tcase_add_test(pure, record_is_read_in_any_order);
	tcase_add_test(pure, start_ticks_survive_any_process_name);
	suite_add_tcase(suite, pure);
	tcase_add_checked_fixture(files, setup, teardown);
	tcase_add_test(files, running_record_names_one_process);
	tcase_add_test(files, inode_of_a_pidfd_names_one_process);
	tcase_add_test(files, a_glance_reads_files_alone);
	tcase_add_test(files, damaged_running_record_is_told);
	tcase_add_test(files, lock_is_exclusive_and_waits_no_longer_than_told);
	tcase_add_test(files, blocks_are_held_once_and_taken_over_when_stale);
	tcase_add_test(files, blocks_run_out_with_a_reason);
	tcase_add_test(files, stored_record_round_trip_and_damage);
	tcase_add_test(files, stored_time_is_written_in_place);
	tcase_add_test(files, names_are_sorted_and_single);
	tcase_add_test(files, foreign_folders_are_refused);
	suite_add_tcase(suite, files);
	return suite;
}

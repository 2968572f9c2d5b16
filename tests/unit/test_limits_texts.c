/* tests/unit/test_limits_texts.c - names of cgroups, sources of mounts, numbers of usage. */
#include <string.h>

#include "helper/limits/cgroup_name.h"
#include "helper/limits/device.h"
#include "helper/limits/usage_parse.h"
#include "tests/unit/suites.h"

static void is_directory_of(const char *name, const char *expected)
{
	char out[CGROUP_NAME_SIZE];
	struct failure why = {0};

	ck_assert_msg(cgroup_container_directory(name, out, &why), "%s", why.text);
	ck_assert_str_eq(out, expected);
}

START_TEST(ordinary_names_stay)
{
	is_directory_of("alice", "alice");
	is_directory_of("cs-101", "cs-101");
	is_directory_of("pool", "pool");
	is_directory_of("tasks2", "tasks2");
}
END_TEST

/* A user called "tasks" must get in, and one called "pool-x" must not get the pool's limits. */
START_TEST(names_of_files_and_pools_are_set_apart)
{
	is_directory_of("tasks", "_tasks");
	is_directory_of("notify_on_release", "_notify_on_release");
	is_directory_of("cgroup.procs", "_cgroup.procs");
	is_directory_of("john.doe", "_john.doe");
	is_directory_of("pool-x", "_pool-x");
	is_directory_of("_tasks", "__tasks");
	is_directory_of("_pool-x", "__pool-x");
	is_directory_of("_", "__");
	/* The process that keeps carrel.service's cgroup is in there. */
	is_directory_of("anchor", "_anchor");
}
END_TEST

START_TEST(no_name_leads_elsewhere)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "/", "../x", "a\nb"};
	char out[CGROUP_NAME_SIZE], longer[66];
	struct failure why;

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		ck_assert(!cgroup_container_directory(bad[i], out, &why));
		ck_assert_int_eq(why.kind, FAILURE_REQUEST);
		ck_assert(!cgroup_pool_directory(bad[i], out, &why));
	}
	memset(longer, 'n', sizeof(longer) - 1);
	longer[65] = '\0';
	ck_assert(!cgroup_container_directory(longer, out, &why));
	longer[64] = '\0';
	ck_assert(cgroup_pool_directory(longer, out, &why));
	ck_assert_uint_eq(strlen(out), 64 + strlen("pool-"));
	ck_assert(cgroup_pool_directory("cs.101", out, &why));
	ck_assert_str_eq(out, "pool-cs.101");
}
END_TEST

START_TEST(source_of_a_mount)
{
	static const char text[] = "22 1 0:30 / / rw - btrfs /dev/my\\040disk rw\n"
				   "23 22 0:31 /home /home rw shared:1 - nfs host:/home rw\n";
	const char *source, *type;
	char copy[sizeof(text)];

	memcpy(copy, text, sizeof(text));
	device_mount_source(copy, 22, &source, &type);
	ck_assert_str_eq(source, "/dev/my disk");
	ck_assert_str_eq(type, "btrfs");
	memcpy(copy, text, sizeof(text));
	device_mount_source(copy, 23, &source, &type);
	ck_assert_str_eq(source, "host:/home");
	ck_assert_str_eq(type, "nfs");
	memcpy(copy, text, sizeof(text));
	device_mount_source(copy, 2, &source, &type);
	ck_assert_ptr_null(source);
	ck_assert_ptr_null(type);
}
END_TEST

START_TEST(numbers_of_usage)
{
	ck_assert_uint_eq(usage_parse("4096\n", USAGE_NUMBER, NULL, NULL), 4096);
	ck_assert_uint_eq(usage_parse("max\n", USAGE_NUMBER, NULL, NULL), UINT64_MAX);
	ck_assert_uint_eq(usage_parse("", USAGE_NUMBER, NULL, NULL), UINT64_MAX);
	ck_assert_uint_eq(usage_parse("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", USAGE_LINE,
				      "oom_kill", NULL),
			  3);
	ck_assert_uint_eq(usage_parse("oom 7\n", USAGE_LINE, "oom_kill", NULL), UINT64_MAX);
	ck_assert_uint_eq(usage_parse("usage_usec 5\nuser_usec 6", USAGE_LINE, "user_usec", NULL),
			  6);
}
END_TEST

static bool is_a_disk(unsigned major, unsigned minor)
{
	(void)minor;
	return major != 7;
}

START_TEST(disks_are_added_up)
{
	static const char v1[] = "254:0 Read 100\n254:0 Write 20\n254:0 Sync 120\n254:0 Total 120\n"
				 "7:0 Read 64\n8:0 Read 5\nTotal 184\n";
	static const char v2[] = "254:0 rbytes=100 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n"
				 "7:0 rbytes=64 wbytes=9\n8:0 \n";

	ck_assert_uint_eq(usage_parse(v1, USAGE_DISKS, "Read", NULL), 169);
	ck_assert_uint_eq(usage_parse(v1, USAGE_DISKS, "Read", is_a_disk), 105);
	ck_assert_uint_eq(usage_parse(v1, USAGE_DISKS, "Write", is_a_disk), 20);
	ck_assert_uint_eq(usage_parse(v2, USAGE_DISKS_KEYS, "rbytes", is_a_disk), 100);
	ck_assert_uint_eq(usage_parse(v2, USAGE_DISKS_KEYS, "wbytes", NULL), 29);
	/* Nothing was read or written yet: that is a number, not unknown. */
	ck_assert_uint_eq(usage_parse("", USAGE_DISKS_KEYS, "rbytes", NULL), 0);
}
END_TEST

Suite *limits_texts_suite(void)
{
	Suite *suite = suite_create("limits_texts");
	TCase *texts = tcase_create("texts");

	tcase_add_test(texts, ordinary_names_stay);
	tcase_add_test(texts, names_of_files_and_pools_are_set_apart);
	tcase_add_test(texts, no_name_leads_elsewhere);
	tcase_add_test(texts, source_of_a_mount);
	tcase_add_test(texts, numbers_of_usage);
	tcase_add_test(texts, disks_are_added_up);
	suite_add_tcase(suite, texts);
	return suite;
}

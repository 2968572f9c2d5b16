/* tests/unit/test_limits_check.c - a limit that cannot be held is refused beforehand, by name. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/limits/check.h"
#include "helper/limits/limits.h"
#include "tests/unit/suites.h"

#define BIT(controller) (1U << (controller))
#define ALL             (BIT(CGROUP_MEMORY) | BIT(CGROUP_CPU) | BIT(CGROUP_PIDS) | BIT(CGROUP_IO))

/* A stand-in for Carrel's place in one hierarchy, with the files that the kernel would offer. */
static struct cgroup_layout place(bool v2, unsigned controllers, const char *const *files)
{
	struct cgroup_layout layout = {.root_count = 1, .available = controllers};
	char path[] = "/tmp/carrel-unit-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(path));
	layout.roots[0] = (struct cgroup_root){.v2 = v2, .controllers = controllers};
	layout.roots[0].dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(layout.roots[0].dir, 0);
	for (; files && *files; files++)
		ck_assert_int_eq(mknodat(layout.roots[0].dir, *files, S_IFREG | 0600, 0), 0);
	(void)snprintf(layout.parent, sizeof(layout.parent), "%s", path);
	return layout;
}

static void take_away(struct cgroup_layout *layout, const char *const *files)
{
	for (; files && *files; files++)
		(void)unlinkat(layout->roots[0].dir, *files, 0);
	ck_assert_int_eq(rmdir(layout->parent), 0);
	cgroup_layout_close(layout);
}

static struct limits one(enum limit_id limit, uint64_t value)
{
	struct limits limits;

	for (size_t i = 0; i < LIMIT_COUNT; i++)
		limits.value[i] = LIMIT_UNSET;
	limits.value[limit] = value;
	return limits;
}

static void is_refused(const struct cgroup_layout *layout, enum limit_id limit, uint64_t value,
		       bool is_pool)
{
	struct limits limits = one(limit, value);
	struct failure why = {0};

	ck_assert(!(is_pool ? limits_check_pool : limits_check)(layout, &limits, &why));
	ck_assert_int_eq(why.kind, FAILURE_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(why.text, policy_limit_name(limit)));
}

static void is_taken(const struct cgroup_layout *layout, enum limit_id limit, uint64_t value,
		     bool is_pool)
{
	struct limits limits = one(limit, value);
	struct failure why = {0};

	ck_assert_msg((is_pool ? limits_check_pool : limits_check)(layout, &limits, &why), "%s",
		      why.text);
}

START_TEST(without_the_controller)
{
	struct cgroup_layout layout = place(true, BIT(CGROUP_PIDS), NULL);

	is_refused(&layout, LIMIT_MEMORY, 1 << 30, false);
	is_refused(&layout, LIMIT_SWAP, 0, false);
	is_refused(&layout, LIMIT_CPU, 5000, false);
	is_refused(&layout, LIMIT_CPU_WEIGHT, 50, false);
	is_refused(&layout, LIMIT_READ_RATE, 1 << 20, false);
	is_refused(&layout, LIMIT_WRITE_RATE, 1 << 20, true);
	/* Not asked for, or not a cgroup's matter. */
	is_taken(&layout, LIMIT_MEMORY, LIMIT_UNLIMITED, false);
	is_taken(&layout, LIMIT_MEMORY, LIMIT_UNSET, false);
	is_taken(&layout, LIMIT_DISK, 1, false);
	is_taken(&layout, LIMIT_OPEN_FILES, 1, false);
	take_away(&layout, NULL);
}
END_TEST

START_TEST(without_the_file)
{
	static const char *const files[] = {"cpu.shares", "memory.limit_in_bytes", NULL};
	struct cgroup_layout layout = place(false, ALL, files);

	is_taken(&layout, LIMIT_CPU_WEIGHT, 50, false);
	is_taken(&layout, LIMIT_MEMORY, 1 << 30, false);
	is_refused(&layout, LIMIT_CPU, 5000, false);
	is_refused(&layout, LIMIT_PIDS, 10, false);
	is_refused(&layout, LIMIT_READ_RATE, 1 << 20, false);
	take_away(&layout, files);
}
END_TEST

START_TEST(rates_of_a_pool_need_v2)
{
	static const char *const v1_files[] = {"blkio.throttle.read_bps_device",
					       "blkio.throttle.write_bps_device", NULL};
	static const char *const v2_files[] = {"io.max", NULL};
	struct cgroup_layout v1 = place(false, ALL, v1_files), v2 = place(true, ALL, v2_files);

	is_taken(&v1, LIMIT_READ_RATE, 1 << 20, false);
	is_refused(&v1, LIMIT_READ_RATE, 1 << 20, true);
	is_refused(&v1, LIMIT_WRITE_RATE, 1 << 20, true);
	is_taken(&v2, LIMIT_WRITE_RATE, 1 << 20, true);
	take_away(&v1, v1_files);
	take_away(&v2, v2_files);
}
END_TEST

/* A quota below 1 ms is EINVAL; a rate of 0 would be none at all on v1. */
START_TEST(less_than_the_kernel_holds)
{
	static const char *const files[] = {"cpu.max", "io.max", NULL};
	struct cgroup_layout layout = place(true, ALL, files);

	is_refused(&layout, LIMIT_CPU, 99, false);
	is_taken(&layout, LIMIT_CPU, 100, false);
	is_refused(&layout, LIMIT_READ_RATE, 0, false);
	is_refused(&layout, LIMIT_WRITE_RATE, 0, false);
	is_taken(&layout, LIMIT_WRITE_RATE, 1, false);
	take_away(&layout, files);
}
END_TEST

/* v1 without swap accounting can hold a swap limit on a host without swap only. */
START_TEST(swap_follows_the_host)
{
	static const char *const files[] = {"memory.limit_in_bytes", NULL};
	struct cgroup_layout layout = place(false, ALL, files);

	if (host_has_swap())
		is_refused(&layout, LIMIT_SWAP, 1 << 20, false);
	else
		is_taken(&layout, LIMIT_SWAP, 1 << 20, false);
	take_away(&layout, files);
}
END_TEST

START_TEST(caveat_of_buffered_writes)
{
	struct cgroup_layout v1 = place(false, ALL, NULL), v2 = place(true, ALL, NULL);
	struct limits write = one(LIMIT_WRITE_RATE, 1 << 20), read = one(LIMIT_READ_RATE, 1 << 20);

	ck_assert_ptr_nonnull(limits_caveat(&v1, &write));
	ck_assert_ptr_null(limits_caveat(&v1, &read));
	ck_assert_ptr_null(limits_caveat(&v2, &write));
	take_away(&v1, NULL);
	take_away(&v2, NULL);
}
END_TEST

Suite *limits_check_suite(void)
{
	Suite *suite = suite_create("limits_check");
	TCase *check = tcase_create("check");

	tcase_add_test(check, without_the_controller);
	tcase_add_test(check, without_the_file);
	tcase_add_test(check, rates_of_a_pool_need_v2);
	tcase_add_test(check, less_than_the_kernel_holds);
	tcase_add_test(check, swap_follows_the_host);
	tcase_add_test(check, caveat_of_buffered_writes);
	suite_add_tcase(suite, check);
	return suite;
}

/* tests/unit/test_limits_layout.c - the cgroup mounts that are found in the kernel's texts. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/limits/kept_mounts.h"
#include "helper/limits/layout_parse.h"
#include "helper/limits/mountinfo.h"
#include "tests/unit/suites.h"

#define BIT(controller) (1U << (controller))
#define V2_CORE         (BIT(CGROUP_FREEZER) | BIT(CGROUP_CPUACCT))

static const char host_v2[] =
    "22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"
    "26 22 0:24 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

static const char host_hybrid[] =
    "31 23 0:28 / /sys/fs/cgroup rw shared:5 - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:6 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "37 31 0:34 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n"
    "38 31 0:35 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio\n"
    "39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
    "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n";

static const char unified_line[] = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

static const char cgroups_hybrid[] = "9:name=systemd:/user.slice\n"
				     "8:pids:/user.slice/x\n"
				     "7:blkio:/\n"
				     "6:freezer:/\n"
				     "4:memory:/user.slice/a:b\n"
				     "3:cpuset:/\n"
				     "1:cpu,cpuacct:/user.slice\n"
				     "0::/user.slice/u\n";

static const struct cgroup_mount *find(const struct cgroup_mounts *mounts, const char *name)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (strcmp(mounts->mounts[i].name, name) == 0)
			return &mounts->mounts[i];
	return NULL;
}

static void parse(const char *mountinfo, const char *more, const char *cgroups,
		  struct cgroup_mounts *mounts)
{
	char text[8192];
	struct failure why = {0};

	ck_assert_int_lt(snprintf(text, sizeof(text), "%s%s", mountinfo, more), sizeof(text));
	ck_assert_msg(cgroup_layout_parse(text, cgroups, mounts, &why), "%s", why.text);
}

START_TEST(v2_alone)
{
	struct cgroup_mounts mounts;

	parse(host_v2, "", "0::/user.slice/session-1.scope\n", &mounts);
	ck_assert_uint_eq(mounts.count, 1);
	ck_assert(mounts.mounts[0].v2);
	ck_assert_str_eq(mounts.mounts[0].name, "unified");
	ck_assert_str_eq(mounts.mounts[0].point, "/sys/fs/cgroup");
	ck_assert_uint_eq(mounts.mounts[0].major, 0);
	ck_assert_uint_eq(mounts.mounts[0].minor, 24);
	ck_assert_uint_eq(mounts.mounts[0].controllers, V2_CORE);
	ck_assert_str_eq(cgroup_mount_own(&mounts.mounts[0]), "user.slice/session-1.scope");
}
END_TEST

START_TEST(v1_alone)
{
	struct cgroup_mounts mounts;

	parse(host_hybrid, "", cgroups_hybrid, &mounts);
	ck_assert_uint_eq(mounts.count, 6);
	ck_assert_ptr_null(find(&mounts, "cpuset"));
	ck_assert_uint_eq(find(&mounts, "cpu,cpuacct")->controllers,
			  BIT(CGROUP_CPU) | BIT(CGROUP_CPUACCT));
	ck_assert_uint_eq(find(&mounts, "memory")->controllers, BIT(CGROUP_MEMORY));
	ck_assert_uint_eq(find(&mounts, "blkio")->controllers, BIT(CGROUP_IO));
	ck_assert_uint_eq(find(&mounts, "pids")->controllers, BIT(CGROUP_PIDS));
	ck_assert_uint_eq(find(&mounts, "freezer")->controllers, BIT(CGROUP_FREEZER));
	ck_assert_uint_eq(find(&mounts, "systemd")->controllers, 0);
}
END_TEST

/* v2 kills and counts there: three hierarchies less to move every login in. */
START_TEST(hybrid_leaves_to_v2_what_it_does)
{
	struct cgroup_mounts mounts;

	parse(host_hybrid, unified_line, cgroups_hybrid, &mounts);
	ck_assert_uint_eq(mounts.count, 5);
	ck_assert_ptr_null(find(&mounts, "freezer"));
	ck_assert_ptr_null(find(&mounts, "systemd"));
	ck_assert_uint_eq(find(&mounts, "cpu,cpuacct")->controllers, BIT(CGROUP_CPU));
	ck_assert_uint_eq(find(&mounts, "unified")->controllers, V2_CORE);
}
END_TEST

START_TEST(finds_the_process_in_each_hierarchy)
{
	struct cgroup_mounts mounts;

	parse(host_hybrid, "", cgroups_hybrid, &mounts);
	ck_assert_str_eq(cgroup_mount_own(find(&mounts, "cpu,cpuacct")), "user.slice");
	ck_assert_str_eq(cgroup_mount_own(find(&mounts, "memory")), "user.slice/a:b");
	ck_assert_str_eq(cgroup_mount_own(find(&mounts, "blkio")), ".");
	ck_assert_str_eq(cgroup_mount_own(find(&mounts, "pids")), "user.slice/x");
	ck_assert_str_eq(cgroup_mount_own(find(&mounts, "systemd")), "user.slice");
	parse(host_hybrid, unified_line, cgroups_hybrid, &mounts);
	ck_assert_str_eq(cgroup_mount_own(find(&mounts, "unified")), "user.slice/u");
}
END_TEST

/* Inside of a container without a cgroup namespace the mount shows a part of the tree. */
START_TEST(mount_root_inside_a_container)
{
	static const char mounted[] = "50 49 0:24 /docker/ab12 /sys/fs/cgroup rw - cgroup2 cg rw\n";
	struct cgroup_mounts mounts;

	parse(mounted, "", "0::/docker/ab12/init\n", &mounts);
	ck_assert_str_eq(mounts.mounts[0].root, "/docker/ab12");
	ck_assert_str_eq(cgroup_mount_own(&mounts.mounts[0]), "init");
	parse(mounted, "", "0::/docker/ab12\n", &mounts);
	ck_assert_str_eq(cgroup_mount_own(&mounts.mounts[0]), ".");
	parse(mounted, "", "0::/docker/ab123\n", &mounts);
	ck_assert_ptr_null(cgroup_mount_own(&mounts.mounts[0]));
	parse(mounted, "", "0::/other\n", &mounts);
	ck_assert_ptr_null(cgroup_mount_own(&mounts.mounts[0]));
	parse(mounted, "", "0::/../other\n", &mounts);
	ck_assert_ptr_null(cgroup_mount_own(&mounts.mounts[0]));
	parse(mounted, "", "", &mounts);
	ck_assert_ptr_null(cgroup_mount_own(&mounts.mounts[0]));
}
END_TEST

START_TEST(unusual_places_and_escapes)
{
	struct cgroup_mounts mounts;

	parse("60 1 0:44 / /mnt/my\\040cgroups\\011\\134x rw shared:1 master:2 - cgroup2 none rw\n",
	      "61 1 0:45 / /dev/mem\\0\\9 rw - cgroup none rw,memory\n", "0::/\n", &mounts);
	ck_assert_str_eq(find(&mounts, "unified")->point, "/mnt/my cgroups\t\\x");
	ck_assert_str_eq(find(&mounts, "memory")->point, "/dev/mem\\0\\9");
}
END_TEST

START_TEST(of_several_mounts_the_widest_writable)
{
	static const char part[] = "70 1 0:24 /a /first rw - cgroup2 cg rw\n";
	static const char readonly[] = "71 1 0:24 / /second ro,nosuid - cgroup2 cg rw\n";
	static const char whole[] = "72 1 0:24 / /third rw - cgroup2 cg rw\n";
	static const char again[] = "73 1 0:24 / /fourth rw - cgroup2 cg rw\n";
	char text[512];
	struct cgroup_mounts mounts;

	(void)snprintf(text, sizeof(text), "%s%s%s%s", part, readonly, whole, again);
	parse(text, "", "0::/\n", &mounts);
	ck_assert_uint_eq(mounts.count, 1);
	ck_assert_str_eq(mounts.mounts[0].point, "/third");
	(void)snprintf(text, sizeof(text), "%s%s", readonly, part);
	parse(text, "", "0::/\n", &mounts);
	ck_assert_str_eq(mounts.mounts[0].point, "/first");
}
END_TEST

/* Mounted over at the same place: what is on top is what open(2) finds. */
START_TEST(later_mount_covers_the_earlier)
{
	struct cgroup_mounts mounts;

	parse("70 1 0:24 / /sys/fs/cgroup rw - cgroup2 cg rw\n",
	      "71 70 0:55 /part /sys/fs/cgroup rw - cgroup2 cg rw\n", "0::/\n", &mounts);
	ck_assert_uint_eq(mounts.count, 1);
	ck_assert_uint_eq(mounts.mounts[0].minor, 55);
	ck_assert_str_eq(mounts.mounts[0].root, "/part");
}
END_TEST

START_TEST(no_cgroups_at_all)
{
	struct cgroup_mounts mounts;
	struct failure why = {0};

	ck_assert(!cgroup_layout_parse("22 1 8:2 / / rw - ext4 /dev/sda2 rw\n", "", &mounts, &why));
	ck_assert_int_eq(why.kind, FAILURE_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(why.text, "mount"));
	ck_assert(!cgroup_layout_parse("", "", &mounts, &why));
	/* Hierarchies of others are not ours to use. */
	ck_assert(!cgroup_layout_parse("40 31 0:37 / /c rw - cgroup cgroup rw,name=elogind\n"
				       "41 31 0:38 / /d rw - cgroup cgroup rw,net_cls,net_prio\n",
				       "", &mounts, &why));
}
END_TEST

START_TEST(broken_lines_are_passed_over)
{
	struct cgroup_mounts mounts;

	parse("\n\n1 2 3\nx y z / / rw - cgroup2 cg rw\n1 1 0:1 / /a rw - cgroup2\n"
	      "1 1 0:1 / /b rw no-dash cgroup2 cg rw\n",
	      "26 22 0:24 / /here rw - cgroup2 cg rw", "9\n:\n::\n0::/x", &mounts);
	ck_assert_uint_eq(mounts.count, 1);
	ck_assert_str_eq(mounts.mounts[0].point, "/here");
	ck_assert_str_eq(cgroup_mount_own(&mounts.mounts[0]), "x");
}
END_TEST

START_TEST(too_long_a_path_is_not_cut)
{
	char text[2 * CGROUP_PATH_SIZE], path[CGROUP_PATH_SIZE + 1];
	struct cgroup_mounts mounts;
	struct failure why;

	memset(path, 'p', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	(void)snprintf(text, sizeof(text), "26 22 0:24 / %s rw - cgroup2 cg rw\n", path);
	ck_assert(!cgroup_layout_parse(text, "", &mounts, &why));
	path[sizeof(path) - 2] = '\0';
	(void)snprintf(text, sizeof(text), "26 22 0:24 / %s rw - cgroup2 cg rw\n", path);
	parse(text, "", "", &mounts);
	ck_assert_str_eq(mounts.mounts[0].point, path);
}
END_TEST

START_TEST(names_of_controllers)
{
	ck_assert_uint_eq(cgroup_controllers_parse("cpuset cpu io memory hugetlb pids rdma\n"),
			  BIT(CGROUP_CPU) | BIT(CGROUP_IO) | BIT(CGROUP_MEMORY) | BIT(CGROUP_PIDS));
	ck_assert_uint_eq(cgroup_controllers_parse(""), 0);
	ck_assert_uint_eq(cgroup_controllers_parse("\n"), 0);
	ck_assert_uint_eq(cgroup_controllers_parse("cpus mem pid blkio freezer"), 0);
	ck_assert_uint_eq(cgroup_controllers_parse("memory"), BIT(CGROUP_MEMORY));
	ck_assert_str_eq(cgroup_controller_name(CGROUP_IO, true), "io");
	ck_assert_str_eq(cgroup_controller_name(CGROUP_IO, false), "blkio");
}
END_TEST

START_TEST(words_of_a_list)
{
	ck_assert(mountinfo_has_word("rw,cpu,cpuacct", "cpu"));
	ck_assert(mountinfo_has_word("rw,cpu,cpuacct", "cpuacct"));
	ck_assert(mountinfo_has_word("ro", "ro"));
	ck_assert(!mountinfo_has_word("rw,cpuacct", "cpu"));
	ck_assert(!mountinfo_has_word("", "cpu"));
	ck_assert(!mountinfo_has_word("errors=remount-ro", "ro"));
}
END_TEST

static void assert_same_places(const struct cgroup_mounts *kept, const struct cgroup_mounts *fresh)
{
	ck_assert_uint_eq(kept->count, fresh->count);
	for (size_t i = 0; i < fresh->count; i++) {
		struct cgroup_mount expected = fresh->mounts[i];

		expected.root[0] = expected.own[0] = '\0';
		ck_assert_uint_eq(kept->mounts[i].major, expected.major);
		ck_assert_uint_eq(kept->mounts[i].minor, expected.minor);
		ck_assert_uint_eq(kept->mounts[i].v2, expected.v2);
		ck_assert_uint_eq(kept->mounts[i].controllers, expected.controllers);
		ck_assert_str_eq(kept->mounts[i].name, expected.name);
		ck_assert_str_eq(kept->mounts[i].point, expected.point);
		ck_assert_str_eq(kept->mounts[i].root, "");
		ck_assert_str_eq(kept->mounts[i].own, "");
	}
}

static char *keep_hybrid(struct cgroup_mounts *fresh)
{
	char mountinfo[8192], *text;
	size_t length = 0;

	(void)snprintf(mountinfo, sizeof(mountinfo), "%s%s%s",
		       "22 1 8:2 / / rw,relatime - ext4 /dev/sda2 rw\n", host_hybrid, unified_line);
	parse(mountinfo, "", cgroups_hybrid, fresh);
	text = kept_mounts_text(cgroups_hybrid, fresh, &length);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(length, strlen(text));
	return text;
}

/* What is kept leads to the same places, and is not used once hierarchies come or go. */
START_TEST(kept_mounts_say_the_same)
{
	struct cgroup_mounts fresh, kept;
	char *text = keep_hybrid(&fresh);

	ck_assert_ptr_null(strstr(text, "user.slice"));
	ck_assert(kept_mounts_parse(text, cgroups_hybrid, &kept));
	assert_same_places(&kept, &fresh);

	ck_assert(kept_mounts_parse(text,
				    "9:name=systemd:/elsewhere\n8:pids:/\n"
				    "7:blkio:/x\n6:freezer:/\n4:memory:/\n"
				    "3:cpuset:/\n1:cpu,cpuacct:/\n0::/\n",
				    &kept));
	ck_assert(!kept_mounts_parse(text, "0::/\n", &kept));
	ck_assert(!kept_mounts_parse(text, "", &kept));
	ck_assert(!kept_mounts_parse("", cgroups_hybrid, &kept));
	free(text);
}
END_TEST

/* A place that was cut off must not be another's. */
START_TEST(kept_mounts_are_whole_or_not_used)
{
	struct cgroup_mounts fresh, kept;
	char *text = keep_hybrid(&fresh);
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++) {
		_cleanup_free_ char *part = strndup(text, i);

		ck_assert_ptr_nonnull(part);
		ck_assert(!kept_mounts_parse(part, cgroups_hybrid, &kept));
	}
	free(text);
}
END_TEST

START_TEST(kept_mounts_are_damaged)
{
	static const char *const lines[] = {
	    "1 1 2 1 0 1\n/", /* a version that there is not */
	    "1 1 0 1 0 9999\n/", "1 1 0 1 99 1\n/", "1 1 0 99999999999 0 1\n/",
	    "1 1 0 -1 0 1\n/",   "1 1 0 1 0 1 /",   "1 1 0 1 0\n/",
	    "rubbish",
	};
	struct cgroup_mounts kept;

	ck_assert(kept_mounts_parse("mounts 2\n0:\n\n1\n1 1 0 1 0 1\n/", "0::/\n", &kept));
	ck_assert_str_eq(kept.mounts[0].point, "/");
	for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), "mounts 2\n0:\n\n1\n%s", lines[i]);
		ck_assert_msg(!kept_mounts_parse(text, "0::/\n", &kept), "%s", lines[i]);
	}
	/* What versions before kept. */
	ck_assert(!kept_mounts_parse("0:\n\n30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
				     "0::/\n", &kept));
}
END_TEST

START_TEST(kept_from_login_to_login)
{
	char folder[] = "/tmp/carrel-kept.XXXXXX";
	struct cgroup_mounts fresh, kept;
	int dir;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY);
	parse(host_v2, "", "0::/a\n", &fresh);
	ck_assert(!kept_mounts_load(dir, "0::/\n", &kept));
	kept_mounts_store(dir, "0::/a\n", &fresh);
	ck_assert(kept_mounts_load(dir, "0::/b\n", &kept));
	assert_same_places(&kept, &fresh);
	ck_assert(!kept_mounts_load(dir, "1:cpu:/\n0::/b\n", &kept));
	kept_mounts_forget(dir);
	ck_assert(!kept_mounts_load(dir, "0::/b\n", &kept));
	(void)close(dir);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

Suite *limits_layout_suite(void)
{
	Suite *suite = suite_create("limits_layout");
	TCase *layout = tcase_create("layout");

	tcase_add_test(layout, v2_alone);
	tcase_add_test(layout, v1_alone);
	tcase_add_test(layout, hybrid_leaves_to_v2_what_it_does);
	tcase_add_test(layout, finds_the_process_in_each_hierarchy);
	tcase_add_test(layout, mount_root_inside_a_container);
	tcase_add_test(layout, unusual_places_and_escapes);
	tcase_add_test(layout, of_several_mounts_the_widest_writable);
	tcase_add_test(layout, later_mount_covers_the_earlier);
	tcase_add_test(layout, no_cgroups_at_all);
	tcase_add_test(layout, broken_lines_are_passed_over);
	tcase_add_test(layout, too_long_a_path_is_not_cut);
	tcase_add_test(layout, names_of_controllers);
	tcase_add_test(layout, words_of_a_list);
	tcase_add_test(layout, kept_mounts_say_the_same);
	tcase_add_test(layout, kept_mounts_are_whole_or_not_used);
	tcase_add_test(layout, kept_mounts_are_damaged);
	tcase_add_test(layout, kept_from_login_to_login);
	suite_add_tcase(suite, layout);
	return suite;
}

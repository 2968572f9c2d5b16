/* tests/unit/test_policy_kept.c - policies that are kept say what the files say, or are not used.
 */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "policy/image.h"
#include "policy/kept.h"
#include "tests/unit/policy_dir.h"
#include "tests/unit/suites.h"

#define KEPT "policies"

static const char main_text[] = "state_dir = \"/srv/carrel\"\n"
				"exempt { users = {\"ann\"} groups = {\"sudo\", \"wheel\"} }\n"
				"unmatched = deny\nunmatched_message = \"not here\"\n";

static const char policy_text[] =
    "policy \"a\" {\n groups = {\"students\", \"cs101\"}\n services = {\"sshd\"}\n"
    " name = \"%u-x\"\n image = \"host\"\n home = tmpfs\n"
    " bind \"/srv/a\" { readonly = yes }\n bind \"/srv/b\" { target = \"/b\" }\n"
    " environment = {\"A=1\", \"B=2\"}\n limits { memory = \"64M\" pids = 20 }\n"
    " time { idle = \"30m\" hours = \"Mo-Fr 08:00-20:00\" }\n"
    " seccomp { allow = {\"keyctl\"} }\n pool = \"p\"\n welcome = \"Hi\"\n}\n"
    "policy \"b\" { users = {\"bob\"} action = deny message = \"no\" }\n"
    "pool \"p\" { groups = {\"cs101\"} memory = \"1G\" }\n";

static struct policy_dir dir, kept;

static void setup(void)
{
	policy_dir_make(&dir);
	policy_dir_make(&kept);
	policy_dir_write(&dir, "carrel.conf", main_text);
	policy_dir_write(&dir, "policy.d/a.conf", policy_text);
}

static void teardown(void)
{
	policy_dir_remove(&dir);
	policy_dir_remove(&kept);
}

static bool is_kept(void)
{
	return faccessat(kept.fd, KEPT, F_OK, 0) == 0;
}

static struct config *load(void)
{
	struct failure why = {0};
	struct config *config = config_load_kept(dir.fd, kept.fd, "build 1", NULL, &why);

	ck_assert_msg(config, "%s", why.text);
	return config;
}

/* Two configs are alike when they are packed alike: all members, in the same order. */
static void assert_alike(const struct config *a, const struct config *b)
{
	size_t length_a = 0, length_b = 0;
	void *bytes_a = config_pack(a, &length_a), *bytes_b = config_pack(b, &length_b);

	ck_assert_ptr_nonnull(bytes_a);
	ck_assert_uint_eq(length_a, length_b);
	ck_assert_mem_eq(bytes_a, bytes_b, length_a);
	free(bytes_a);
	free(bytes_b);
}

START_TEST(unpacked_is_what_was_packed)
{
	struct config *config = policy_dir_load(&dir), *again;
	size_t length = 0;
	void *bytes = config_pack(config, &length);

	ck_assert_ptr_nonnull(bytes);
	again = config_unpack(bytes, bytes, length);
	ck_assert_ptr_nonnull(again);
	assert_alike(config, again);
	ck_assert_str_eq(again->state_dir, "/srv/carrel");
	ck_assert_ptr_null(again->cgroup_parent);
	ck_assert_str_eq(again->exempt_groups.items[1], "wheel");
	ck_assert_uint_eq(again->policy_count, 2);
	ck_assert_str_eq(again->policies[0].binds[1].target, "/b");
	ck_assert_str_eq(again->policies[0].environment.items[1], "B=2");
	ck_assert_str_eq(again->policies[0].where.file, "policy.d/a.conf");
	ck_assert_str_eq(again->policies[1].deny_text, "no");
	ck_assert_str_eq(again->pools[0].groups.items[0], "cs101");
	ck_assert_str_eq(again->files[1], "policy.d/a.conf");
	config_free(again);
	config_free(config);
}
END_TEST

/* Every byte changed in turn: refused, or a config that can be walked; AddressSanitizer looks on.
 */
START_TEST(damaged_images_lead_nowhere)
{
	struct config *config = policy_dir_load(&dir);
	size_t length = 0;
	char *bytes = config_pack(config, &length);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < length; i++) {
		char *copy = malloc(length);
		struct config *found;

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, bytes, length);
		copy[i] = (char)(copy[i] ^ 0xff);
		found = config_unpack(copy, copy, length);
		if (found)
			assert_alike(found, found);
		free(copy);
	}
	for (size_t i = 0; i < length; i += 7)
		ck_assert_ptr_null(config_unpack(bytes, bytes, i));
	free(bytes);
	config_free(config);
}
END_TEST

START_TEST(fresh_files_are_not_kept)
{
	config_free(load());
	ck_assert(!is_kept());
}
END_TEST

START_TEST(kept_until_anything_changes)
{
	struct config *parsed, *config;
	struct failure why = {0};
	struct stat before, after;

	(void)sleep(4);
	parsed = load();
	ck_assert_ptr_null(parsed->image);
	ck_assert(is_kept());
	ck_assert_int_eq(fstatat(kept.fd, KEPT, &before, 0), 0);
	config = load();
	ck_assert_ptr_nonnull(config->image);
	assert_alike(parsed, config);
	config_free(config);
	config_free(parsed);

	/* another program: not its image */
	config = config_load_kept(dir.fd, kept.fd, "build 2", NULL, &why);
	ck_assert_ptr_null(config->image);
	config_free(config);
	ck_assert_int_eq(fstatat(kept.fd, KEPT, &after, 0), 0);
	ck_assert_uint_ne(before.st_ino, after.st_ino);
	config_free(load());

	/* a file of others' or that others can write is nobody's word */
	ck_assert_int_eq(fchmodat(kept.fd, KEPT, 0644, 0), 0);
	config = load();
	ck_assert_ptr_null(config->image);
	config_free(config);
	config = load();
	ck_assert_ptr_nonnull(config->image);
	config_free(config);

	/* the same length: only the times tell */
	policy_dir_write(&dir, "policy.d/a.conf", "policy \"a\" { users = {\"eve\"} }\n");
	config = load();
	ck_assert_uint_eq(config->policy_count, 1);
	ck_assert_str_eq(config->policies[0].users.items[0], "eve");
	config_free(config);
	policy_dir_write(&dir, "policy.d/a.conf", "policy \"a\" { users = {\"bob\"} }\n");
	config = load();
	ck_assert_str_eq(config->policies[0].users.items[0], "bob");
	config_free(config);

	/* broken files are refused, whatever was kept */
	policy_dir_write(&dir, "policy.d/a.conf", "policy \"a\" {\n");
	ck_assert_ptr_null(config_load_kept(dir.fd, kept.fd, "build 1", NULL, &why));
	ck_assert_int_eq(why.kind, FAILURE_POLICY);

	/* one more file, one less, another mode */
	ck_assert_int_eq(unlinkat(dir.fd, "policy.d/a.conf", 0), 0);
	config = load();
	ck_assert_uint_eq(config->policy_count, 0);
	config_free(config);
	ck_assert_int_eq(fchmodat(dir.fd, "carrel.conf", 0666, 0), 0);
	ck_assert_ptr_null(config_load_kept(dir.fd, kept.fd, "build 1", NULL, &why));
}
END_TEST

START_TEST(without_a_place_it_just_reads)
{
	struct failure why = {0};
	struct config *config = config_load_kept(dir.fd, -1, "build 1", NULL, &why);

	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(config->policy_count, 2);
	config_free(config);
}
END_TEST

Suite *policy_kept_suite(void)
{
	Suite *suite = suite_create("policy_kept");
	TCase *tests = tcase_create("kept");

	tcase_set_timeout(tests, 30);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, unpacked_is_what_was_packed);
	tcase_add_test(tests, damaged_images_lead_nowhere);
	tcase_add_test(tests, fresh_files_are_not_kept);
	tcase_add_test(tests, kept_until_anything_changes);
	tcase_add_test(tests, without_a_place_it_just_reads);
	suite_add_tcase(suite, tests);
	return suite;
}

/* tests/unit/test_policy_kept.c - policies that are kept say what the files say, or are not used.
 */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "policy/image.h"
#include "policy/kept.h"
#include "policy/stamp.h"
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

/* Packed again with the policies that are in its image; NULL when one cannot be read. */
static void *pack(const struct config *config, size_t *length)
{
	struct config whole = *config;
	size_t count = config->image ? config_image_count(config->image) : 0;
	struct policy *policies = calloc(count + 1, sizeof(*policies));
	bool readable = true;
	void *bytes;

	ck_assert_ptr_nonnull(policies);
	for (size_t i = 0; i < count && readable; i++) {
		const struct policy *policy = config_image_policy(config->image, i);

		readable = policy != NULL;
		if (policy)
			policies[i] = *policy;
	}
	if (config->image) {
		whole.policies = policies;
		whole.policy_count = count;
	}
	bytes = readable ? config_pack(&whole, length) : NULL;
	free(policies);
	return bytes;
}

/* Two configs are alike when they are packed alike: all members, in the same order. */
static void assert_alike(const struct config *a, const struct config *b)
{
	size_t length_a = 0, length_b = 0;
	void *bytes_a = pack(a, &length_a), *bytes_b = pack(b, &length_b);

	ck_assert_ptr_nonnull(bytes_a);
	ck_assert_uint_eq(length_a, length_b);
	ck_assert_mem_eq(bytes_a, bytes_b, length_a);
	free(bytes_a);
	free(bytes_b);
}

/* The name of the policy for a user and a group, "-" for none, "damaged". */
static const char *chosen(const struct config *config, const char *user, const char *group)
{
	const char *const groups[] = {"users", group};
	const struct subject subject = {user, "sshd", groups, 2};
	struct selection selection;

	if (!config_select(config, &subject, &selection))
		return "damaged";
	return selection.policy ? selection.policy->name : "-";
}

START_TEST(unpacked_is_what_was_packed)
{
	struct config *config = policy_dir_load(&dir), *again;
	const struct policy *first, *second;
	size_t length = 0;
	void *bytes = config_pack(config, &length);

	ck_assert_ptr_nonnull(bytes);
	again = config_unpack(bytes, length);
	ck_assert_ptr_nonnull(again);
	assert_alike(config, again);
	ck_assert_str_eq(again->state_dir, "/srv/carrel");
	ck_assert_ptr_null(again->cgroup_parent);
	ck_assert_str_eq(again->exempt_groups.items[1], "wheel");
	ck_assert_uint_eq(config_image_count(again->image), 2);
	first = config_image_policy(again->image, 0);
	second = config_image_policy(again->image, 1);
	ck_assert_str_eq(first->binds[1].target, "/b");
	ck_assert_str_eq(first->environment.items[1], "B=2");
	ck_assert_str_eq(first->where.file, "policy.d/a.conf");
	ck_assert_str_eq(second->deny_text, "no");
	ck_assert_str_eq(again->pools[0].groups.items[0], "cs101");
	config_free(again);
	config_free(config);
	free(bytes);
}
END_TEST

/* By all rules of which policy matches, an image says what the files say. */
START_TEST(an_image_chooses_alike)
{
	static const char *const names[] = {"ann", "bob", "students", "cs101", "x", "users", "p9"};
	struct config *config, *again;
	size_t length = 0;
	void *bytes;

	policy_dir_write(&dir, "policy.d/b.conf",
			 "policy \"c\" { groups = {\"bob\"} }\n"
			 "policy \"d\" { services = {\"login\"} }\n"
			 "policy \"e\" { users = {\"x\", \"p9\"} groups = {\"y\"} }\n"
			 "policy \"f\" { services = {\"sshd\"} groups = {\"x\"} }\n"
			 "policy \"g\" { services = {\"sshd\"} }\n");
	config = policy_dir_load(&dir);
	bytes = config_pack(config, &length);
	ck_assert_ptr_nonnull(bytes);
	again = config_unpack(bytes, length);
	ck_assert_ptr_nonnull(again);
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		for (size_t j = 0; j < ARRAY_LENGTH(names); j++)
			ck_assert_str_eq(chosen(config, names[i], names[j]),
					 chosen(again, names[i], names[j]));
	ck_assert_str_eq(chosen(again, "p9", "z"), "e");
	ck_assert_str_eq(chosen(again, "eve", "x"), "f");
	ck_assert_str_eq(chosen(again, "eve", "z"), "g");
	config_free(again);
	config_free(config);
	free(bytes);
}
END_TEST

/* Every byte changed in turn: it is seen, at once or when the policy is asked for. */
START_TEST(damage_is_seen)
{
	struct config *config = policy_dir_load(&dir);
	size_t length = 0;
	char *bytes = config_pack(config, &length);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < length; i++) {
		struct config *found;

		bytes[i] = (char)(bytes[i] ^ 0x10);
		found = config_unpack(bytes, length);
		if (found) {
			ck_assert_ptr_null(pack(found, &(size_t){0}));
			config_free(found);
		}
		bytes[i] = (char)(bytes[i] ^ 0x10);
	}
	for (size_t i = 0; i < length; i += 8) {
		char *cut = malloc(i + 1);
		struct config *found;

		ck_assert_ptr_nonnull(cut);
		memcpy(cut, bytes, i);
		found = config_unpack(cut, i);
		ck_assert_ptr_null(found);
		free(cut);
	}
	free(bytes);
	config_free(config);
}
END_TEST

/* The same with sums that are right: refused, or a config that can be walked (AddressSanitizer). */
START_TEST(damaged_images_lead_nowhere)
{
	static const char changes[] = {(char)0xff, 0x01, (char)0x80};
	struct config *config = policy_dir_load(&dir);
	size_t length = 0;
	char *bytes = config_pack(config, &length);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < length * ARRAY_LENGTH(changes); i++) {
		char *copy = malloc(length);
		struct config *found;

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, bytes, length);
		copy[i / ARRAY_LENGTH(changes)] ^= changes[i % ARRAY_LENGTH(changes)];
		config_image_seal(copy, length);
		found = config_unpack(copy, length);
		if (found) {
			(void)chosen(found, "bob", "cs101");
			free(pack(found, &(size_t){0}));
			config_free(found);
		}
		free(copy);
	}
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

/* Whom the login of "bob" gets, with a kept file that is never written anew. */
static const char *now(char name[16])
{
	struct config *config = load();

	(void)snprintf(name, 16, "%s", chosen(config, "bob", "none"));
	ck_assert(is_kept());
	config_free(config);
	return name;
}

static void replace(const char *name, const char *text)
{
	policy_dir_write(&dir, "new", text);
	ck_assert_int_eq(renameat(dir.fd, "new", dir.fd, name), 0);
}

/* Nothing is kept of files that are this fresh: what was kept stays, and must not be used. */
START_TEST(each_change_is_seen_at_once)
{
	static const char first[] = "policy \"aa\" { users = {\"bob\"} }\n";
	const struct timespec times[] = {{1000000000, 0}, {1000000000, 0}};
	char name[16];

	policy_dir_write(&dir, "policy.d/0.conf", first);
	ck_assert_int_eq(utimensat(dir.fd, "policy.d/0.conf", times, 0), 0);
	(void)sleep(4);
	config_free(load());
	ck_assert_str_eq(now(name), "aa");

	/* edited in place, the length and the time put back */
	policy_dir_write(&dir, "policy.d/0.conf", "policy \"ab\" { users = {\"bob\"} }\n");
	ck_assert_int_eq(utimensat(dir.fd, "policy.d/0.conf", times, 0), 0);
	ck_assert_str_eq(now(name), "ab");
	replace("policy.d/0.conf", "policy \"ac\" { users = {\"bob\"} }\n");
	ck_assert_str_eq(now(name), "ac");
	policy_dir_write(&dir, "policy.d/0-.conf", "policy \"ad\" { users = {\"bob\"} }\n");
	ck_assert_str_eq(now(name), "ad");
	ck_assert_int_eq(renameat(dir.fd, "policy.d/0-.conf", dir.fd, "policy.d/z.conf"), 0);
	ck_assert_str_eq(now(name), "ac");
	ck_assert_int_eq(unlinkat(dir.fd, "policy.d/0.conf", 0), 0);
	ck_assert_str_eq(now(name), "b");
	ck_assert_int_eq(renameat(dir.fd, "policy.d", dir.fd, "away"), 0);
	ck_assert_str_eq(now(name), "-");
	ck_assert_int_eq(renameat(dir.fd, "away", dir.fd, "policy.d"), 0);
	ck_assert_str_eq(now(name), "b");
}
END_TEST

/* So many that two look at them. */
START_TEST(one_of_many_files_is_seen)
{
	struct stamp stamp = {0};
	char name[32];

	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "policy.d/p%03d.conf", i);
		policy_dir_write(&dir, name, "# nothing\n");
	}
	ck_assert(stamp_take(dir.fd, &stamp));
	ck_assert(stamp_holds(stamp.bytes, stamp.length, dir.fd));
	for (int i = 0; i < 300; i += 13) {
		(void)snprintf(name, sizeof(name), "policy.d/p%03d.conf", i);
		policy_dir_write(&dir, name, "# nothing here\n");
		ck_assert(!stamp_holds(stamp.bytes, stamp.length, dir.fd));
		free(stamp.bytes);
		stamp = (struct stamp){0};
		ck_assert(stamp_take(dir.fd, &stamp));
		ck_assert(stamp_holds(stamp.bytes, stamp.length, dir.fd));
	}
	ck_assert(!stamp_holds(stamp.bytes, stamp.length - 8, dir.fd));
	stamp.bytes[stamp.length - 1] = 'x';
	ck_assert(!stamp_holds(stamp.bytes, stamp.length, dir.fd));
	free(stamp.bytes);
}
END_TEST

static size_t read_kept(char *bytes, size_t size)
{
	int fd = openat(kept.fd, KEPT, O_RDONLY);
	ssize_t length = read(fd, bytes, size);

	ck_assert_int_gt(length, 0);
	ck_assert_uint_lt((size_t)length, size);
	(void)close(fd);
	return (size_t)length;
}

static void write_kept(const char *bytes, size_t length)
{
	struct failure why;

	ck_assert(file_replace_at(kept.fd, KEPT, bytes, length, 0600, false, &why));
}

/* As a login does it: "b", from what was kept or from the files. */
static void assert_bob_gets_b(bool *was_read)
{
	struct config *config = load();
	const char *name = chosen(config, "bob", "none");

	*was_read = !config->image || strcmp(name, "damaged") == 0;
	if (strcmp(name, "damaged") == 0) {
		config_forget_kept(kept.fd);
		config_free(config);
		config = load();
		ck_assert_ptr_null(config->image);
		name = chosen(config, "bob", "none");
	}
	ck_assert_str_eq(name, "b");
	config_free(config);
}

START_TEST(a_damaged_file_is_not_believed)
{
	static char bytes[65536], changed[65536];
	size_t length, seen = 0;
	bool was_read;

	(void)sleep(4);
	config_free(load());
	length = read_kept(bytes, sizeof(bytes));
	assert_bob_gets_b(&was_read);
	ck_assert(!was_read);
	for (size_t i = 0; i < length; i++) {
		memcpy(changed, bytes, length);
		changed[i] = (char)(changed[i] ^ 0x41);
		write_kept(changed, length);
		assert_bob_gets_b(&was_read);
		seen += was_read;
	}
	ck_assert_uint_gt(seen, length / 2); /* but for the policy that bob does not get */
	for (size_t i = 0; i < length; i += 5) {
		write_kept(bytes, i);
		assert_bob_gets_b(&was_read);
		ck_assert(was_read);
	}
	memset(bytes + length, 0, 8);
	write_kept(bytes, length + 8);
	assert_bob_gets_b(&was_read);
	ck_assert(was_read);
	assert_bob_gets_b(&was_read);
	ck_assert(!was_read);
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
	tcase_add_test(tests, an_image_chooses_alike);
	tcase_add_test(tests, damage_is_seen);
	tcase_add_test(tests, damaged_images_lead_nowhere);
	tcase_add_test(tests, fresh_files_are_not_kept);
	tcase_add_test(tests, kept_until_anything_changes);
	tcase_add_test(tests, each_change_is_seen_at_once);
	tcase_add_test(tests, one_of_many_files_is_seen);
	tcase_add_test(tests, a_damaged_file_is_not_believed);
	tcase_add_test(tests, without_a_place_it_just_reads);
	suite_add_tcase(suite, tests);
	return suite;
}

/* tests/unit/test_images.c - what images and OCI layouts say, and mounting an erofs file. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/json_tree.h"
#include "helper/admin/oci_layout.h"
#include "helper/images/erofs_mount.h"
#include "helper/images/use.h"
#include "helper/images/versions.h"
#include "tests/unit/suites.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static bool parses(const char *text)
{
	struct json_tree tree;
	struct failure why;
	bool parsed = json_tree_parse(text, strlen(text), &tree, &why);

	ck_assert(parsed || why.kind == FAILURE_DATA);
	json_tree_free(&tree);
	return parsed;
}

START_TEST(json_is_told_from_nonsense)
{
	static const char *const good[] = {"{}",
					   "[]",
					   "\"\"",
					   "1",
					   "true",
					   " { \"a\" : [ 1 , -2.5e3 , null , \"\\u00e4\\\"\" ] } ",
					   "[[],[[]],{\"a\":{\"b\":{}}}]"};
	static const char *const bad[] = {"",      "{",        "}",        "[1,]",     "{\"a\"}",
					  "[1 2]", "{1:2}",    "\"a",      "\"\\",     "[1]x",
					  "{,}",   "\"a\nb\"", "{\"a\":}", "[\"\\\"]", ","};

	for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
		ck_assert_msg(parses(good[i]), "refused: %s", good[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		ck_assert_msg(!parses(bad[i]), "taken: %s", bad[i]);
}
END_TEST

START_TEST(json_nests_only_so_deep)
{
	char deep[1001];

	memset(deep, '[', sizeof(deep) - 1);
	deep[1000] = '\0';
	ck_assert(!parses(deep));
}
END_TEST

START_TEST(json_holds_only_so_many_values)
{
	size_t count = 70000;
	char *many = malloc(2 * count + 2), *at = many;

	ck_assert_ptr_nonnull(many);
	*at++ = '[';
	for (size_t i = 0; i < count; i++)
		at = mempcpy(at, i + 1 < count ? "1," : "1]", 2);
	*at = '\0';
	ck_assert(!parses(many));
	free(many);
}
END_TEST

/* A NUL or another control byte is in no string, behind a backslash neither. */
START_TEST(json_strings_hold_no_control_bytes)
{
	static const char *const bad[] = {"\"linux\\\0\"", "\"linux\\\n\"", "\"linux\0\""};
	static const size_t lengths[] = {9, 9, 8};

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		struct json_tree tree;
		struct failure why;

		ck_assert(!json_tree_parse(bad[i], lengths[i], &tree, &why));
		json_tree_free(&tree);
	}
}
END_TEST

/* In memory of just that size: a sanitizer sees a step too far. */
START_TEST(json_that_is_cut_short)
{
	static const char text[] = "{\"a\":[1,\"\\\\x\",{\"b\":null}]}";

	for (size_t length = 0; length + 1 < sizeof(text); length++) {
		struct json_tree tree;
		struct failure why;
		char *copy = malloc(length + !length);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, text, length);
		ck_assert(!json_tree_parse(copy, length, &tree, &why));
		json_tree_free(&tree);
		free(copy);
	}
}
END_TEST

START_TEST(json_values_are_read)
{
	static const char text[] =
	    "{\"n\":12,\"s\":\"a\\/b\",\"u\":\"\\u0041\",\"f\":1.5,\"e\":\"\","
	    "\"big\":99999999999999999999,\"l\":[\"x\",\"y\"]}";
	struct json_tree tree;
	struct failure why;
	uint64_t number = 0;
	char out[4];
	size_t item;

	ck_assert(json_tree_parse(text, strlen(text), &tree, &why));
	ck_assert(json_tree_number(&tree, json_tree_member(&tree, 0, "n"), &number));
	ck_assert_uint_eq(number, 12);
	ck_assert(!json_tree_number(&tree, json_tree_member(&tree, 0, "f"), &number));
	ck_assert(!json_tree_number(&tree, json_tree_member(&tree, 0, "big"), &number));
	ck_assert(!json_tree_number(&tree, json_tree_member(&tree, 0, "none"), &number));
	ck_assert(json_tree_text(&tree, json_tree_member(&tree, 0, "s"), out, sizeof(out)));
	ck_assert_str_eq(out, "a/b");
	ck_assert(!json_tree_text(&tree, json_tree_member(&tree, 0, "s"), out, 3));
	ck_assert(!json_tree_text(&tree, json_tree_member(&tree, 0, "u"), out, sizeof(out)));
	ck_assert(json_tree_text(&tree, json_tree_member(&tree, 0, "e"), out, sizeof(out)));
	ck_assert_str_eq(out, "");
	item = json_tree_first(&tree, json_tree_member(&tree, 0, "l"));
	ck_assert(json_tree_text(&tree, tree.nodes[item].next, out, sizeof(out)));
	ck_assert_str_eq(out, "y");
	ck_assert_uint_eq(json_tree_first(&tree, json_tree_member(&tree, 0, "n")), 0);
	json_tree_free(&tree);
}
END_TEST

/* The manifest chosen: its size tells which it is; 0 when none was. */
static uint64_t choose(const char *entries, const char *tag, bool *is_index, struct failure *why)
{
	struct oci_blob blob = {.size = 0};
	struct json_tree tree;
	char text[4096];
	bool chosen;

	(void)snprintf(text, sizeof(text), "{\"manifests\":[%s]}", entries);
	ck_assert(json_tree_parse(text, strlen(text), &tree, why));
	chosen = oci_index_choose(&tree, tag, &blob, is_index, why);
	json_tree_free(&tree);
	return chosen ? blob.size : 0;
}

#define ENTRY(size, more)                                                                          \
	"{\"mediaType\":\"" OCI_TYPE_MANIFEST "\",\"digest\":\"sha256:" HEX                        \
	"\",\"size\":" #size more "}"
#define NAMED(name)      ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}"
#define FOR(os, machine) ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" machine "\"}"

START_TEST(an_image_is_chosen)
{
	struct failure why;
	bool is_index;

	ck_assert_uint_eq(choose(ENTRY(7, ""), NULL, &is_index, &why), 7);
	ck_assert(!is_index);
	ck_assert_uint_eq(choose(ENTRY(7, NAMED("a")), "a", &is_index, &why), 7);
	ck_assert_uint_eq(
	    choose(ENTRY(7, NAMED("a")) "," ENTRY(8, NAMED("b")), "b", &is_index, &why), 8);
	ck_assert_uint_eq(
	    choose(ENTRY(7, NAMED("a")) "," ENTRY(8, NAMED("b")), NULL, &is_index, &why), 0);
	ck_assert_ptr_nonnull(strstr(why.text, "a, b"));
	ck_assert_uint_eq(choose(ENTRY(7, NAMED("a")), "c", &is_index, &why), 0);
	ck_assert_int_eq(why.kind, FAILURE_MISSING);
	ck_assert_uint_eq(choose(ENTRY(7, FOR("windows", "amd64")), NULL, &is_index, &why), 0);
	ck_assert_int_eq(why.kind, FAILURE_UNSUPPORTED);
	ck_assert_uint_eq(choose("", NULL, &is_index, &why), 0);
	ck_assert_uint_eq(choose("1,\"x\",[]", NULL, &is_index, &why), 0);
}
END_TEST

START_TEST(the_host_s_architecture_has_a_name)
{
	const char *architecture = oci_architecture();
	struct json_tree tree;
	struct failure why;
	char text[128];

	ck_assert_ptr_nonnull(architecture);
	(void)snprintf(text, sizeof(text), "{\"os\":\"linux\",\"architecture\":\"%s\"}",
		       architecture);
	ck_assert(json_tree_parse(text, strlen(text), &tree, &why));
	ck_assert(oci_config_check(&tree, &why));
	json_tree_free(&tree);
	ck_assert(image_machine_check("", &why));
	ck_assert(!image_machine_check("pdp11", &why));
	ck_assert_int_eq(why.kind, FAILURE_UNSUPPORTED);
}
END_TEST

START_TEST(version_numbers)
{
	static const char *const bad[] = {"",   "0",  "01",      "-1",
					  "1x", " 1", "1000000", "99999999999"};
	uint32_t number;

	ck_assert(image_version_parse("1", &number));
	ck_assert_uint_eq(number, 1);
	ck_assert(image_version_parse("999999", &number));
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		ck_assert_msg(!image_version_parse(bad[i], &number), "taken: %s", bad[i]);
}
END_TEST

START_TEST(links_and_locks)
{
	char path[] = "/tmp/carrel-images-XXXXXX";
	_cleanup_close_ int image = -1, one = -1, other = -1;
	uint32_t number, *numbers;
	struct failure why;
	size_t count;
	bool found;

	ck_assert_ptr_nonnull(mkdtemp(path));
	image = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert(image_link_read(image, IMAGE_CURRENT, &number, &found, &why) && !found);
	ck_assert(image_link_write(image, IMAGE_CURRENT, 12, &why));
	ck_assert(image_link_write(image, IMAGE_CURRENT, 3, &why));
	ck_assert(image_link_read(image, IMAGE_CURRENT, &number, &found, &why) && found);
	ck_assert_uint_eq(number, 3);
	ck_assert_int_eq(
	    mkdirat(image, "12", 0700) | mkdirat(image, "3", 0700) | mkdirat(image, "x", 0700), 0);
	ck_assert(image_version_list(image, &numbers, &count, &why));
	ck_assert_uint_eq(count, 2);
	ck_assert(numbers[0] == 3 && numbers[1] == 12);
	free(numbers);
	one = image_version_open(image, 3);
	ck_assert_int_eq(image_version_lock(one, false), -1); /* no rootfs: not whole */
	ck_assert_int_eq(mkdirat(one, IMAGE_ROOTFS, 0700), 0);
	other = image_version_lock(one, false);
	ck_assert_int_ge(other, 0);
	ck_assert_int_eq(image_version_lock(one, true), -1);
	ck_assert_int_eq(errno, EWOULDBLOCK);
	ck_assert(tree_remove_at(AT_FDCWD, path, &why));
}
END_TEST

/* Linux before 6.12 has only the second way, so both are tried wherever they can be. */
static int make_erofs(const char *directory, char file[64])
{
	int status;
	pid_t child;

	(void)snprintf(file, 64, "%s/erofs", directory);
	child = fork();
	if (child == 0) {
		(void)execl("/usr/bin/mkfs.erofs", "mkfs.erofs", "--quiet", file, directory, NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? open(file, O_RDONLY | O_CLOEXEC)
							     : -1;
}

static void check_mount(int mount)
{
	_cleanup_close_ int within = openat(mount, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs system;

	ck_assert_int_ge(within, 0);
	ck_assert_int_eq(fstatfs(mount, &system), 0);
	ck_assert_int_eq(system.f_type, EROFS_SUPER_MAGIC_V1);
	ck_assert_int_eq(openat(mount, "etc/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), -1);
	ck_assert_int_eq(errno, EROFS);
}

START_TEST(a_file_is_mounted_in_both_ways)
{
	char path[] = "/tmp/carrel-erofs-XXXXXX", name[64];
	_cleanup_close_ int file = -1, by_file = -1, by_loop = -1;
	struct failure why;

	ck_assert_ptr_nonnull(mkdtemp(path));
	(void)snprintf(name, sizeof(name), "%s/etc", path);
	ck_assert_int_eq(mkdir(name, 0755), 0);
	file = make_erofs(path, name);
	if (file < 0 || geteuid() != 0) {
		printf("SKIP  a_file_is_mounted_in_both_ways: it needs mkfs.erofs and root\n");
	} else {
		by_file = erofs_mount_file(file);
		if (by_file >= 0)
			check_mount(by_file);
		else
			ck_assert_int_eq(errno, ENOTBLK);
		by_loop = erofs_mount_loop(file, &why);
		ck_assert_msg(by_loop >= 0, "%s", why.text);
		check_mount(by_loop);
	}
	ck_assert(tree_remove_at(AT_FDCWD, path, &why));
}
END_TEST

Suite *images_suite(void)
{
	Suite *suite = suite_create("images");
	TCase *cases = tcase_create("images");

	tcase_add_test(cases, json_is_told_from_nonsense);
	tcase_add_test(cases, json_nests_only_so_deep);
	tcase_add_test(cases, json_holds_only_so_many_values);
	tcase_add_test(cases, json_strings_hold_no_control_bytes);
	tcase_add_test(cases, json_that_is_cut_short);
	tcase_add_test(cases, json_values_are_read);
	tcase_add_test(cases, an_image_is_chosen);
	tcase_add_test(cases, the_host_s_architecture_has_a_name);
	tcase_add_test(cases, version_numbers);
	tcase_add_test(cases, links_and_locks);
	tcase_add_test(cases, a_file_is_mounted_in_both_ways);
	suite_add_tcase(suite, cases);
	return suite;
}

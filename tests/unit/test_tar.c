/* tests/unit/test_tar.c - heads of tar archives, as they are written and as anybody may write them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/archive/tar_format.h"

#include "tests/unit/suites.h"

/* Encode, then decode with the extended records applied. */
static bool round_trip(const struct tar_entry *in, struct tar_entry *out, char **data)
{
	struct tar_bytes bytes = {0};
	struct failure why;
	const char *at;
	char kind;
	bool good;

	tar_encode(in, &bytes);
	ck_assert(!bytes.failed);
	ck_assert_uint_eq(bytes.length % TAR_BLOCK, 0);
	*data = bytes.data;
	at = bytes.data;
	memset(out, 0, sizeof(*out));
	ck_assert_msg(tar_decode((const unsigned char *)at, out, &kind, &why), "%s", why.text);
	if (kind == 'x') {
		size_t length = out->size;
		char *records = bytes.data + TAR_BLOCK;

		at = records + (length + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
		ck_assert(tar_decode((const unsigned char *)at, out, &kind, &why));
		good = tar_apply(records, length, out, &why);
		ck_assert_msg(good, "%s", why.text);
	}
	ck_assert_ptr_eq(at + TAR_BLOCK, bytes.data + bytes.length);
	return kind == (char)in->type;
}

START_TEST(what_is_written_is_read)
{
	static struct tar_entry in, out;
	char *data;

	in = (struct tar_entry){.type = TAR_FILE,
				.path = "home/alice/file",
				.mode = 06751,
				.uid = 1000,
				.gid = 4000000000U,
				.size = 5ULL << 40,
				.real_size = 5ULL << 40,
				.seconds = 1700000000,
				.nanoseconds = 12345678};
	in.attributes[0] = (struct tar_attribute){"user.a=b%3D", "x\0\n=y", 5};
	in.attributes[1] = (struct tar_attribute){"security.capability", "", 0};
	in.attribute_count = 2;
	ck_assert(round_trip(&in, &out, &data));
	ck_assert_str_eq(out.path, in.path);
	ck_assert_uint_eq(out.mode, in.mode);
	ck_assert_uint_eq(out.uid, in.uid);
	ck_assert_uint_eq(out.gid, in.gid);
	ck_assert_uint_eq(out.size, in.size);
	ck_assert_uint_eq(out.real_size, in.real_size);
	ck_assert_int_eq(out.seconds, in.seconds);
	ck_assert_uint_eq(out.nanoseconds, in.nanoseconds);
	ck_assert_uint_eq(out.attribute_count, 2);
	ck_assert_str_eq(out.attributes[0].name, "user.a=b%3D");
	ck_assert_uint_eq(out.attributes[0].length, 5);
	ck_assert_int_eq(memcmp(out.attributes[0].value, "x\0\n=y", 5), 0);
	ck_assert_str_eq(out.attributes[1].name, "security.capability");
	free(data);
}
END_TEST

START_TEST(names_of_every_length)
{
	static struct tar_entry in, out;

	for (size_t length = 1; length < PATH_MAX; length += length < 300 ? 1 : 97) {
		char *data;

		memset(&in, 0, sizeof(in));
		in.type = TAR_SYMLINK;
		memset(in.path, 'a', length);
		memset(in.target, '\n', length);
		ck_assert(round_trip(&in, &out, &data));
		ck_assert_str_eq(out.path, in.path);
		ck_assert_str_eq(out.target, in.target);
		free(data);
	}
}
END_TEST

START_TEST(a_sparse_file)
{
	static struct tar_entry in, out;
	char *data;

	in = (struct tar_entry){
	    .type = TAR_FILE, .size = 1024, .real_size = 1 << 30, .is_sparse = true};
	memset(in.path, 'p', 200);
	ck_assert(round_trip(&in, &out, &data));
	ck_assert(out.is_sparse);
	ck_assert_uint_eq(out.size, 1024);
	ck_assert_uint_eq(out.real_size, 1 << 30);
	ck_assert_str_eq(out.path, in.path);
	free(data);
}
END_TEST

START_TEST(a_changed_byte_is_noticed)
{
	static struct tar_entry in, out;
	struct tar_bytes bytes = {0};
	struct failure why;
	char kind;

	in = (struct tar_entry){.type = TAR_FILE, .path = "home/x", .mode = 0644, .seconds = 1};
	tar_encode(&in, &bytes);
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		bytes.data[i] ^= 1;
		ck_assert_msg(!tar_decode((unsigned char *)bytes.data, &out, &kind, &why),
			      "byte %zu", i);
		ck_assert_int_eq(why.kind, FAILURE_DATA);
		bytes.data[i] ^= 1;
	}
	free(bytes.data);
}
END_TEST

static bool apply(const char *records, struct tar_entry *entry)
{
	char copy[512];
	struct failure why;

	memset(entry, 0, sizeof(*entry));
	(void)snprintf(copy, sizeof(copy), "%s", records);
	return tar_apply(copy, strlen(records), entry, &why);
}

START_TEST(damaged_records)
{
	static const char *const bad[] = {"x",
					  "9",
					  "0 a=b\n",
					  "6 a=b",
					  "7 a=b\n",
					  "5 a=b\n",
					  "6 ab=\n\n",
					  "99999999999999999999 a=b\n",
					  "-6 a=b\n",
					  "6 aab\n",
					  "9 uid=x\n",
					  "9 uid=-\n",
					  "12 mtime=x\n",
					  "20 uid=99999999999\n",
					  "12 size=-1\n",
					  "22 GNU.sparse.map=1,2\n",
					  "22 GNU.sparse.major=0\n"};
	static struct tar_entry entry;

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		ck_assert_msg(!apply(bad[i], &entry), "%s", bad[i]);
	ck_assert(apply("", &entry));
	ck_assert(apply("12 comment=\n", &entry));
}
END_TEST

/* A size in the records of what is no file, a size of holes for what has none. */
START_TEST(sizes_are_those_of_files)
{
	static struct tar_entry entry;
	struct failure why;
	char link[] = "11 size=99\n22 GNU.sparse.major=1\n";
	char file[] = "28 GNU.sparse.realsize=4096\n";

	entry = (struct tar_entry){.type = TAR_SYMLINK, .path = "l", .size = 7};
	ck_assert(tar_apply(link, sizeof(link) - 1, &entry, &why));
	ck_assert_uint_eq(entry.size, 0);
	ck_assert_uint_eq(entry.real_size, 0);
	ck_assert(!entry.is_sparse);
	entry = (struct tar_entry){.type = TAR_FILE, .path = "f", .size = 7};
	ck_assert(tar_apply(file, sizeof(file) - 1, &entry, &why));
	ck_assert_uint_eq(entry.size, 7);
	ck_assert_uint_eq(entry.real_size, 7);
}
END_TEST

START_TEST(safe_paths)
{
	static const struct {
		const char *path, *safe;
	} cases[] = {
	    {"a", "a"},      {"./a/b/", "a/b"},  {".", ""},      {"./", ""},
	    {"", ""},        {"././/a", "a"},    {"/a", NULL},   {"/", NULL},
	    {"..", NULL},    {"a/..", NULL},     {"../a", NULL}, {"a/../b", NULL},
	    {"./..", NULL},  {"a/..b", "a/..b"}, {"...", "..."}, {"a/.../b", "a/.../b"},
	    {"a//..", NULL}, {"..//", NULL},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		char copy[32];
		const char *safe;

		(void)snprintf(copy, sizeof(copy), "%s", cases[i].path);
		safe = tar_safe_path(copy);
		if (cases[i].safe)
			ck_assert_pstr_eq(safe, cases[i].safe);
		else
			ck_assert_msg(!safe, "%s", cases[i].path);
	}
}
END_TEST

Suite *tar_suite(void)
{
	Suite *suite = suite_create("tar");
	TCase *cases = tcase_create("tar");

	tcase_add_test(cases, what_is_written_is_read);
	tcase_add_test(cases, names_of_every_length);
	tcase_add_test(cases, a_sparse_file);
	tcase_add_test(cases, a_changed_byte_is_noticed);
	tcase_add_test(cases, damaged_records);
	tcase_add_test(cases, sizes_are_those_of_files);
	tcase_add_test(cases, safe_paths);
	suite_add_tcase(suite, cases);
	return suite;
}

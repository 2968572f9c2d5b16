/* tests/unit/test_policy_load.c - which files are read, in which order, and which never. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/files.h"
#include "policy/policy.h"
#include "tests/unit/policy_dir.h"
#include "tests/unit/suites.h"

#define A_CONF "policy.d/a.conf"
#define GOOD   "policy \"a\" { groups = { \"students\" } }\n"

static struct policy_dir dir;

static void setup(void)
{
	policy_dir_make(&dir);
}

static void teardown(void)
{
	policy_dir_remove(&dir);
}

START_TEST(nothing_there_means_the_defaults)
{
	struct config *config;

	ck_assert_int_eq(unlinkat(dir.fd, "policy.d", AT_REMOVEDIR), 0);
	config = policy_dir_load(&dir);
	ck_assert_str_eq(config->state_dir, "/var/lib/carrel");
	ck_assert_ptr_null(config->cgroup_parent);
	ck_assert_int_eq(config->storage, STORAGE_AUTO);
	ck_assert_uint_eq(config->id_base, 0x80000000u);
	ck_assert_uint_eq(config->id_blocks, 16384);
	ck_assert_uint_eq(config->project_base, 0x40000000);
	ck_assert_uint_eq(config->project_ids, 1048576);
	ck_assert_uint_eq(config->exempt_users.count, 0);
	ck_assert_uint_eq(config->exempt_groups.count, 0);
	ck_assert(!config->unmatched_deny);
	ck_assert_ptr_null(config->unmatched_text);
	ck_assert_uint_eq(config->policy_count, 0);
	ck_assert_uint_eq(config->pool_count, 0);
	ck_assert_uint_eq(config->file_count, 0);
	config_free(config);
}
END_TEST

START_TEST(empty_files_are_fine)
{
	struct config *config;

	policy_dir_write(&dir, "carrel.conf", "");
	policy_dir_write(&dir, A_CONF, "");
	policy_dir_write(&dir, "policy.d/b.conf", "\n# nothing but this\n");
	config = policy_dir_load(&dir);
	ck_assert_uint_eq(config->policy_count, 0);
	ck_assert_uint_eq(config->file_count, 3);
	config_free(config);
}
END_TEST

START_TEST(files_are_read_in_byte_order)
{
	static const char *const files[] = {"carrel.conf",     "policy.d/10.conf",
					    "policy.d/9.conf", "policy.d/B.conf",
					    "policy.d/a.conf", "policy.d/\xc3\xa4.conf"};
	static const char *const names[] = {"main", "ten", "nine", "upper", "a1", "a2", "umlaut"};
	struct config *config;

	policy_dir_write(&dir, "policy.d/\xc3\xa4.conf", "policy umlaut { }");
	policy_dir_write(&dir, "policy.d/a.conf", "policy a1 { }\npolicy a2 { }");
	policy_dir_write(&dir, "policy.d/9.conf", "policy nine { }");
	policy_dir_write(&dir, "carrel.conf", "policy main { }");
	policy_dir_write(&dir, "policy.d/B.conf", "policy upper { }");
	policy_dir_write(&dir, "policy.d/10.conf", "policy ten { }");
	config = policy_dir_load(&dir);
	ck_assert_uint_eq(config->file_count, ARRAY_LENGTH(files));
	for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
		ck_assert_str_eq(config->files[i], files[i]);
	ck_assert_uint_eq(config->policy_count, ARRAY_LENGTH(names));
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		ck_assert_str_eq(config->policies[i].name, names[i]);
	ck_assert_str_eq(config->policies[5].where.file, "policy.d/a.conf");
	ck_assert_uint_eq(config->policies[5].where.line, 2);
	config_free(config);
}
END_TEST

START_TEST(what_editors_leave_is_not_read)
{
	static const char *const names[] = {"policy.d/.a.conf",     "policy.d/a.conf~",
					    "policy.d/.a.conf.swp", "policy.d/#a.conf#",
					    "policy.d/a.conf.bak",  "policy.d/a.conf.dpkg-old",
					    "policy.d/.conf",       "policy.d/aconf",
					    "policy.d/README",      "carrel.conf~"};
	struct config *config;

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		policy_dir_write(&dir, names[i], "not { a policy");
	ck_assert_int_eq(mkdirat(dir.fd, "policy.d/old", 0777), 0);
	policy_dir_write(&dir, A_CONF, GOOD);
	config = policy_dir_load(&dir);
	ck_assert_uint_eq(config->file_count, 1);
	ck_assert_str_eq(config->files[0], A_CONF);
	config_free(config);
}
END_TEST

START_TEST(files_that_others_can_write_are_refused)
{
	policy_dir_write(&dir, A_CONF, GOOD);
	ck_assert_int_eq(fchmodat(dir.fd, A_CONF, 0646, 0), 0);
	policy_dir_refuses(&dir, A_CONF " can be written by others than root (mode 0646); "
					"chmod go-w it");
	ck_assert_int_eq(fchmodat(dir.fd, A_CONF, 0664, 0), 0);
	policy_dir_refuses(&dir, A_CONF " can be written by others than root (mode 0664); "
					"chmod go-w it");
	ck_assert_int_eq(fchmodat(dir.fd, A_CONF, 0400, 0), 0);
	config_free(policy_dir_load(&dir));
}
END_TEST

START_TEST(files_that_are_not_root_s_are_refused)
{
	policy_dir_write(&dir, A_CONF, GOOD);
	ck_assert_int_eq(fchownat(dir.fd, A_CONF, 1000, 0, 0), 0);
	policy_dir_refuses(&dir, A_CONF " belongs to user 1000; it must be root's (chown root)");
	ck_assert_int_eq(fchownat(dir.fd, A_CONF, 0, 1000, 0), 0);
	config_free(policy_dir_load(&dir));
}
END_TEST

START_TEST(carrel_conf_is_vetted_too)
{
	policy_dir_write(&dir, "carrel.conf", "unmatched = host\n");
	ck_assert_int_eq(fchmodat(dir.fd, "carrel.conf", 0666, 0), 0);
	policy_dir_refuses(&dir, "carrel.conf can be written by others than root (mode 0666); "
				 "chmod go-w it");
}
END_TEST

START_TEST(directories_are_vetted_too)
{
	policy_dir_write(&dir, A_CONF, GOOD);
	ck_assert_int_eq(fchmod(dir.fd, 0775), 0);
	policy_dir_refuses(&dir, "the policy directory can be written by others than root (mode "
				 "0775); chmod go-w it");
	/* The sticky bit keeps files from being removed, not from being added. */
	ck_assert_int_eq(fchmod(dir.fd, 01777), 0);
	policy_dir_refuses(&dir, "the policy directory can be written by others than root (mode "
				 "1777); chmod go-w it");
	ck_assert_int_eq(fchmod(dir.fd, 0755), 0);
	ck_assert_int_eq(fchown(dir.fd, 1000, 0), 0);
	policy_dir_refuses(&dir,
			   "the policy directory belongs to user 1000; it must be root's (chown "
			   "root)");
	ck_assert_int_eq(fchown(dir.fd, 0, 0), 0);
	ck_assert_int_eq(fchmodat(dir.fd, "policy.d", 0757, 0), 0);
	policy_dir_refuses(&dir, "policy.d can be written by others than root (mode 0757); "
				 "chmod go-w it");
	ck_assert_int_eq(fchmodat(dir.fd, "policy.d", 0755, 0), 0);
	ck_assert_int_eq(fchownat(dir.fd, "policy.d", 1000, 0, 0), 0);
	policy_dir_refuses(&dir, "policy.d belongs to user 1000; it must be root's (chown root)");
}
END_TEST

START_TEST(links_are_not_followed)
{
	policy_dir_write(&dir, "elsewhere", GOOD);
	ck_assert_int_eq(symlinkat("../elsewhere", dir.fd, A_CONF), 0);
	policy_dir_refuses(&dir, A_CONF " is a symbolic link; put the file itself there");
	ck_assert_int_eq(unlinkat(dir.fd, A_CONF, 0), 0);
	ck_assert_int_eq(symlinkat("nowhere", dir.fd, "carrel.conf"), 0);
	policy_dir_refuses(&dir, "carrel.conf is a symbolic link; put the file itself there");
}
END_TEST

START_TEST(a_linked_directory_is_not_followed)
{
	ck_assert_int_eq(renameat(dir.fd, "policy.d", dir.fd, "real"), 0);
	ck_assert_int_eq(symlinkat("real", dir.fd, "policy.d"), 0);
	policy_dir_refuses(&dir, "policy.d is not a directory itself; replace or remove it");
	ck_assert_int_eq(unlinkat(dir.fd, "policy.d", 0), 0);
	policy_dir_write(&dir, "policy.d", GOOD);
	policy_dir_refuses(&dir, "policy.d is not a directory itself; replace or remove it");
}
END_TEST

/* With O_NONBLOCK the open of a FIFO returns at once; the test's timeout would tell. */
START_TEST(only_regular_files_are_read)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	ck_assert_int_eq(mkfifoat(dir.fd, A_CONF, 0600), 0);
	policy_dir_refuses(&dir, A_CONF " is a named pipe; it must be a regular file, replace or "
					"remove it");
	ck_assert_int_eq(unlinkat(dir.fd, A_CONF, 0), 0);
	ck_assert_int_eq(mkdirat(dir.fd, A_CONF, 0755), 0);
	policy_dir_refuses(&dir, A_CONF " is a directory; it must be a regular file, replace or "
					"remove it");
	ck_assert_int_eq(unlinkat(dir.fd, A_CONF, AT_REMOVEDIR), 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/" A_CONF, dir.path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	policy_dir_refuses(&dir, A_CONF " is a socket or a device; it must be a regular file, "
					"replace or remove it");
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(unlinkat(dir.fd, A_CONF, 0), 0);
	ck_assert_int_eq(mkfifoat(dir.fd, "carrel.conf", 0600), 0);
	policy_dir_refuses(&dir, "carrel.conf is a named pipe; it must be a regular file, replace "
				 "or remove it");
}
END_TEST

START_TEST(huge_files_are_refused)
{
	const size_t most = (size_t)1 << 20;
	char *text = malloc(most + 1);

	memset(text, '\n', most + 1);
	memcpy(text + most - sizeof(GOOD), GOOD, sizeof(GOOD) - 1);
	policy_dir_write_bytes(&dir, A_CONF, text, most);
	config_free(policy_dir_load(&dir));
	policy_dir_write_bytes(&dir, A_CONF, text, most + 1);
	policy_dir_refuses(&dir, A_CONF " has 1048577 bytes; a policy file has at most 1048576");
	free(text);
}
END_TEST

START_TEST(a_huge_file_of_brackets_is_refused_in_time)
{
	const size_t most = (size_t)1 << 20;
	char *text = malloc(most);

	memset(text, '{', most);
	policy_dir_write_bytes(&dir, A_CONF, text, most);
	policy_dir_refuses(&dir, A_CONF ":1: expected a key or \"}\" (a list is written key = { "
					"\"a\", \"b\" }), found {");
	free(text);
}
END_TEST

START_TEST(nul_bytes_are_refused)
{
	static const char text[] = GOOD "\0policy b { }";

	policy_dir_write_bytes(&dir, A_CONF, text, sizeof(text) - 1);
	policy_dir_refuses(&dir, A_CONF ":2: there is a NUL byte; the file must be plain text");
}
END_TEST

/* The test's own process gives up its right to read everything; Check runs it in a fork. */
START_TEST(unreadable_files_are_refused)
{
	struct config *exempt;

	policy_dir_write(&dir, "carrel.conf", "exempt { groups = { sudo } }");
	policy_dir_write(&dir, A_CONF, GOOD);
	ck_assert_int_eq(fchmodat(dir.fd, A_CONF, 0600, 0), 0);
	ck_assert_int_eq(fchmod(dir.fd, 0755), 0);
	ck_assert_int_eq(seteuid(1000), 0);
	exempt = policy_dir_exempt(&dir, "cannot open " A_CONF ": Permission denied");
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_ptr_nonnull(exempt);
	ck_assert_uint_eq(exempt->exempt_groups.count, 1);
	config_free(exempt);
}
END_TEST

static void check_only_exempt(struct config *exempt)
{
	static const char *const groups[] = {"staff", "wheel"};
	const struct subject admin = {"admin", "sshd", NULL, 0}, member = {"x", "su", groups, 2},
			     other = {"x", "su", groups, 1};

	ck_assert_ptr_nonnull(exempt);
	ck_assert(config_is_exempt(exempt, &admin));
	ck_assert(config_is_exempt(exempt, &member));
	ck_assert(!config_is_exempt(exempt, &other));
	ck_assert(exempt->unmatched_deny);
	ck_assert_str_eq(exempt->state_dir, "/srv/carrel");
	ck_assert_uint_eq(exempt->policy_count, 0);
	ck_assert_uint_eq(exempt->pool_count, 0);
	config_free(exempt);
}

#define EXEMPT "exempt { users = { \"admin\" } groups = { \"sudo\", \"wheel\" } }\n"

START_TEST(a_broken_policy_does_not_lock_the_exempt_out)
{
	policy_dir_write(&dir, "carrel.conf",
			 EXEMPT "state_dir = \"/srv/carrel\"\nunmatched = host\n"
				"policy main { }\npool p { }\n");
	policy_dir_write(&dir, A_CONF, GOOD);
	policy_dir_write(&dir, "policy.d/b.conf", "policy \"b\" {");
	check_only_exempt(policy_dir_exempt(
	    &dir, "policy.d/b.conf:1: the \"{\" here is never closed; add \"}\""));
	policy_dir_write(&dir, "policy.d/b.conf", "policy \"b\" { pool = nowhere }");
	check_only_exempt(policy_dir_exempt(
	    &dir, "policy.d/b.conf:1: policy \"b\" is in pool \"nowhere\", which no file "
		  "describes"));
	ck_assert_int_eq(fchmodat(dir.fd, "policy.d", 0777, 0), 0);
	check_only_exempt(
	    policy_dir_exempt(&dir, "policy.d can be written by others than root (mode 0777); "
				    "chmod go-w it"));
}
END_TEST

START_TEST(a_broken_carrel_conf_exempts_nobody)
{
	policy_dir_write(&dir, "carrel.conf", EXEMPT "unmatched = deni\n");
	ck_assert_ptr_null(policy_dir_exempt(
	    &dir, "carrel.conf:2: unmatched: \"deni\" is not known here; write host or deny"));
	policy_dir_write(&dir, "carrel.conf", EXEMPT "policy \"x\" { home = here }\n");
	ck_assert_ptr_null(policy_dir_exempt(&dir,
					     "carrel.conf:2: home: \"here\" is not known here; "
					     "write private, bind or tmpfs"));
	policy_dir_write(&dir, "carrel.conf", EXEMPT);
	ck_assert_int_eq(fchmodat(dir.fd, "carrel.conf", 0666, 0), 0);
	ck_assert_ptr_null(policy_dir_exempt(&dir, "carrel.conf can be written by others than root "
						   "(mode 0666); chmod go-w it"));
}
END_TEST

START_TEST(a_loose_directory_exempts_nobody)
{
	policy_dir_write(&dir, "carrel.conf", EXEMPT);
	ck_assert_int_eq(fchmod(dir.fd, 0777), 0);
	ck_assert_ptr_null(
	    policy_dir_exempt(&dir, "the policy directory can be written by others than root (mode "
				    "0777); chmod go-w it"));
}
END_TEST

START_TEST(success_leaves_no_exempt_part)
{
	struct config *exempt = (struct config *)&dir;
	struct failure why = {0};
	struct config *config;

	policy_dir_write(&dir, "carrel.conf", EXEMPT);
	config = config_load(dir.fd, &exempt, &why);
	ck_assert_ptr_nonnull(config);
	ck_assert_ptr_null(exempt);
	config_free(config);
	config_free(NULL);
}
END_TEST

START_TEST(a_path_descriptor_is_enough)
{
	struct failure why = {0};
	struct config *config;
	int path = open(dir.path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	policy_dir_write(&dir, A_CONF, GOOD);
	config = config_load(path, NULL, &why);
	ck_assert_msg(config != NULL, "%s", why.text);
	ck_assert_uint_eq(config->policy_count, 1);
	config_free(config);
	ck_assert_int_eq(close(path), 0);
}
END_TEST

START_TEST(what_is_not_a_directory_is_refused)
{
	struct failure why = {0};
	int file;

	policy_dir_write(&dir, A_CONF, GOOD);
	file = openat(dir.fd, A_CONF, O_RDONLY | O_CLOEXEC);
	ck_assert_ptr_null(config_load(file, NULL, &why));
	ck_assert_str_eq(why.text, "the policy directory is a file, not a directory");
	ck_assert_ptr_null(config_load(-1, NULL, &why));
	ck_assert_str_eq(why.text, "cannot examine the policy directory: Bad file descriptor");
	ck_assert_int_eq(close(file), 0);
}
END_TEST

static void copy_example(const char *name, const char *to)
{
	struct failure why = {0};
	char path[256];
	char *text;
	size_t length;

	(void)snprintf(path, sizeof(path), "%s/policy/examples/%s",
		       getenv("srcdir") ? getenv("srcdir") : ".", name);
	text = file_read_at(AT_FDCWD, path, 1 << 20, &length, &why);
	ck_assert_msg(text != NULL, "%s", why.text);
	policy_dir_write_bytes(&dir, to, text, length);
	free(text);
}

START_TEST(the_examples_load)
{
	static const char *const student_groups[] = {"users", "students"},
				 *staff_groups[] = {"staff"}, *guest_groups[] = {"guests"};
	const struct subject student = {"alice", "sshd", student_groups, 2},
			     staff = {"bob", "sshd", staff_groups, 1},
			     guest = {"g1", "sshd", guest_groups, 1};
	struct selection selection;
	struct config *config;

	copy_example("carrel.conf", "carrel.conf");
	copy_example("class.conf", "policy.d/class.conf");
	copy_example("staff.conf", "policy.d/staff.conf");
	copy_example("guest.conf", "policy.d/guest.conf");
	config = policy_dir_load(&dir);
	ck_assert_uint_eq(config->file_count, 4);
	config_select(config, &student, &selection);
	ck_assert_str_eq(selection.policy->name, "class");
	ck_assert_str_eq(selection.pool->name, "class");
	config_select(config, &staff, &selection);
	ck_assert_str_eq(selection.policy->name, "staff");
	config_select(config, &guest, &selection);
	ck_assert_str_eq(selection.policy->name, "guest");
	config_free(config);
}
END_TEST

Suite *policy_load_suite(void)
{
	Suite *suite = suite_create("policy files");
	TCase *test = tcase_create("files");

	suite_add_tcase(suite, test);
	if (geteuid() != 0) {
		(void)fprintf(stderr, "SKIP policy files: only root's files are read, be root\n");
		return suite;
	}
	tcase_add_checked_fixture(test, setup, teardown);
	tcase_add_test(test, nothing_there_means_the_defaults);
	tcase_add_test(test, empty_files_are_fine);
	tcase_add_test(test, files_are_read_in_byte_order);
	tcase_add_test(test, what_editors_leave_is_not_read);
	tcase_add_test(test, files_that_others_can_write_are_refused);
	tcase_add_test(test, files_that_are_not_root_s_are_refused);
	tcase_add_test(test, carrel_conf_is_vetted_too);
	tcase_add_test(test, directories_are_vetted_too);
	tcase_add_test(test, links_are_not_followed);
	tcase_add_test(test, a_linked_directory_is_not_followed);
	tcase_add_test(test, only_regular_files_are_read);
	tcase_add_test(test, huge_files_are_refused);
	tcase_add_test(test, a_huge_file_of_brackets_is_refused_in_time);
	tcase_add_test(test, nul_bytes_are_refused);
	tcase_add_test(test, unreadable_files_are_refused);
	tcase_add_test(test, a_broken_policy_does_not_lock_the_exempt_out);
	tcase_add_test(test, a_broken_carrel_conf_exempts_nobody);
	tcase_add_test(test, a_loose_directory_exempts_nobody);
	tcase_add_test(test, success_leaves_no_exempt_part);
	tcase_add_test(test, a_path_descriptor_is_enough);
	tcase_add_test(test, what_is_not_a_directory_is_refused);
	tcase_add_test(test, the_examples_load);
	return suite;
}

/* tests/unit/test_plan.c - plans for PID 1, packed accounts, relayed log lines, homes, paths. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "helper/container/container.h"
#include "helper/container/trusted_path.h"
#include "helper/init/account_step.h"
#include "helper/init/log_relay.h"
#include "helper/init/root_grant.h"
#include "tests/unit/suites.h"

static struct plan *sample(void)
{
	struct plan *plan = plan_new();
	size_t unless;

	plan_new_fs(plan, "tmpfs", "size=1m", "/tmp", PLAN_POINT_FOLDER, 2);
	unless = plan_unless(plan, "/mark");
	plan_home(plan, "alice", "/home/alice", 1001, 1002, 4);
	plan_file(plan, "/mark", "", 0444);
	plan_unless_end(plan, unless);
	plan_hostname(plan, "desk");
	return plan;
}

START_TEST(plan_round_trip)
{
	struct plan *plan = sample();
	struct plan_view view;
	struct failure why;
	size_t length;
	void *data = plan_finish(plan, &length, &why);
	char text[96];

	ck_assert(plan_parse(data, length, 0, &view));
	ck_assert_uint_eq(view.step_count, 5);
	ck_assert_str_eq(view.bytes + view.steps[0].text, "tmpfs");
	ck_assert_str_eq(view.bytes + view.steps[0].data, "size=1m");
	ck_assert_uint_eq(view.steps[1].skip, 2);
	ck_assert_uint_eq(view.steps[2].uid, 1001);
	plan_describe(&view, 0, text, sizeof(text));
	ck_assert_str_eq(text, "mount a new tmpfs on /tmp");
	plan_describe(&view, 2, text, sizeof(text));
	ck_assert_str_eq(text, "make the home folder alice /home/alice");
	free(data);
	plan_free(plan);
}
END_TEST

START_TEST(mount_that_is_given_later_has_its_place)
{
	struct plan *plan = sample();
	size_t place;

	plan_attach(plan, -1, "/before", PLAN_POINT_FOLDER);
	place = plan_attach_later(plan, "/proc", PLAN_POINT_FOLDER);
	plan_attach(plan, -1, "/after", PLAN_POINT_FOLDER);
	plan_give(plan, place, dup(0));
	ck_assert_int_ge(plan->fds[plan->steps[6].fd], 0);
	ck_assert_int_eq(plan->fds[plan->steps[5].fd], -1);
	ck_assert_int_eq(plan->fds[plan->steps[7].fd], -1);
	plan_free(plan);
}
END_TEST

START_TEST(plan_of_any_other_length_is_refused)
{
	struct plan *plan = sample();
	struct plan_view view;
	struct failure why;
	size_t length;
	char *data = plan_finish(plan, &length, &why);
	char *longer = calloc(1, length + 1);

	for (size_t cut = 0; cut < length; cut++)
		ck_assert_msg(!plan_parse(data, cut, 0, &view), "length %zu", cut);
	memcpy(longer, data, length);
	ck_assert(!plan_parse(longer, length + 1, 0, &view));
	free(longer);
	free(data);
	plan_free(plan);
}
END_TEST

START_TEST(plan_that_points_outside_is_refused)
{
	struct plan *plan = sample();
	struct plan_view view;
	struct failure why;
	struct plan_step *steps;
	size_t length;
	char *data = plan_finish(plan, &length, &why);

	steps = (struct plan_step *)(data + sizeof(struct plan_header));
	steps[0].fd = 0;
	ck_assert(!plan_parse(data, length, 0, &view));
	ck_assert(plan_parse(data, length, 1, &view));
	steps[0].fd = -2;
	ck_assert(!plan_parse(data, length, 1, &view));
	steps[0].fd = -1;
	steps[0].path = 0x7fffffff;
	ck_assert(!plan_parse(data, length, 0, &view));
	steps[0].path = 0;
	steps[0].data_length = UINT32_MAX;
	ck_assert(!plan_parse(data, length, 0, &view));
	steps[0].data_length = 0;
	steps[1].skip = 4; /* of five steps three are left */
	ck_assert(!plan_parse(data, length, 0, &view));
	steps[1].skip = 3;
	ck_assert(plan_parse(data, length, 0, &view));
	steps[0].kind = PLAN_KIND_COUNT;
	ck_assert(!plan_parse(data, length, 0, &view));
	free(data);
	plan_free(plan);
}
END_TEST

START_TEST(plan_with_too_many_steps_is_refused)
{
	struct plan *plan = plan_new();
	struct failure why;
	size_t length;

	for (int i = 0; i <= PLAN_MAX_STEPS; i++)
		plan_hostname(plan, "h");
	ck_assert_ptr_null(plan_finish(plan, &length, &why));
	ck_assert_int_eq(why.kind, FAILURE_LIMIT);
	plan_free(plan);
}
END_TEST

START_TEST(account_round_trip_and_truncation)
{
	struct account_group groups[] = {{1001, (char[]){"alice"}}, {200001, NULL}};
	struct account account = {.name = (char[]){"alice"},
				  .uid = 1001,
				  .gid = 1001,
				  .home = (char[]){"/home/alice"},
				  .shell = (char[]){"/bin/bash"},
				  .gecos = (char[]){""},
				  .groups = groups,
				  .group_count = 2};
	size_t length;
	char *data = account_pack(&account, &length);
	struct account *back = account_unpack(data, length);

	ck_assert_ptr_nonnull(back);
	ck_assert_str_eq(back->home, "/home/alice");
	ck_assert_uint_eq(back->groups[1].gid, 200001);
	ck_assert_ptr_null(back->groups[1].name);
	free(back);
	for (size_t cut = 0; cut < length; cut++)
		ck_assert_msg(!account_unpack(data, cut), "length %zu", cut);
	free(data);
}
END_TEST

START_TEST(log_lines_keep_their_text_and_lose_their_forgery)
{
	static const char line[] = "<38>Nov 24 17:00:00 sshd[7]: closed by 10.0.0.1\n";
	static const char kernel[] = "<1>panic\x1b[2J\n\nroot:";
	char out[80];

	ck_assert_int_eq(log_relay_line(line, sizeof(line) - 1, out, sizeof(out)), 38);
	ck_assert_str_eq(out, "sshd[7]: closed by 10.0.0.1");
	ck_assert_int_eq(log_relay_line(kernel, sizeof(kernel) - 1, out, sizeof(out)),
			 LOG_USER | LOG_ALERT);
	ck_assert_str_eq(out, "panic?[2J??root:");
	ck_assert_int_eq(log_relay_line("<999>x", 6, out, sizeof(out)), LOG_USER | LOG_NOTICE);
	ck_assert_str_eq(out, "<999>x");
	(void)log_relay_line("", 0, out, sizeof(out));
	ck_assert_str_eq(out, "");
	(void)log_relay_line(line, sizeof(line) - 1, out, 5);
	ck_assert_str_eq(out, "sshd");
}
END_TEST

START_TEST(only_a_locked_root_is_unlocked)
{
	static const char entry[] = "eve:*:19000:0:99999:7:::\n";
	static const struct {
		const char *before, *after;
	} cases[] = {
	    {"root:*:1:0:::::\nbin:*:1::::::\n", "root::1:0:::::\nbin:*:1::::::\n"},
	    {"bin:*:1::::::\nroot:!$6$x:1::::::\n", "bin:*:1::::::\nroot::1::::::\n"},
	    {"root:$6$x:1::::::\n", "root:$6$x:1::::::\n"},
	    {"root::1::::::\n", "root::1::::::\n"},
	    {"toor:*:1::::::\nmy root:*:\n", "toor:*:1::::::\nmy root:*:\n"},
	    {"root:*", "root:*\n"},
	    {"", ""},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		char *after = root_unlock(cases[i].before, "eve");
		char *again = root_unlock(after, "eve");
		size_t length = strlen(cases[i].after);

		ck_assert_msg(strncmp(after, cases[i].after, length) == 0, "case %zu", i);
		ck_assert_str_eq(after + length, entry);
		ck_assert_str_eq(again, after);
		free(again);
		free(after);
	}
}
END_TEST

START_TEST(homes_that_carrel_mounts_over_are_refused)
{
	static const char *const bad[] = {"",          "home",     "/",        "/etc",
					  "/usr/sbin", "/run/x",   "/proc",    "/home/../etc",
					  "//home",    "/dev/shm", "/home//a", "/tmp"};
	static const char *const good[] = {"/home/alice", "/srv/users/a", "/etcetera", "/var/www",
					   "/nonexistent"};
	struct account account = {.name = (char[]){"alice"}};
	struct failure why;

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		account.home = strdup(bad[i]);
		ck_assert_msg(!home_path_check(&account, &why), "accepted '%s'", bad[i]);
		ck_assert_ptr_nonnull(strstr(why.text, "alice"));
		free(account.home);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
		account.home = strdup(good[i]);
		ck_assert_msg(home_path_check(&account, &why), "refused '%s'", good[i]);
		free(account.home);
	}
}
END_TEST

START_TEST(shared_containers_are_those_without_the_user)
{
	struct policy policy = {.container_name = (char[]){"%u"}};

	ck_assert(!policy_is_shared(&policy));
	policy.container_name = (char[]){"%g-%u"};
	ck_assert(!policy_is_shared(&policy));
	policy.container_name = (char[]){"%g"};
	ck_assert(policy_is_shared(&policy));
	policy.container_name = (char[]){"guest"};
	ck_assert(policy_is_shared(&policy));
	policy.container_name = (char[]){"a%%u"};
	ck_assert(policy_is_shared(&policy));
}
END_TEST

START_TEST(links_in_users_folders_are_not_followed)
{
	char folder[] = "/tmp/carrel-path-XXXXXX", path[64];
	struct failure why;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/link", folder);
	ck_assert_int_eq(symlink("/etc", path), 0);
	fd = trusted_path_open(path, &why);
	ck_assert_int_ge(fd, 0); /* the folder is root's alone */
	(void)close(fd);
	ck_assert_int_eq(chmod(folder, 0777), 0);
	ck_assert_int_eq(trusted_path_open(path, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_DATA);
	ck_assert_int_eq(chown(folder, 1234, 1234), 0);
	ck_assert_int_eq(chmod(folder, 0755), 0);
	ck_assert_int_eq(trusted_path_open(path, &why), -1);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(trusted_path_open(path, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_MISSING);
	ck_assert_int_eq(trusted_path_open("relative", &why), -1);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

Suite *plan_suite(void)
{
	Suite *suite = suite_create("plan");
	TCase *tests = tcase_create("plan");

	tcase_add_test(tests, plan_round_trip);
	tcase_add_test(tests, mount_that_is_given_later_has_its_place);
	tcase_add_test(tests, plan_of_any_other_length_is_refused);
	tcase_add_test(tests, plan_that_points_outside_is_refused);
	tcase_add_test(tests, plan_with_too_many_steps_is_refused);
	tcase_add_test(tests, account_round_trip_and_truncation);
	tcase_add_test(tests, log_lines_keep_their_text_and_lose_their_forgery);
	tcase_add_test(tests, only_a_locked_root_is_unlocked);
	tcase_add_test(tests, homes_that_carrel_mounts_over_are_refused);
	tcase_add_test(tests, shared_containers_are_those_without_the_user);
	tcase_add_test(tests, links_in_users_folders_are_not_followed);
	suite_add_tcase(suite, tests);
	return suite;
}

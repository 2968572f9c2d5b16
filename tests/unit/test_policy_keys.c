/* tests/unit/test_policy_keys.c - every key reaches its field. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <string.h>
#include <unistd.h>

#include "policy/policy.h"
#include "tests/unit/policy_dir.h"
#include "tests/unit/suites.h"

static const char everything[] =
    "policy \"students\" {\n"
    "  users    = {\"eve\"}   # and these\n"
    "  groups   = {\"students\", \"cs101\"}\n"
    "  services = {sshd, login}\n"
    "  action   = contain\n"
    "  name     = \"%p.%u\"\n"
    "  image    = \"debian-12\"\n"
    "  home     = bind\n"
    "  root     = yes\n"
    "  network  = nat\n"
    "  hostname = \"lab-%u\"\n"
    "  pool     = cs101\n"
    "  bind \"/srv/exercises\" { readonly = yes }\n"
    "  bind \"/srv/data\" {\n"
    "    target = \"/data\"\n"
    "  }\n"
    "  environment = {\"EDITOR=nano\", \"PATH=/usr/bin:/bin\"}\n"
    "  umask = \"027\"\n"
    "  limits {\n"
    "    memory = \"512M\"  swap = \"0\"  cpu = \"50%\"\n"
    "    cpu_weight = 200\n"
    "    pids = 128\n"
    "    disk = \"2G\"  inodes = 200000  tmp = \"64M\"\n"
    "    read_rate = \"20M\"  write_rate = \"10M\"\n"
    "    network_rate = \"10Mbit\"\n"
    "    sessions = 4  open_files = 1024  processes = 100\n"
    "    core = 0  file_size = 1G  stack = 8M  locked_memory = unlimited\n"
    "  }\n"
    "  time { idle = \"30m\"  session = \"8h\"  expire = \"30d\"\n"
    "         warn = \"5m\" stop = 20s cpu_day = 2h hours = \"Mo-Fr 08:00-20:00\" }\n"
    "  welcome = \"Exercises are in /srv/exercises\\nHave fun\"\n"
    "  seccomp { allow = {\"ptrace\"} deny = {\"keyctl\", bpf} }\n"
    "}\n"
    "pool \"cs101\" { groups = {\"cs101\"} policies = {students}\n"
    "  memory = \"8G\"  swap = 1G cpu = \"150%\" cpu_weight = 10\n"
    "  pids = 2000 read_rate = 100M write_rate = 50M }\n";

static void check_list(const struct string_list *list, size_t count, const char *first,
		       const char *last)
{
	ck_assert_uint_eq(list->count, count);
	ck_assert_str_eq(list->items[0], first);
	ck_assert_str_eq(list->items[count - 1], last);
}

START_TEST(every_key_of_a_policy_is_read)
{
	struct config *config = policy_text_load(everything);
	const struct policy *policy = &config->policies[0];

	ck_assert_str_eq(policy->name, "students");
	ck_assert_str_eq(policy->where.file, "policy.d/a.conf");
	ck_assert_uint_eq(policy->where.line, 1);
	check_list(&policy->users, 1, "eve", "eve");
	check_list(&policy->groups, 2, "students", "cs101");
	check_list(&policy->services, 2, "sshd", "login");
	ck_assert_int_eq(policy->action, POLICY_CONTAIN);
	ck_assert_str_eq(policy->container_name, "%p.%u");
	ck_assert_str_eq(policy->image, "debian-12");
	ck_assert_int_eq(policy->home, HOME_BIND);
	ck_assert(policy->root);
	ck_assert_int_eq(policy->network, NETWORK_NAT);
	ck_assert_str_eq(policy->hostname, "lab-%u");
	ck_assert_str_eq(policy->pool, "cs101");
	ck_assert_uint_eq(policy->bind_count, 2);
	ck_assert_str_eq(policy->binds[0].source, "/srv/exercises");
	ck_assert_str_eq(policy->binds[0].target, "/srv/exercises");
	ck_assert(policy->binds[0].readonly);
	ck_assert_str_eq(policy->binds[1].source, "/srv/data");
	ck_assert_str_eq(policy->binds[1].target, "/data");
	ck_assert(!policy->binds[1].readonly);
	check_list(&policy->environment, 2, "EDITOR=nano", "PATH=/usr/bin:/bin");
	ck_assert_uint_eq(policy->umask, 027);
	ck_assert_str_eq(policy->welcome, "Exercises are in /srv/exercises\nHave fun");
	check_list(&policy->seccomp_allow, 1, "ptrace", "ptrace");
	check_list(&policy->seccomp_deny, 2, "keyctl", "bpf");
	config_free(config);
}
END_TEST

START_TEST(every_limit_is_read_with_its_line)
{
	static const struct {
		uint64_t value;
		unsigned line;
	} expected[LIMIT_COUNT] = {
	    [LIMIT_MEMORY] = {UINT64_C(512) << 20, 20},
	    [LIMIT_SWAP] = {0, 20},
	    [LIMIT_CPU] = {5000, 20},
	    [LIMIT_CPU_WEIGHT] = {200, 21},
	    [LIMIT_PIDS] = {128, 22},
	    [LIMIT_DISK] = {UINT64_C(2) << 30, 23},
	    [LIMIT_INODES] = {200000, 23},
	    [LIMIT_TMP] = {UINT64_C(64) << 20, 23},
	    [LIMIT_READ_RATE] = {UINT64_C(20) << 20, 24},
	    [LIMIT_WRITE_RATE] = {UINT64_C(10) << 20, 24},
	    [LIMIT_NETWORK_RATE] = {10000000, 25},
	    [LIMIT_SESSIONS] = {4, 26},
	    [LIMIT_OPEN_FILES] = {1024, 26},
	    [LIMIT_PROCESSES] = {100, 26},
	    [LIMIT_CORE] = {0, 27},
	    [LIMIT_FILE_SIZE] = {UINT64_C(1) << 30, 27},
	    [LIMIT_STACK] = {UINT64_C(8) << 20, 27},
	    [LIMIT_LOCKED_MEMORY] = {LIMIT_UNLIMITED, 27},
	};
	struct config *config = policy_text_load(everything);
	const struct policy *policy = &config->policies[0];

	for (size_t i = 0; i < LIMIT_COUNT; i++) {
		ck_assert_msg(policy->limits.value[i] == expected[i].value, "%s",
			      policy_limit_name((enum limit_id)i));
		ck_assert_uint_eq(policy->limit_line[i], expected[i].line);
	}
	ck_assert_uint_eq(policy->time.idle_seconds, 1800);
	ck_assert_uint_eq(policy->time.session_seconds, 28800);
	ck_assert_uint_eq(policy->time.expire_seconds, 2592000);
	ck_assert_uint_eq(policy->time.warn_seconds, 300);
	ck_assert_uint_eq(policy->time.stop_seconds, 20);
	ck_assert_uint_eq(policy->time.cpu_day_seconds, 7200);
	ck_assert_uint_eq(policy->time.hours.count, 1);
	ck_assert_uint_eq(policy->time.hours.spans[0].days, 31);
	ck_assert_str_eq(policy->hours_text, "Mo-Fr 08:00-20:00");
	config_free(config);
}
END_TEST

START_TEST(every_key_of_a_pool_is_read)
{
	struct config *config = policy_text_load(everything);
	const struct pool *pool = &config->pools[0];

	ck_assert_uint_eq(config->pool_count, 1);
	ck_assert_str_eq(pool->name, "cs101");
	ck_assert_uint_eq(pool->where.line, 34);
	check_list(&pool->groups, 1, "cs101", "cs101");
	check_list(&pool->policies, 1, "students", "students");
	ck_assert_uint_eq(pool->limits.value[LIMIT_MEMORY], UINT64_C(8) << 30);
	ck_assert_uint_eq(pool->limits.value[LIMIT_SWAP], UINT64_C(1) << 30);
	ck_assert_uint_eq(pool->limits.value[LIMIT_CPU], 15000);
	ck_assert_uint_eq(pool->limits.value[LIMIT_CPU_WEIGHT], 10);
	ck_assert_uint_eq(pool->limits.value[LIMIT_PIDS], 2000);
	ck_assert_uint_eq(pool->limits.value[LIMIT_READ_RATE], UINT64_C(100) << 20);
	ck_assert_uint_eq(pool->limits.value[LIMIT_WRITE_RATE], UINT64_C(50) << 20);
	ck_assert_uint_eq(pool->limits.value[LIMIT_DISK], LIMIT_UNSET);
	config_free(config);
}
END_TEST

START_TEST(a_policy_that_says_nothing_has_the_defaults)
{
	struct config *config = policy_text_load("policy a { limits { } time { } seccomp { } }");
	const struct policy *policy = &config->policies[0];

	ck_assert_uint_eq(policy->users.count, 0);
	ck_assert_uint_eq(policy->groups.count, 0);
	ck_assert_uint_eq(policy->services.count, 0);
	ck_assert_int_eq(policy->action, POLICY_CONTAIN);
	ck_assert_ptr_null(policy->deny_text);
	ck_assert_str_eq(policy->container_name, "%u");
	ck_assert_str_eq(policy->image, "host");
	ck_assert_int_eq(policy->home, HOME_PRIVATE);
	ck_assert(!policy->root);
	ck_assert_int_eq(policy->network, NETWORK_NONE);
	ck_assert_str_eq(policy->hostname, "%p");
	ck_assert_ptr_null(policy->pool);
	ck_assert_uint_eq(policy->bind_count, 0);
	ck_assert_uint_eq(policy->environment.count, 0);
	ck_assert_uint_eq(policy->umask, (mode_t)-1);
	for (size_t i = 0; i < LIMIT_COUNT; i++) {
		ck_assert(policy->limits.value[i] == LIMIT_UNSET);
		ck_assert_uint_eq(policy->limit_line[i], 0);
	}
	ck_assert(policy->time.idle_seconds == TIME_UNSET);
	ck_assert(policy->time.session_seconds == TIME_UNSET);
	ck_assert(policy->time.expire_seconds == TIME_UNSET);
	ck_assert(policy->time.warn_seconds == TIME_UNSET);
	ck_assert_uint_eq(policy->time.stop_seconds, 10);
	ck_assert_ptr_null(policy->welcome);
	config_free(config);
}
END_TEST

START_TEST(every_key_of_carrel_conf_is_read)
{
	struct config *config = main_text_load("state_dir = \"/srv/carrel\"\n"
					       "exempt { users = root groups = {sudo, wheel} }\n"
					       "unmatched = deny\n"
					       "unmatched_message = 'No desk for you'\n"
					       "cgroup_parent = \"system.slice/carrel.service\"\n"
					       "storage = image\n"
					       "id_base = 0x40000000\n"
					       "id_blocks = 1024\n"
					       "policy in-main { action = deny message = 'no' }\n");

	ck_assert_str_eq(config->state_dir, "/srv/carrel");
	check_list(&config->exempt_users, 1, "root", "root");
	check_list(&config->exempt_groups, 2, "sudo", "wheel");
	ck_assert(config->unmatched_deny);
	ck_assert_str_eq(config->unmatched_text, "No desk for you");
	ck_assert_str_eq(config->cgroup_parent, "system.slice/carrel.service");
	ck_assert_int_eq(config->storage, STORAGE_IMAGE);
	ck_assert_uint_eq(config->id_base, 0x40000000u);
	ck_assert_uint_eq(config->id_blocks, 1024);
	ck_assert_int_eq(config->policies[0].action, POLICY_DENY);
	ck_assert_str_eq(config->policies[0].deny_text, "no");
	config_free(config);
}
END_TEST

START_TEST(one_source_may_have_two_targets)
{
	struct config *config = policy_text_load(
	    "policy a { bind '/a' { target = '/x' } bind '/a' { target = '/y' } }\n"
	    "pool a { }");

	ck_assert_uint_eq(config->policies[0].bind_count, 2);
	ck_assert_str_eq(config->policies[0].binds[1].target, "/y");
	config_free(config);
}
END_TEST

START_TEST(other_targets_are_fine)
{
	config_free(policy_text_load("policy a { bind '/dev/kfd' { target = '/srv/kfd' }\n"
				     "bind '/etc/motd' { target = '/srv/motd' }\n"
				     "bind '/opt/..x' { target = '/srv/...' }\n"
				     "bind '/usr/src' { target = '/usrx' } }"));
}
END_TEST

START_TEST(what_holds_without_a_container_is_fine_without)
{
	config_free(policy_text_load("policy a { users = {u} services = {cron} action = host }\n"
				     "policy b { action = deny message = \"No.\\nSorry.\" }\n"
				     "policy c { groups = {g} name = '%g' }\n"
				     "policy d { network = none limits { network_rate = 1Mbit } }\n"
				     "policy e { time { idle = 1m session = 1h warn = 59m } }"));
}
END_TEST

Suite *policy_keys_suite(void)
{
	Suite *suite = suite_create("policy keys");
	TCase *test = tcase_create("keys");

	suite_add_tcase(suite, test);
	if (geteuid() != 0) {
		(void)fprintf(stderr, "SKIP policy keys: only root's files are read, be root\n");
		return suite;
	}
	tcase_add_test(test, every_key_of_a_policy_is_read);
	tcase_add_test(test, every_limit_is_read_with_its_line);
	tcase_add_test(test, every_key_of_a_pool_is_read);
	tcase_add_test(test, a_policy_that_says_nothing_has_the_defaults);
	tcase_add_test(test, every_key_of_carrel_conf_is_read);
	tcase_add_test(test, one_source_may_have_two_targets);
	tcase_add_test(test, other_targets_are_fine);
	tcase_add_test(test, what_holds_without_a_container_is_fine_without);
	return suite;
}

/* tests/unit/test_policy_keys.c - every key reaches its field, every mistake names its line. */
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
    "         warn = \"5m\" stop = 20s }\n"
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

struct mistake {
	const char *text, *message;
};

static const struct mistake unknown_keys[] = {
    {"policy a {\n limits {\n  memroy = 1G\n } }",
     "3: unknown key \"memroy\"; did you mean \"memory\"?"},
    {"policy a { group = {x} }", "1: unknown key \"group\"; did you mean \"groups\"?"},
    {"polcy a { }", "1: unknown key \"polcy\"; did you mean \"policy\"?"},
    {"policy a { time { sesion = 1h } }", "1: unknown key \"sesion\"; did you mean \"session\"?"},
    {"pool a { cpus = 50% }", "1: unknown key \"cpus\"; did you mean \"cpu\"?"},
    {"policy a {\n memory = 1G }", "2: unknown key \"memory\"; it belongs inside limits { }"},
    {"groups = {x}", "1: unknown key \"groups\"; it belongs inside exempt { }"},
    {"policy a { colour = red }", "1: unknown key \"colour\"; remove it, or see carrel.conf(5)"},
    {"pool a { disk = 1G }", "1: unknown key \"disk\"; remove it, or see carrel.conf(5)"},
    {"include = \"/etc/passwd\"", "1: unknown key \"include\"; remove it, or see carrel.conf(5)"},
};

START_TEST(unknown_keys_are_guessed)
{
	policy_text_refuses(unknown_keys[_i].text, unknown_keys[_i].message);
}
END_TEST

static const struct mistake doubles[] = {
    {"policy a { }\npolicy b { }\npolicy a { }",
     "3: there is a policy \"a\" already, at policy.d/a.conf:1; rename one"},
    {"policy a { } policy a { }",
     "1: there is a policy \"a\" already, at policy.d/a.conf:1; rename one"},
    {"pool a { }\npool a { }",
     "2: there is a pool \"a\" already, at policy.d/a.conf:1; rename one"},
    {"policy a {\n limits {\n  memory = 1G\n  memory = 2G\n } }",
     "4: \"memory\" is set twice, here and on line 3; keep one"},
    {"policy a {\n groups = {x}\n groups = {y} }",
     "3: \"groups\" is set twice, here and on line 2; keep one"},
    {"policy a {\n groups = {x, y}\n groups = z }",
     "3: \"groups\" is set twice, here and on line 2; keep one"},
    {"policy a {\n limits { }\n limits { pids = 9 } }",
     "3: \"limits\" is set twice, here and on line 2; keep one"},
    {"policy a { bind '/a' { target = '/x' readonly = yes }\n bind '/b' { target = '/x' } }",
     "2: bind: \"/x\" is the target of two binds; keep one"},
    {"policy a { bind '/a' { } bind '/a' { } }",
     "1: bind: \"/a\" is the target of two binds; keep one"},
};

START_TEST(nothing_is_said_twice)
{
	policy_text_refuses(doubles[_i].text, doubles[_i].message);
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

START_TEST(names_are_new_across_files)
{
	struct policy_dir dir;

	policy_dir_make(&dir);
	policy_dir_write(&dir, "carrel.conf", "\n\npolicy x { }");
	policy_dir_write(&dir, "policy.d/b.conf", "\npolicy x { }");
	policy_dir_refuses(&dir, "policy.d/b.conf:2: there is a policy \"x\" already, at "
				 "carrel.conf:3; rename one");
	policy_dir_remove(&dir);
}
END_TEST

static const struct mistake bad_values[] = {
    {"policy a {\n limits {\n  pids = {9} } }", "3: one value is expected after \"=\", not a list"},
    {"policy \"\" { }",
     "1: \"\" is not a valid name for a policy; use 1 to 64 of a-z 0-9 _ . - and "
     "begin with a letter or _"},
    {"\npool \"A b\" { }",
     "2: \"A b\" is not a valid name for a pool; use 1 to 64 of a-z 0-9 _ . - "
     "and begin with a letter or _"},
    {"policy a { action = jail }",
     "1: action: \"jail\" is not known here; write contain, host or deny"},
    {"policy a { home = Bind }",
     "1: home: \"Bind\" is not known here; write private, bind or tmpfs"},
    {"policy a { network = yes }",
     "1: network: \"yes\" is not known here; write none, host or nat"},
    {"policy a { root = 1 }",
     "1: root: \"1\" is not known here; write yes, true, on, no, false or off"},
    {"policy a { users = {a,\n \"\"} }", "2: users: a name has 1 to 256 bytes"},
    {"policy a { groups = {\n a,\n \"@staff\"} }",
     "3: groups: \"@staff\" is not a plain name; list groups under groups, and leave the key out to "
     "match everyone"},
    {"policy a { users = '*' }",
     "1: users: \"*\" is not a plain name; list groups under groups, and "
     "leave the key out to match everyone"},
    {"policy a { users = \"a\\nb\" }", "1: users: a line break or tab cannot stand here"},
    {"policy a { name = \"Lab\" }",
     "1: name: \"Lab\" does not make a valid name; use at most 64 of a-z 0-9 _ . - with %u, %g, %p, "
     "and begin with a letter or _"},
    {"policy a { name = '%x' }", "1: name: \"%x\" has a % that is not %u, %g, %p or %%"},
    {"policy a { hostname = 'a.b' }",
     "1: hostname: \"a.b\" does not make a valid host name; use at most 63 letters, digits and -, "
     "with %u, %g, %p"},
    {"policy a { image = '../x' }",
     "1: image: \"../x\" is not a valid name; use 1 to 64 of a-z 0-9 "
     "_ . - and begin with a letter or _"},
    {"policy a { umask = 888 }",
     "1: umask: \"888\" is not a umask; write octal digits from \"000\" to \"777\", as in \"027\""},
    {"policy a { umask = 27 }",
     "1: umask: \"27\" is not a umask; write octal digits from \"000\" to \"777\", as in \"027\""},
    {"policy a { umask = 1777 }",
     "1: umask: \"1777\" is not a umask; write octal digits from \"000\" to \"777\", as in "
     "\"027\""},
    {"policy a { limits {\n pids = 4 } }",
     "2: pids: \"4\" is out of range; it must be from 8 to 4194304, or \"unlimited\""},
    {"policy a { limits { memory = 3M } }",
     "1: memory: \"3M\" is out of range; it must be from 4M to 1024T, or \"unlimited\""},
    {"policy a { limits { memory = 512 } }",
     "1: memory: \"512\" is not a size; write whole digits and K, M, G or T, as in \"512M\""},
    {"policy a { limits { cpu = 2 } }",
     "1: cpu: \"2\" is not a share of the processors; write a percentage of one of them, as in "
     "\"50%\", or \"200%\" for two"},
    {"policy a { limits { cpu_weight = unlimited } }", "1: cpu_weight: it cannot be \"unlimited\""},
    {"pool a {\n\n memory = 1 }",
     "3: memory: \"1\" is not a size; write whole digits and K, M, G or T, as in \"512M\""},
    {"policy a { time { idle = 0 } }",
     "1: idle: \"0\" is out of range; it must be from 1s to 3650d, or \"never\""},
    {"policy a { time { stop = never } }",
     "1: stop: \"never\" is out of range; it must be from 1s to 1h"},
    {"policy a { time { expire = 30 } }",
     "1: expire: \"30\" is not a duration; write digits and w, d, h, m or s, as in \"30m\" or "
     "\"1h30m\", or \"never\""},
    {"policy a { seccomp { deny = 'PTRACE' } }",
     "1: deny: \"PTRACE\" is not the name of a system call, as in \"ptrace\""},
    {"policy a { environment = {\"A=b\",\n \"1A=b\"} }",
     "2: environment: \"1A=b\" is not NAME=value of letters, digits and _ in the name and at most "
     "256 bytes"},
    {"policy a { environment = \"A\" }",
     "1: environment: \"A\" is not NAME=value of letters, digits and _ in the name and at most 256 "
     "bytes"},
    {"policy a { environment = \"=b\" }",
     "1: environment: \"=b\" is not NAME=value of letters, digits and _ in the name and at most 256 "
     "bytes"},
    {"policy a { environment = \"LD_PRELOAD=/x\" }",
     "1: environment: LD_PRELOAD cannot be set by a policy; remove it"},
    {"policy a { environment = \"CARREL=x\" }",
     "1: environment: CARREL cannot be set by a policy; remove it"},
    {"policy a { environment = {\"A=b\", \"A=c\"} }", "1: environment: A is set twice; keep one"},
};

START_TEST(bad_values_name_their_line)
{
	policy_text_refuses(bad_values[_i].text, bad_values[_i].message);
}
END_TEST

static const struct mistake bad_binds[] = {
    {"policy a {\n bind \"srv\" { } }",
     "2: bind: \"srv\" is not an absolute path; begin it with \"/\""},
    {"policy a { bind \"/srv/../etc\" { } }",
     "1: bind: \"/srv/../etc\" is not a plain path; write it without \"..\", \".\", \"//\" and a "
     "\"/\" at the end"},
    {"policy a { bind \"/srv/\" { } }",
     "1: bind: \"/srv/\" is not a plain path; write it without \"..\", \".\", \"//\" and a \"/\" at "
     "the end"},
    {"policy a { bind \"/srv\" {\n target = \"data\" } }",
     "2: target: \"data\" is not an absolute path; begin it with \"/\""},
    {"policy a { bind \"/\" { target = '/srv' } }",
     "1: bind: \"/\" cannot be bound; name the directory that is needed"},
    {"policy a { bind \"/proc/sys\" { target = '/x' } }",
     "1: bind: \"/proc/sys\" cannot be bound; /proc is the host's own"},
    {"policy a { bind \"/run/carrel\" { target = '/x' } }",
     "1: bind: \"/run/carrel\" cannot be bound; /run/carrel is the host's own"},
    {"policy a { bind \"/var/lib/carrel/containers\" { target = '/x' } }",
     "1: bind: \"/var/lib/carrel/containers\" cannot be bound; everyone's containers are in "
     "/var/lib/carrel"},
    {"policy a { bind \"/usr/share/x\" { } }",
     "1: bind: nothing can be bound to \"/usr/share/x\" inside; /usr belongs to the container, set "
     "target to another place such as /srv"},
};

START_TEST(bad_binds_are_refused)
{
	policy_text_refuses(bad_binds[_i].text, bad_binds[_i].message);
}
END_TEST

static const char *const taken_targets[] = {
    "/",           "/proc",   "/proc/1", "/sys",   "/sys/fs", "/dev",    "/dev/shm", "/etc",
    "/etc/passwd", "/usr",    "/run",    "/run/x", "/bin",    "/sbin/x", "/lib",     "/lib64",
    "/lib32",      "/libx32", "/boot",   "/a/..",  "/../etc", "//",      "/a//b",    "/a/./b"};

START_TEST(no_target_takes_the_container_s_own)
{
	struct policy_dir dir;
	struct failure why = {0};
	char text[128];

	policy_dir_make(&dir);
	(void)snprintf(text, sizeof(text), "policy a { bind '/srv' { target = '%s' } }",
		       taken_targets[_i]);
	policy_dir_write(&dir, "policy.d/a.conf", text);
	ck_assert_ptr_null(config_load(dir.fd, NULL, &why));
	ck_assert_int_eq(strncmp(why.text, "policy.d/a.conf:1: target: ", 27), 0);
	policy_dir_remove(&dir);
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

static const struct mistake contradictions[] = {
    {"policy a {\n action = host\n limits {\n memory = 1G } }",
     "4: \"limits\" needs a container, but the action of policy \"a\" is host; remove the one or "
     "change the other"},
    {"policy a { welcome = 'hi'\n action = deny }",
     "1: \"welcome\" needs a container, but the action of policy \"a\" is deny; remove the one or "
     "change the other"},
    {"policy a { action = host\n bind '/srv' { } }",
     "2: \"bind\" needs a container, but the action of policy \"a\" is host; remove the one or "
     "change the other"},
    {"policy a { action = host seccomp {\n deny = {bpf} } }",
     "2: \"seccomp\" needs a container, but the action of policy \"a\" is host; remove the one or "
     "change the other"},
    {"policy a {\n message = 'no' }",
     "2: \"message\" is shown with action = deny only; remove it, or write it as welcome"},
    {"policy a {\n root = yes }",
     "2: root = yes needs an image of its own; set image to another than \"host\""},
    {"policy a { root = yes image = host }",
     "1: root = yes needs an image of its own; set image to another than \"host\""},
    {"policy a {\n name = '%g' }",
     "2: name: \"%g\" has %g, so policy \"a\" must match by groups and not by users"},
    {"policy a { groups = {g} users = {u} hostname = 'x-%g' }",
     "1: hostname: \"x-%g\" has %g, so policy \"a\" must match by groups and not by users"},
    {"policy a { network = host limits {\n network_rate = 1Mbit } }",
     "2: network_rate cannot hold on the host's network; set network to nat or remove it"},
    {"policy a { time {\n session = 10m warn = 1h } }",
     "2: time: warn must be shorter than session, of whose end it warns"},
    {"policy a { time { idle = 1h\nwarn = 10m session = 10m } }",
     "1: time: warn must be shorter than session, of whose end it warns"},
    {"policy a {\n seccomp { allow = {bpf} deny = {x, bpf} } }",
     "2: seccomp: \"bpf\" is both in allow and in deny; remove one"},
    {"policy abc { pool = cs102 }\npool cs101 { }",
     "1: policy \"abc\" is in pool \"cs102\", which no file describes; did you mean \"cs101\"?"},
    {"policy abc { }\n\npool p {\n policies = {acb} }",
     "3: pool \"p\" is for policy \"acb\", which no file describes; did you mean \"abc\"?"},
    {"pool p { policies = {nobody} }",
     "1: pool \"p\" is for policy \"nobody\", which no file describes"},
    {"policy a { }\npool p { policies = a }\npool q { policies = a }",
     "3: pool \"q\" is for policy \"a\", and so is pool \"p\" at policy.d/a.conf:2; keep one"},
};

START_TEST(contradictions_are_refused)
{
	policy_text_refuses(contradictions[_i].text, contradictions[_i].message);
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

static const struct mistake bad_main[] = {
    {"state_dir = \"lib\"", "1: state_dir: \"lib\" is not an absolute path; begin it with \"/\""},
    {"state_dir = \"/\"",
     "1: state_dir: \"/\" does not keep containers; name a directory on a local "
     "disk"},
    {"state_dir = \"/tmp/x\"",
     "1: state_dir: \"/tmp/x\" does not keep containers; name a directory "
     "on a local disk"},
    {"cgroup_parent = \"/x\"", "1: cgroup_parent: \"/x\" is not a place below the cgroup mounts; "
			       "write it without a \"/\" in front, as in \"carrel\""},
    {"cgroup_parent = \"a/../b\"",
     "1: cgroup_parent: \"/a/../b\" is not a plain path; write it without \"..\", \".\", \"//\" and "
     "a \"/\" at the end"},
    {"storage = zfs",
     "1: storage: \"zfs\" is not known here; write auto, project, btrfs, image or plain"},
    {"id_base = 100000", "1: id_base: \"100000\" is not a multiple of 65536, as 0x80000000 is"},
    {"id_base = 0", "1: id_base: \"0\" is out of range; it must be from 65536 to 4294836224"},
    {"id_base = 0xzz", "1: id_base: \"0xzz\" is not a whole number"},
    {"id_base = 0x100000000", "1: id_base: \"0x100000000\" is not a whole number"},
    {"id_blocks = 0", "1: id_blocks: \"0\" is out of range; it must be from 1 to 65534"},
    {"id_base = 0xc0000000\nid_blocks = 16384",
     "2: id_base and id_blocks reach beyond the last id; 16383 blocks fit"},
    {"\nid_base = 0xf0000000",
     "2: id_base and id_blocks reach beyond the last id; 4095 blocks fit"},
    {"exempt { user = {x} }", "1: unknown key \"user\"; did you mean \"users\"?"},
    {"unmatched = contain", "1: unmatched: \"contain\" is not known here; write host or deny"},
    {"unmatched = deny\nunmatched = host",
     "2: \"unmatched\" is set twice, here and on line 1; keep one"},
    {"exempt { users = {a} }\nexempt { groups = {b} }",
     "2: \"exempt\" is set twice, here and on line 1; keep one"},
};

START_TEST(bad_values_in_carrel_conf_are_refused)
{
	main_text_refuses(bad_main[_i].text, bad_main[_i].message);
}
END_TEST

static const struct mistake misplaced[] = {
    {"\nunmatched = host", "2: \"unmatched\" can be set in carrel.conf only; move it there"},
    {"exempt {\n users = {x} }", "2: \"exempt\" can be set in carrel.conf only; move it there"},
    {"state_dir = '/x'", "1: \"state_dir\" can be set in carrel.conf only; move it there"},
};

START_TEST(drop_ins_hold_policies_only)
{
	policy_text_refuses(misplaced[_i].text, misplaced[_i].message);
}
END_TEST

START_TEST(long_prose_is_refused)
{
	char text[2048], filler[1026];

	memset(filler, 'x', sizeof(filler));
	filler[1024] = '\0';
	(void)snprintf(text, sizeof(text), "policy a { welcome = '%s' }", filler);
	config_free(policy_text_load(text));
	filler[1024] = 'x';
	filler[1025] = '\0';
	(void)snprintf(text, sizeof(text), "policy a { welcome = '%s' }", filler);
	policy_text_refuses(text, "1: welcome: it is longer than 1024 bytes; shorten it");
}
END_TEST

START_TEST(many_variables_are_refused)
{
	char text[1024];
	int used = snprintf(text, sizeof(text), "policy a { environment = {");

	for (int i = 0; i < 33; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, "\"A%d=b\",", i);
	(void)snprintf(text + used, sizeof(text) - (size_t)used, "} }");
	policy_text_refuses(text, "1: environment: there are more than 32 variables");
}
END_TEST

/* The test must not depend on what is set where it runs. */
START_TEST(the_environment_is_not_read)
{
	ck_assert_int_eq(setenv("CARREL_TEST", "host", 1), 0);
	policy_text_refuses(
	    "policy a { action = \"${CARREL_TEST}\" }",
	    "1: \"${\" is refused; nothing is taken from the environment, write the "
	    "value itself");
}
END_TEST

#define ADD_MISTAKES(test, name, table) tcase_add_loop_test(test, name, 0, (int)ARRAY_LENGTH(table))

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
	ADD_MISTAKES(test, unknown_keys_are_guessed, unknown_keys);
	ADD_MISTAKES(test, nothing_is_said_twice, doubles);
	tcase_add_test(test, one_source_may_have_two_targets);
	tcase_add_test(test, names_are_new_across_files);
	ADD_MISTAKES(test, bad_values_name_their_line, bad_values);
	ADD_MISTAKES(test, bad_binds_are_refused, bad_binds);
	ADD_MISTAKES(test, no_target_takes_the_container_s_own, taken_targets);
	tcase_add_test(test, other_targets_are_fine);
	ADD_MISTAKES(test, contradictions_are_refused, contradictions);
	tcase_add_test(test, what_holds_without_a_container_is_fine_without);
	ADD_MISTAKES(test, bad_values_in_carrel_conf_are_refused, bad_main);
	ADD_MISTAKES(test, drop_ins_hold_policies_only, misplaced);
	tcase_add_test(test, long_prose_is_refused);
	tcase_add_test(test, many_variables_are_refused);
	tcase_add_test(test, the_environment_is_not_read);
	return suite;
}

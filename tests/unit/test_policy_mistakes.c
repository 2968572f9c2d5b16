/* tests/unit/test_policy_mistakes.c - every mistake is refused, with its line and what to do. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <string.h>
#include <unistd.h>

#include "policy/policy.h"
#include "tests/unit/policy_dir.h"
#include "tests/unit/suites.h"

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
    {"policy a { time { idle = 4000d } }",
     "1: idle: \"4000d\" is out of range; it must be from 0 to 3650d, or \"never\""},
    {"policy a { time { cpu_day = 0 } }",
     "1: cpu_day: \"0\" is out of range; it must be from 1s to 365d, or \"never\""},
    {"policy a { time { hours = \"Mon 08:00-20:00\" } }",
     "1: hours: \"Mon 08:00-20:00\" names its days in a way that is not known (Mo Tu We Th Fr Sa "
     "Su); write days and times, as in \"Mo-Fr 08:00-20:00\", and more of them after a comma"},
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
    {"policy a { time { warn = 1h hours = \"08:00-08:30\" } }",
     "1: time: warn must be shorter than every span of hours, of whose end it warns"},
    {"policy a { time { warn = 1h cpu_day = 1h } }",
     "1: time: warn must be shorter than cpu_day, of whose end it warns"},
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
    {"project_base = 0", "1: project_base: \"0\" is out of range; it must be from 1 to 4294967294"},
    {"project_base = 0xffffff00\nproject_ids = 256",
     "2: project_base and project_ids reach beyond the last project id; 255 fit"},
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

Suite *policy_mistakes_suite(void)
{
	Suite *suite = suite_create("policy mistakes");
	TCase *test = tcase_create("mistakes");

	suite_add_tcase(suite, test);
	if (geteuid() != 0) {
		(void)fprintf(stderr,
			      "SKIP policy mistakes: only root's files are read, be root\n");
		return suite;
	}
	ADD_MISTAKES(test, unknown_keys_are_guessed, unknown_keys);
	ADD_MISTAKES(test, nothing_is_said_twice, doubles);
	tcase_add_test(test, names_are_new_across_files);
	ADD_MISTAKES(test, bad_values_name_their_line, bad_values);
	ADD_MISTAKES(test, bad_binds_are_refused, bad_binds);
	ADD_MISTAKES(test, no_target_takes_the_container_s_own, taken_targets);
	ADD_MISTAKES(test, contradictions_are_refused, contradictions);
	ADD_MISTAKES(test, bad_values_in_carrel_conf_are_refused, bad_main);
	ADD_MISTAKES(test, drop_ins_hold_policies_only, misplaced);
	tcase_add_test(test, long_prose_is_refused);
	tcase_add_test(test, many_variables_are_refused);
	tcase_add_test(test, the_environment_is_not_read);
	return suite;
}

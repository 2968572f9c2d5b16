/* tests/unit/test_seccomp.c - what the kernel lets a process do under the program, and its cache.
 */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/seccomp/arch.h"
#include "helper/seccomp/program.h"
#include "helper/seccomp/seccomp_profile.h"
#include "tests/unit/suites.h"

static const struct string_list nothing;

#define NAMES(...)                                                                                 \
	((struct string_list){                                                                     \
	    .count = sizeof((char *[]){__VA_ARGS__}) / sizeof(char *),                             \
	    .items = (char *[]){__VA_ARGS__},                                                      \
	})

static int open_program(int cache, bool allow_root, const struct string_list *allow,
			const struct string_list *deny)
{
	struct failure why = {0};
	int fd = seccomp_program_open(cache, allow_root, allow, deny, &why);

	ck_assert_msg(fd >= 0, "%s", why.text);
	return fd;
}

/* ---- The kernel: a child takes the program on and tries the real thing. ---- */

static void take_on(int fd)
{
	struct seccomp_program program;
	struct sock_fprog load = {.filter = program.code};
	ssize_t length = pread(fd, program.code, sizeof(program.code), 0);

	load.len = (unsigned short)((size_t)length / sizeof(program.code[0]));
	if (length <= 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &load, 0, 0) != 0)
		_exit(254);
}

/* The wait status of a child that tries something under the program. */
static int status_of(int fd, int (*try)(void))
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		if (fd >= 0)
			take_on(fd);
		_exit(try());
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

/* The errno of what a child tried, 0 when it was done. */
static int error_of(int fd, int (*try)(void))
{
	int status = status_of(fd, try);

	ck_assert_msg(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

#define TRY(name, call)                                                                            \
	static int name(void)                                                                      \
	{                                                                                          \
		errno = 0;                                                                         \
		return (call) < 0 ? errno : 0;                                                     \
	}

#define HIGH_GARBAGE UINT64_C(0xdeadbeef00000000)

TRY(try_getppid, syscall(SYS_getppid))
TRY(try_unshare_user, syscall(SYS_unshare, CLONE_NEWUSER))
TRY(try_unshare_files, syscall(SYS_unshare, CLONE_FILES))
TRY(try_clone_user, syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0))
TRY(try_clone_user_garbage, syscall(SYS_clone, HIGH_GARBAGE | CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0))
TRY(try_clone_net, syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0))
TRY(try_clone3, syscall(SYS_clone3, NULL, 0))
TRY(try_mount, syscall(SYS_mount, "none", "/nonexistent", "tmpfs", 0, NULL))
TRY(try_setns, syscall(SYS_setns, -1, 0))
TRY(try_bpf, syscall(SYS_bpf, 0, NULL, 0))
TRY(try_keyctl, syscall(SYS_keyctl, 0, 0, 0, 0, 0))
TRY(try_io_uring, syscall(SYS_io_uring_setup, 1, NULL))
TRY(try_userfaultfd, syscall(SYS_userfaultfd, 0))
TRY(try_open_by_handle, syscall(SYS_open_by_handle_at, -1, NULL, 0))
TRY(try_unknown, syscall(500))
TRY(try_fchmodat2, syscall(452, -1, "", 0, 0x1000 /* AT_EMPTY_PATH */))
TRY(try_tiocsti, ioctl(-1, TIOCSTI, ""))
TRY(try_tiocsti_garbage, syscall(SYS_ioctl, -1, HIGH_GARBAGE | TIOCSTI, ""))
TRY(try_tioclinux, ioctl(-1, TIOCLINUX, ""))
TRY(try_tiocsetd_garbage, syscall(SYS_ioctl, -1, HIGH_GARBAGE | TIOCSETD, ""))
TRY(try_tcgets, ioctl(-1, TCGETS, NULL))
TRY(try_unix, socket(AF_UNIX, SOCK_STREAM, 0))
TRY(try_inet, socket(AF_INET, SOCK_STREAM, 0))
TRY(try_route, socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE))
TRY(try_raw, socket(AF_INET, SOCK_RAW, IPPROTO_ICMP))
TRY(try_vsock, socket(AF_VSOCK, SOCK_STREAM, 0))
TRY(try_alg, socket(AF_ALG, SOCK_SEQPACKET, 0))
TRY(try_packet, socket(AF_PACKET, SOCK_RAW, 0))
TRY(try_netfilter, socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER))
TRY(try_personality_get, personality(0xffffffff))
TRY(try_personality_gdb, personality(ADDR_NO_RANDOMIZE))
TRY(try_personality_exotic, personality(MMAP_PAGE_ZERO))
TRY(try_sethostname, sethostname("x", 1))
TRY(try_trace_me, syscall(SYS_ptrace, 0 /* PTRACE_TRACEME */, 0, 0, 0))
TRY(try_bad_fd, syscall(SYS_fchdir, -1))

static int try_fork_and_thread_flags(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return errno;
	return status;
}

START_TEST(kernel_answers_as_promised)
{
	static const struct {
		const char *what;
		int (*try)(void);
		int error;
	} cases[] = {
	    {"getppid", try_getppid, 0},
	    {"fork", try_fork_and_thread_flags, 0},
	    {"unshare(CLONE_NEWUSER)", try_unshare_user, EPERM},
	    {"unshare(CLONE_FILES)", try_unshare_files, EPERM},
	    {"clone(CLONE_NEWUSER)", try_clone_user, EPERM},
	    {"clone(CLONE_NEWUSER) with garbage above", try_clone_user_garbage, EPERM},
	    {"clone(CLONE_NEWNET)", try_clone_net, EPERM},
	    {"clone3", try_clone3, ENOSYS},
	    {"mount", try_mount, EPERM},
	    {"setns", try_setns, EPERM},
	    {"bpf", try_bpf, EPERM},
	    {"keyctl", try_keyctl, EPERM},
	    {"io_uring_setup", try_io_uring, EPERM},
	    {"userfaultfd", try_userfaultfd, EPERM},
	    {"open_by_handle_at", try_open_by_handle, EPERM},
	    {"number 500", try_unknown, ENOSYS},
	    {"TIOCSTI", try_tiocsti, EPERM},
	    {"TIOCSTI with garbage above", try_tiocsti_garbage, EPERM},
	    {"TIOCLINUX", try_tioclinux, EPERM},
	    {"TIOCSETD with garbage above", try_tiocsetd_garbage, EPERM},
	    {"TCGETS", try_tcgets, EBADF},
	    {"AF_UNIX", try_unix, 0},
	    {"AF_INET", try_inet, 0},
	    {"NETLINK_ROUTE", try_route, 0},
	    {"AF_VSOCK", try_vsock, EAFNOSUPPORT},
	    {"AF_ALG", try_alg, EAFNOSUPPORT},
	    {"AF_PACKET", try_packet, EAFNOSUPPORT},
	    {"NETLINK_NETFILTER", try_netfilter, EPROTONOSUPPORT},
	    {"personality, asked", try_personality_get, 0},
	    {"personality, as gdb", try_personality_gdb, 0},
	    {"personality, exotic", try_personality_exotic, EPERM},
	    {"sethostname", try_sethostname, EPERM},
	    {"PTRACE_TRACEME", try_trace_me, 0},
	};
	_cleanup_close_ int fd = open_program(-1, false, &nothing, &nothing);

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		int error = error_of(fd, cases[i].try);

		ck_assert_msg(error == cases[i].error, "%s: %s, not %s", cases[i].what,
			      strerror(error), strerror(cases[i].error));
	}
}
END_TEST

/* A call younger than libseccomp, where the kernel has it, must not be hidden. */
START_TEST(kernel_lets_young_calls_through)
{
	_cleanup_close_ int fd = open_program(-1, false, &nothing, &nothing);

	ck_assert_int_eq(error_of(fd, try_fchmodat2), error_of(-1, try_fchmodat2));
}
END_TEST

#ifdef __x86_64__
static int try_int80(void)
{
	long result;

	/* getpid of i386 */
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
	return result == getpid() ? 0 : 1;
}

static int try_x32(void)
{
	(void)syscall(X32_CALL_BIT | SYS_getppid);
	return 0;
}

START_TEST(kernel_kills_other_conventions)
{
	_cleanup_close_ int fd = open_program(-1, false, &nothing, &nothing);
	int free_status = status_of(-1, try_int80);
	int status = status_of(fd, try_int80);

	/* Without IA32 emulation the instruction itself is fatal, before any filter. */
	if (WIFEXITED(free_status))
		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%#x", status);
	else
		ck_assert(WIFSIGNALED(status));

	status = status_of(fd, try_x32);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%#x", status);
}
END_TEST
#endif

/* ---- What a policy adds and takes away. ---- */

START_TEST(policy_adds_and_removes)
{
	_cleanup_close_ int fd =
	    open_program(-1, false, &NAMES("keyctl", "socket"), &NAMES("fchdir", "ptrace"));

	ck_assert_int_eq(error_of(-1, try_keyctl), error_of(fd, try_keyctl));
	ck_assert_int_eq(error_of(-1, try_netfilter), error_of(fd, try_netfilter));
	ck_assert_int_eq(error_of(-1, try_bad_fd), EBADF);
	ck_assert_int_eq(error_of(fd, try_bad_fd), EPERM);
	ck_assert_int_eq(error_of(fd, try_trace_me), EPERM);
	/* and leaves the rest as it was */
	ck_assert_int_eq(error_of(fd, try_mount), EPERM);
	ck_assert_int_eq(error_of(fd, try_clone3), ENOSYS);
}
END_TEST

static void assert_refused(const struct string_list *allow, const struct string_list *deny,
			   const char *part)
{
	struct failure why = {0};

	ck_assert_int_eq(seccomp_program_open(-1, true, allow, deny, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_POLICY);
	ck_assert_msg(strstr(why.text, part), "'%s' does not say '%s'", why.text, part);
}

START_TEST(policy_cannot_change_what_is_fixed)
{
	static const char *const never[] = {
	    "kexec_load", "init_module", "finit_module", "delete_module", "open_by_handle_at",
	    "reboot",     "bpf",         "mount",        "unshare",       "setns",
	    "clone",      "clone3",      "ioctl",        "swapon",
	};
	static const char *const always[] = {"setuid", "setresgid",    "setgroups", "capset",
					     "exit",   "rt_sigreturn", "clone",     "ioctl"};

	for (size_t i = 0; i < ARRAY_LENGTH(never); i++)
		assert_refused(&NAMES((char *)never[i]), &nothing, "a policy cannot allow");
	for (size_t i = 0; i < ARRAY_LENGTH(always); i++)
		assert_refused(&nothing, &NAMES((char *)always[i]), "a policy cannot deny");
	assert_refused(&NAMES("ptrace"), &NAMES("ptrace"), "both allows and denies");
}
END_TEST

START_TEST(policy_with_unknown_names_gets_a_hint)
{
	struct failure why = {0};

	assert_refused(&NAMES("kectl"), &nothing, "did you mean 'keyctl'?");
	assert_refused(&nothing, &NAMES("ptrase"), "did you mean 'ptrace'?");
	assert_refused(&nothing, &NAMES("launch_the_rocket"), "see syscalls(2)");
	assert_refused(&nothing, &NAMES(""), "no system call ''");

	ck_assert(seccomp_names_check(&NAMES("read", "fchmodat2", "socketcall"), &why));
	ck_assert(!seccomp_names_check(&NAMES("read", "opnat"), &why));
	ck_assert_int_eq(why.kind, FAILURE_POLICY);
	ck_assert_msg(strstr(why.text, "did you mean 'openat'?"), "%s", why.text);
}
END_TEST

START_TEST(policy_may_name_calls_of_other_architectures)
{
	_cleanup_close_ int fd = open_program(-1, false, &NAMES("chown32"), &NAMES("socketcall"));

	ck_assert_int_eq(error_of(fd, try_getppid), 0);
}
END_TEST

/* ---- The memfd and the cache. ---- */

START_TEST(program_is_sealed)
{
	_cleanup_close_ int fd = open_program(-1, false, &nothing, &nothing);
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	ck_assert_int_eq(fcntl(fd, F_GET_SEALS) & seals, seals);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
}
END_TEST

/* The tests of the cache work in a directory of their own; its only file is the program's. */
struct cache {
	char path[64];
	int dir;
};

static struct cache make_cache(void)
{
	struct cache cache = {.path = "/tmp/carrel-test-seccomp-XXXXXX"};

	ck_assert_ptr_nonnull(mkdtemp(cache.path));
	cache.dir = open(cache.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(cache.dir, 0);
	return cache;
}

/* The name of the one file in the cache, and that it is the only one. */
static char *only_file(const struct cache *cache)
{
	_cleanup_closedir_ DIR *dir = opendir(cache->path);
	struct dirent *entry;
	char *name = NULL;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' && strchr("..", entry->d_name[1]))
			continue;
		ck_assert_msg(!name, "both '%s' and '%s' are in the cache", name, entry->d_name);
		name = strdup(entry->d_name);
	}
	ck_assert_msg(name, "nothing was kept");
	return name;
}

static void remove_cache(struct cache *cache)
{
	_cleanup_closedir_ DIR *dir = opendir(cache->path);
	struct dirent *entry;

	while ((entry = readdir(dir)))
		(void)unlinkat(cache->dir, entry->d_name, 0);
	(void)close(cache->dir);
	ck_assert_int_eq(rmdir(cache->path), 0);
}

static void assert_same_program(int a, int b)
{
	char left[sizeof(struct seccomp_program)], right[sizeof(left)];
	ssize_t length = pread(a, left, sizeof(left), 0);

	ck_assert_int_gt(length, 0);
	ck_assert_int_eq(pread(b, right, sizeof(right), 0), length);
	ck_assert_mem_eq(left, right, (size_t)length);
}

static ino_t inode_of(const struct cache *cache, const char *name)
{
	struct stat status;

	ck_assert_int_eq(fstatat(cache->dir, name, &status, AT_SYMLINK_NOFOLLOW), 0);
	return status.st_ino;
}

START_TEST(cache_keeps_a_program_and_gives_it_back)
{
	struct cache cache = make_cache();
	_cleanup_close_ int compiled = open_program(-1, false, &nothing, &NAMES("ptrace"));
	_cleanup_close_ int stored = open_program(cache.dir, false, &nothing, &NAMES("ptrace"));
	_cleanup_free_ char *name = only_file(&cache);
	ino_t before = inode_of(&cache, name);
	_cleanup_close_ int kept = open_program(cache.dir, false, &nothing, &NAMES("ptrace"));

	ck_assert_uint_eq(inode_of(&cache, name), before);
	assert_same_program(compiled, stored);
	assert_same_program(compiled, kept);
	ck_assert_int_eq(error_of(kept, try_trace_me), EPERM);
	remove_cache(&cache);
}
END_TEST

/* A program of its own for each set of rules: nobody gets what another policy allows. */
START_TEST(cache_tells_rules_apart)
{
	const struct string_list keyctl = NAMES("keyctl");
	struct cache cache = make_cache();
	_cleanup_close_ int plain = open_program(cache.dir, false, &nothing, &nothing);
	_cleanup_close_ int root = open_program(cache.dir, true, &nothing, &nothing);
	_cleanup_close_ int allowed = open_program(cache.dir, false, &keyctl, &nothing);
	_cleanup_close_ int denied = open_program(cache.dir, false, &nothing, &keyctl);
	_cleanup_close_ int again = open_program(cache.dir, false, &nothing, &nothing);

	ck_assert_int_eq(error_of(plain, try_raw), EPERM);
	ck_assert_int_eq(error_of(root, try_raw), error_of(-1, try_raw));
	ck_assert_int_eq(error_of(allowed, try_keyctl), error_of(-1, try_keyctl));
	ck_assert_int_eq(error_of(denied, try_keyctl), EPERM);
	ck_assert_int_eq(error_of(again, try_keyctl), EPERM);
	assert_same_program(plain, again);
	remove_cache(&cache);
}
END_TEST

/* What makes a kept file another one than we wrote. `size` is that of the file. */
static void flip_byte(int fd, off_t position)
{
	unsigned char byte;

	ck_assert_int_eq(pread(fd, &byte, 1, position), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(fd, &byte, 1, position), 1);
}

static void spoil_magic(int fd, off_t size)
{
	(void)size;
	flip_byte(fd, 0);
}

static void spoil_key(int fd, off_t size)
{
	(void)size;
	flip_byte(fd, 40);
}

static void spoil_last_instruction(int fd, off_t size)
{
	flip_byte(fd, size - 1);
}

static void cut_short(int fd, off_t size)
{
	ck_assert_int_eq(ftruncate(fd, size - 8), 0);
}

static void empty(int fd, off_t size)
{
	(void)size;
	ck_assert_int_eq(ftruncate(fd, 0), 0);
}

static void append(int fd, off_t size)
{
	ck_assert_int_eq(pwrite(fd, "12345678", 8, size), 8);
}

static void open_to_group(int fd, off_t size)
{
	(void)size;
	ck_assert_int_eq(fchmod(fd, 0620), 0);
}

START_TEST(cache_is_rebuilt_when_it_is_not_as_written)
{
	static void (*const spoils[])(int fd, off_t size) = {
	    spoil_magic, spoil_key, spoil_last_instruction, cut_short, empty, append, open_to_group,
	};
	struct cache cache = make_cache();
	_cleanup_close_ int good = open_program(cache.dir, false, &nothing, &nothing);
	_cleanup_free_ char *name = only_file(&cache);
	_cleanup_close_ int file = openat(cache.dir, name, O_RDWR | O_CLOEXEC);
	_cleanup_close_ int rebuilt = -1, kept = -1;
	struct stat status;
	ino_t before;

	ck_assert_int_eq(fstat(file, &status), 0);
	spoils[_i](file, status.st_size);

	rebuilt = open_program(cache.dir, false, &nothing, &nothing);
	assert_same_program(good, rebuilt);
	before = inode_of(&cache, name);
	ck_assert_uint_ne(before, status.st_ino);
	kept = open_program(cache.dir, false, &nothing, &nothing);
	ck_assert_uint_eq(inode_of(&cache, name), before);
	assert_same_program(good, kept);
	remove_cache(&cache);
}
END_TEST

/* A link to a good program elsewhere, a second name of one, a FIFO that nobody writes to. */
START_TEST(cache_follows_no_link_and_waits_for_nobody)
{
	struct cache cache = make_cache();
	_cleanup_close_ int good = open_program(cache.dir, false, &nothing, &nothing);
	_cleanup_free_ char *name = only_file(&cache);
	_cleanup_close_ int after = -1;
	struct stat status;

	ck_assert_int_eq(renameat(cache.dir, name, cache.dir, "elsewhere"), 0);
	if (_i == 0)
		ck_assert_int_eq(symlinkat("elsewhere", cache.dir, name), 0);
	else if (_i == 1)
		ck_assert_int_eq(linkat(cache.dir, "elsewhere", cache.dir, name, 0), 0);
	else
		ck_assert_int_eq(mkfifoat(cache.dir, name, 0600), 0);

	after = open_program(cache.dir, false, &nothing, &nothing);
	assert_same_program(good, after);
	ck_assert_int_eq(fstatat(cache.dir, name, &status, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISREG(status.st_mode));
	ck_assert_uint_ne(status.st_ino, inode_of(&cache, "elsewhere"));
	remove_cache(&cache);
}
END_TEST

START_TEST(cache_that_cannot_keep_anything_refuses_nobody)
{
	struct cache cache = make_cache();
	_cleanup_close_ int good = open_program(-1, false, &nothing, &nothing);
	_cleanup_close_ int gone = -1;

	ck_assert_int_eq(rmdir(cache.path), 0);
	gone = open_program(cache.dir, false, &nothing, &nothing);
	assert_same_program(good, gone);
	(void)close(cache.dir);
}
END_TEST

/* Refused rules must not come out of the cache, nor make another set's key by a line break. */
START_TEST(cache_keeps_no_refused_rules)
{
	struct cache cache = make_cache();
	struct failure why = {0};
	_cleanup_close_ int good =
	    open_program(cache.dir, false, &NAMES("keyctl", "add_key"), &nothing);

	ck_assert_int_ge(good, 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(
		    seccomp_program_open(cache.dir, false, &NAMES("reboot"), &nothing, &why), -1);
		ck_assert_int_eq(seccomp_program_open(cache.dir, false,
						      &NAMES("keyctl\nallow add_key"), &nothing,
						      &why),
				 -1);
	}
	free(only_file(&cache));
	remove_cache(&cache);
}
END_TEST

Suite *seccomp_suite(void)
{
	Suite *suite = suite_create("seccomp");
	TCase *kernel = tcase_create("kernel");
	TCase *policy = tcase_create("policy");
	TCase *cache = tcase_create("cache");

	tcase_add_test(kernel, kernel_answers_as_promised);
	tcase_add_test(kernel, kernel_lets_young_calls_through);
#ifdef __x86_64__
	tcase_add_test(kernel, kernel_kills_other_conventions);
#endif
	suite_add_tcase(suite, kernel);

	tcase_add_test(policy, policy_adds_and_removes);
	tcase_add_test(policy, policy_cannot_change_what_is_fixed);
	tcase_add_test(policy, policy_with_unknown_names_gets_a_hint);
	tcase_add_test(policy, policy_may_name_calls_of_other_architectures);
	suite_add_tcase(suite, policy);

	tcase_add_test(cache, program_is_sealed);
	tcase_add_test(cache, cache_keeps_a_program_and_gives_it_back);
	tcase_add_test(cache, cache_tells_rules_apart);
	tcase_add_loop_test(cache, cache_is_rebuilt_when_it_is_not_as_written, 0, 7);
	tcase_add_loop_test(cache, cache_follows_no_link_and_waits_for_nobody, 0, 3);
	tcase_add_test(cache, cache_that_cannot_keep_anything_refuses_nobody);
	tcase_add_test(cache, cache_keeps_no_refused_rules);
	suite_add_tcase(suite, cache);
	return suite;
}

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
	    {"AF_INET, raw", try_raw, EPERM},
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

Suite *seccomp_suite(void)
{
	Suite *suite = suite_create("seccomp");
	TCase *kernel = tcase_create("kernel");
	TCase *policy = tcase_create("policy");
	TCase *foreign = tcase_create("foreign");

	tcase_add_test(kernel, kernel_lets_young_calls_through);
	tcase_add_test(kernel, program_is_sealed);
	suite_add_tcase(suite, kernel);

	/* What valgrind answers in the kernel's place: tests/memcheck leaves them out. */
	tcase_set_tags(foreign, "foreign");
	tcase_add_test(foreign, kernel_answers_as_promised);
#ifdef __x86_64__
	tcase_add_test(foreign, kernel_kills_other_conventions);
#endif
	suite_add_tcase(suite, foreign);

	tcase_add_test(policy, policy_adds_and_removes);
	tcase_add_test(policy, policy_cannot_change_what_is_fixed);
	tcase_add_test(policy, policy_with_unknown_names_gets_a_hint);
	tcase_add_test(policy, policy_may_name_calls_of_other_architectures);
	suite_add_tcase(suite, policy);
	return suite;
}

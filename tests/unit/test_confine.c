/* tests/unit/test_confine.c - what containers and the helper itself may have. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/seccomp/arch.h"
#include "helper/seccomp/seccomp_profile.h"
#include "tests/unit/suites.h"

#define BIT(capability) (UINT64_C(1) << (capability))

START_TEST(containers_without_root_have_no_capability)
{
	ck_assert_uint_eq(capability_bounding_set(false), 0);
}
END_TEST

START_TEST(containers_with_root_have_a_small_set)
{
	const uint64_t set = capability_bounding_set(true);
	const uint64_t needed = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_SETUID) |
				BIT(CAP_SETGID) | BIT(CAP_KILL) | BIT(CAP_SYS_CHROOT);
	const uint64_t never = BIT(CAP_SYS_ADMIN) | BIT(CAP_NET_ADMIN) | BIT(CAP_SYS_PTRACE) |
			       BIT(CAP_SYS_MODULE) | BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_BOOT) |
			       BIT(CAP_SYS_TIME) | BIT(CAP_SYS_RESOURCE) | BIT(CAP_SYS_NICE) |
			       BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_BPF) | BIT(CAP_PERFMON) |
			       BIT(CAP_SYSLOG) | BIT(CAP_MAC_ADMIN) | BIT(CAP_MAC_OVERRIDE);

	ck_assert_uint_eq(set & needed, needed);
	ck_assert_uint_eq(set & never, 0);
	ck_assert_uint_lt(set, BIT(CAP_LAST_CAP) << 1);
}
END_TEST

/* The masks of /proc/PID/status. */
struct status {
	uint64_t permitted, effective, inheritable, ambient, bounding;
	unsigned no_new_privs, seccomp;
};

static bool read_status(FILE *file, struct status *status)
{
	char line[256];
	unsigned seen = 0;

	memset(status, 0, sizeof(*status));
	while (fgets(line, sizeof(line), file)) {
		seen += sscanf(line, "CapPrm: %lx", &status->permitted) == 1;
		seen += sscanf(line, "CapEff: %lx", &status->effective) == 1;
		seen += sscanf(line, "CapInh: %lx", &status->inheritable) == 1;
		seen += sscanf(line, "CapAmb: %lx", &status->ambient) == 1;
		seen += sscanf(line, "CapBnd: %lx", &status->bounding) == 1;
		seen += sscanf(line, "NoNewPrivs: %u", &status->no_new_privs) == 1;
		seen += sscanf(line, "Seccomp: %u", &status->seccomp) == 1;
	}
	return seen == 7;
}

static struct status own_status(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/status", "re");
	struct status status;

	if (!file || !read_status(file, &status))
		_exit(200);
	return status;
}

/* A login service may have been started with everything that programs can inherit. */
static void raise_ambient_set(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) != 0)
		_exit(202);
	for (size_t i = 0; i < ARRAY_LENGTH(data); i++)
		data[i].inheritable = data[i].permitted;
	if (syscall(SYS_capset, &header, data) != 0)
		_exit(203);
	for (unsigned i = 0; i <= CAP_LAST_CAP; i++)
		if (data[i / 32].permitted >> i % 32 & 1 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) != 0)
			_exit(204);
}

/* The exit status of a child that confines itself as the helper does and then tries something. */
static int confined(int (*try)(const struct status *before))
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct status before = own_status();
		struct failure why = {0};

		raise_ambient_set();
		if (!helper_confine(&why)) {
			(void)fprintf(stderr, "%s\n", why.text);
			_exit(201);
		}
		_exit(try(&before));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		return 1000 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

static const uint64_t kept = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) |
			     BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_KILL) |
			     BIT(CAP_NET_ADMIN) | BIT(CAP_SETGID) | BIT(CAP_SETUID) |
			     BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_CHROOT) | BIT(CAP_SYS_NICE) |
			     BIT(CAP_SYS_PTRACE) | BIT(CAP_SYS_RESOURCE) | BIT(CAP_AUDIT_WRITE);

static int compare_status(const struct status *before, const struct status *now)
{
	if (now->permitted != (before->permitted & kept))
		return 1;
	if (now->effective != now->permitted)
		return 2;
	if (now->bounding != (before->bounding & kept))
		return 3;
	if (now->inheritable != 0 || now->ambient != 0)
		return 4;
	if (now->no_new_privs != 1 || now->seccomp != 2)
		return 5;
	return 0;
}

static int try_capabilities(const struct status *before)
{
	struct status now = own_status();

	return compare_status(before, &now);
}

/* carrel-init and mkfs are started by the helper: root's exec must neither add nor take away. */
static int try_exec(const struct status *before)
{
	_cleanup_fclose_ FILE *from = NULL;
	struct status now;
	int ends[2];
	pid_t child;

	if (pipe(ends) != 0)
		return 10;
	child = fork();
	if (child == 0) {
		if (dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO)
			(void)execl("/bin/cat", "cat", "/proc/self/status", (char *)NULL);
		_exit(1);
	}
	(void)close(ends[1]);
	from = fdopen(ends[0], "r");
	if (!from || !read_status(from, &now))
		return 11;
	return compare_status(before, &now);
}

static int try_refused_calls(const struct status *before)
{
	static const long calls[] = {
	    SYS_ptrace,
	    SYS_process_vm_readv,
	    SYS_process_vm_writev,
	    SYS_kexec_load,
	    SYS_init_module,
	    SYS_finit_module,
	    SYS_delete_module,
	    SYS_bpf,
	    SYS_perf_event_open,
	    SYS_userfaultfd,
	    SYS_io_uring_setup,
	    SYS_io_uring_enter,
	    SYS_io_uring_register,
	    SYS_keyctl,
	    SYS_swapon,
	    SYS_reboot,
	    SYS_acct,
	    SYS_settimeofday,
	    SYS_clock_settime,
	    SYS_open_by_handle_at,
	};

	(void)before;
	for (size_t i = 0; i < ARRAY_LENGTH(calls); i++)
		if (syscall(calls[i], -1L, -1L, -1L, -1L, -1L, -1L) != -1 || errno != EPERM)
			return (int)i + 1;
	return 0;
}

/* What building a container takes reaches the kernel, which dislikes the arguments. */
static int try_needed_calls(const struct status *before)
{
	static const long calls[] = {
	    SYS_mount,   SYS_open_tree, SYS_move_mount, SYS_mount_setattr, SYS_fsopen,    SYS_setns,
	    SYS_unshare, SYS_quotactl,  SYS_pivot_root, SYS_pidfd_open,    SYS_prlimit64,
	};

	(void)before;
	for (size_t i = 0; i < ARRAY_LENGTH(calls); i++)
		if (syscall(calls[i], -1L, -1L, -1L, -1L, -1L, -1L) != -1 || errno == EPERM)
			return (int)i + 1;
	return 0;
}

static int try_twice(const struct status *before)
{
	struct failure why = {0};

	if (!helper_confine(&why))
		return 20;
	return try_capabilities(before);
}

#ifdef X32_CALL_BIT
static int try_x32(const struct status *before)
{
	(void)before;
	(void)syscall(X32_CALL_BIT | SYS_getppid);
	return 0;
}
#endif

START_TEST(helper_confines_itself)
{
	struct failure why = {0};

	if (geteuid() != 0) {
		/* Without CAP_SETPCAP nothing can be taken out of the bounding set: it must say so.
		 */
		ck_assert(!helper_confine(&why));
		ck_assert_int_eq(why.kind, FAILURE_SYSTEM);
		ck_assert_int_eq(why.error, EPERM);
		return;
	}
	ck_assert_int_eq(confined(try_capabilities), 0);
	ck_assert_int_eq(confined(try_exec), 0);
	ck_assert_int_eq(confined(try_refused_calls), 0);
	ck_assert_int_eq(confined(try_needed_calls), 0);
	ck_assert_int_eq(confined(try_twice), 0);
#ifdef X32_CALL_BIT
	ck_assert_int_eq(confined(try_x32), 1000 + SIGSYS);
#endif
}
END_TEST

Suite *confine_suite(void)
{
	Suite *suite = suite_create("confine");
	TCase *containers = tcase_create("containers");
	TCase *helper = tcase_create("helper");

	tcase_add_test(containers, containers_without_root_have_no_capability);
	tcase_add_test(containers, containers_with_root_have_a_small_set);
	suite_add_tcase(suite, containers);

	tcase_set_tags(helper, "foreign"); /* as in test_seccomp.c */
	tcase_add_test(helper, helper_confines_itself);
	suite_add_tcase(suite, helper);
	return suite;
}

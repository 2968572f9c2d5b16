/* Attempts to get at the kernel: calls that containers do not have. */
#define _GNU_SOURCE
#include "attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static void new_namespaces(void)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} kinds[] = {{"user", CLONE_NEWUSER},    {"mnt", CLONE_NEWNS},  {"pid", CLONE_NEWPID},
		     {"net", CLONE_NEWNET},      {"uts", CLONE_NEWUTS}, {"ipc", CLONE_NEWIPC},
		     {"cgroup", CLONE_NEWCGROUP}};
	char name[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		(void)snprintf(name, sizeof(name), "clone-%s", kinds[i].name);
		long pid = syscall(SYS_clone, kinds[i].flag | SIGCHLD, 0, 0, 0, 0);
		if (pid == 0)
			_exit(0);
		tell(name, pid);
		/* The upper half of the register is not looked at by the kernel. */
		pid = syscall(SYS_clone, kinds[i].flag | SIGCHLD | 1ul << 40, 0, 0, 0, 0);
		if (pid == 0)
			_exit(0);
		(void)snprintf(name, sizeof(name), "clone-wide-%s", kinds[i].name);
		tell(name, pid);
		(void)snprintf(name, sizeof(name), "unshare-%s", kinds[i].name);
		tell(name, syscall(SYS_unshare, kinds[i].flag));
		char path[64];
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i].name);
		int descriptor = open(path, O_RDONLY | O_CLOEXEC);
		(void)snprintf(name, sizeof(name), "setns-%s", kinds[i].name);
		tell(name, syscall(SYS_setns, descriptor, 0));
	}
	unsigned long clone_arguments[11] = {CLONE_NEWUSER, [4] = SIGCHLD};
	tell("clone3", syscall(SYS_clone3, clone_arguments, sizeof(clone_arguments)));
}

static void mounts(void)
{
	tell("mount-proc", mount("x", "/proc", "tmpfs", 0, ""));
	tell("mount-new-proc", mount("proc", "/mnt", "proc", 0, ""));
	tell("mount-cgroup", mount("x", "/mnt", "cgroup", 0, "rdma"));
	tell("mount-remount", mount("x", "/", NULL, MS_REMOUNT | MS_BIND, ""));
	tell("umount-masks", umount2("/proc/sys", MNT_DETACH));
	tell("umount-proc", umount2("/proc", MNT_DETACH));
	tell("umount-root", umount2("/", MNT_DETACH));
	tell("pivot_root", syscall(SYS_pivot_root, ".", "."));
	tell("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
	tell("move_mount", syscall(SYS_move_mount, AT_FDCWD, "/proc", AT_FDCWD, "/mnt", 0));
	tell("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
	tell("fspick", syscall(SYS_fspick, AT_FDCWD, "/", 0));
	tell("mount_setattr", syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, "", 0));
}

static void subsystems(void)
{
	char buffer[256] = {0};

	tell("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, buffer, O_RDONLY));
	tell("name_to_handle_at", syscall(SYS_name_to_handle_at, AT_FDCWD, "/", buffer, buffer, 0));
	tell("bpf", syscall(SYS_bpf, 0, buffer, sizeof(buffer)));
	tell("perf_event_open", syscall(SYS_perf_event_open, buffer, 0, -1, -1, 0));
	tell("userfaultfd", syscall(SYS_userfaultfd, 1));
	tell("io_uring_setup", syscall(SYS_io_uring_setup, 8, buffer));
	tell("keyctl", syscall(SYS_keyctl, 0, -3, 0));
	tell("add_key", syscall(SYS_add_key, "user", "k", "v", 1, -3));
	tell("request_key", syscall(SYS_request_key, "user", "k", NULL, -3));
	tell("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	tell("finit_module", syscall(SYS_finit_module, 0, "", 0));
	tell("reboot", syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL));
	tell("swapon", syscall(SYS_swapon, "/tmp", 0));
	tell("acct", syscall(SYS_acct, "/tmp/acct"));
	tell("syslog", syscall(SYS_syslog, 3, buffer, sizeof(buffer)));
	tell("iopl", syscall(SYS_iopl, 3));
	tell("ioperm", syscall(SYS_ioperm, 0x70, 1, 1));
	tell("clock_settime", syscall(SYS_clock_settime, 0, buffer));
	tell("modify_ldt", syscall(SYS_modify_ldt, 0, buffer, sizeof(buffer)));
	tell("fanotify_init", syscall(SYS_fanotify_init, 0, 0));
	tell("sethostname", syscall(SYS_sethostname, "x", 1));
	tell("vhangup", syscall(SYS_vhangup));
	tell("mknod-disk", mknod("d", S_IFBLK | 0600, makedev(8, 0)));
	tell("mknod-memory", mknod("m", S_IFCHR | 0600, makedev(1, 1)));
	tell("mknod-null", mknod("n", S_IFCHR | 0600, makedev(1, 3)));
}

static void privileges(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{~0u, ~0u, ~0u}, {0x1ff, 0x1ff, 0x1ff}};
	struct rlimit limit;

	tell("capset", syscall(SYS_capset, &header, data));
	tell("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
	tell("seccomp-off", prctl(PR_SET_SECCOMP, 0, 0, 0, 0));
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_max += 1;
	tell("rlimit-nofile", setrlimit(RLIMIT_NOFILE, &limit));
	getrlimit(RLIMIT_NPROC, &limit);
	limit.rlim_max += 1;
	tell("rlimit-nproc", setrlimit(RLIMIT_NPROC, &limit));
	limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
	tell("rlimit-core", setrlimit(RLIMIT_CORE, &limit));
}

static int calls(char **arguments)
{
	(void)arguments;
	new_namespaces();
	mounts();
	subsystems();
	privileges();
	return 0;
}

static int sockets(char **arguments)
{
	static const struct {
		const char *name;
		int family, type, protocol;
	} kinds[] = {{"vsock", 40, SOCK_STREAM, 0},   {"alg", 38, SOCK_SEQPACKET, 0},
		     {"packet", 17, SOCK_RAW, 0x300}, {"old-packet", 2, 10, 0x300},
		     {"bluetooth", 31, SOCK_RAW, 1},  {"tipc", 30, SOCK_DGRAM, 0},
		     {"xdp", 44, SOCK_RAW, 0},        {"can", 29, SOCK_RAW, 1},
		     {"rds", 21, SOCK_SEQPACKET, 0},  {"key", 15, SOCK_RAW, 2},
		     {"sctp", 2, SOCK_STREAM, 132},   {"generic-netlink", 16, SOCK_RAW, 16},
		     {"netfilter", 16, SOCK_RAW, 12}, {"xfrm", 16, SOCK_RAW, 6},
		     {"raw", 2, SOCK_RAW, 1},         {"route", 16, SOCK_RAW, 0}};

	(void)arguments;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		tell_descriptor(kinds[i].name,
				socket(kinds[i].family, kinds[i].type, kinds[i].protocol));
	/* The kernel looks at 32 bits of the family. */
	tell_descriptor("vsock-wide", (int)syscall(SYS_socket, 40 | 1ul << 32, SOCK_STREAM, 0));
	return 0;
}

/* On a descriptor that is no terminal the kernel would say ENOTTY: EPERM is the filter's. */
/* Argument: the terminal, a path or - for the input; without one a pipe takes its place. */
static int terminals(char **arguments)
{
	static const struct {
		const char *name;
		unsigned long request;
	} requests[] = {{"TIOCSTI", TIOCSTI},
			{"TIOCLINUX", TIOCLINUX},
			{"TIOCCONS", TIOCCONS},
			{"TIOCSETD", TIOCSETD},
			{"TCGETS", TCGETS}};
	char name[32], byte[64] = "x"; /* TCGETS fills a struct termios */
	int pipe_ends[2];

	if (pipe(pipe_ends) < 0)
		return 1;
	if (arguments[0]) {
		pipe_ends[0] =
		    strcmp(arguments[0], "-") == 0 ? 0 : open(arguments[0], O_RDWR | O_NOCTTY);
		if (pipe_ends[0] < 0) {
			tell("open", -1);
			return 0;
		}
	}
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		tell(requests[i].name, syscall(SYS_ioctl, pipe_ends[0], requests[i].request, byte));
		(void)snprintf(name, sizeof(name), "%s-wide", requests[i].name);
		tell(name, syscall(SYS_ioctl, pipe_ends[0], requests[i].request | 1ul << 32, byte));
		(void)snprintf(name, sizeof(name), "%s-widest", requests[i].name);
		tell(name, syscall(SYS_ioctl, pipe_ends[0], requests[i].request | 1ul << 63, byte));
	}
	return 0;
}

static void tell_end(const char *what, pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("%s SIG%s\n", what, sigabbrev_np(WTERMSIG(status)));
	else
		printf("%s exit-%d\n", what, WEXITSTATUS(status));
	(void)fflush(stdout);
}

static void other_call_tables(void)
{
#ifdef __x86_64__
	pid_t pid = fork();
	if (pid == 0) {
		syscall(0x40000000 | SYS_getpid);
		_exit(0);
	}
	tell_end("x32", pid);
	pid = fork();
	if (pid == 0) {
		long result = 20; /* getpid of i386 */
		__asm__ volatile("int $0x80" : "+a"(result) : : "memory");
		_exit(0);
	}
	tell_end("i386", pid);
#endif
}

/* A tracer changes an allowed call into a refused one after the filter has looked at it. */
static void change_call_as_tracer(void)
{
#ifdef __x86_64__
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		(void)raise(SIGSTOP);
		_exit(syscall(SYS_getppid, 1, 2) == -1 ? errno : 0);
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (;;) {
		struct user_regs_struct registers;
		if (ptrace(PTRACE_SYSCALL, pid, 0, 0) < 0 || waitpid(pid, &status, 0) < 0 ||
		    !WIFSTOPPED(status))
			break;
		ptrace(PTRACE_GETREGS, pid, 0, &registers);
		if (registers.orig_rax != SYS_getppid || (long)registers.rax != -ENOSYS)
			continue;
		registers.orig_rax = SYS_unshare;
		registers.rdi = CLONE_NEWUSER;
		ptrace(PTRACE_SETREGS, pid, 0, &registers);
	}
	errno = WEXITSTATUS(status);
	tell("changed-to-unshare", WIFEXITED(status) && errno ? -1 : 0);
#endif
}

static int tables(char **arguments)
{
	(void)arguments;
	other_call_tables();
	change_call_as_tracer();
	return 0;
}

const struct attempt kernel_attempts[] = {
    {"calls", calls},   {"sockets", sockets}, {"terminals", terminals},
    {"tables", tables}, {NULL, NULL},
};

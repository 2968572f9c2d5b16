/* tests/memcheck/bridge.c - system calls that valgrind does not know, made past it. */
#include <dlfcn.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/loop.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <valgrind/memcheck.h>

/*
 * Loaded before the C library into carrel-helper, carrel-init and carrel-watch when they run under
 * memcheck. Valgrind 3.19 answers pidfd_open, openat2 and all of the new mount calls with ENOSYS,
 * of clone it knows what threads and fork need. It can let a function run on the real processor
 * (VALGRIND_NON_SIMD_CALL): so these calls reach the kernel, and everything around them is watched.
 * What a call reads of a struct is looked at here. Of two that valgrind knows it does not know what
 * they write.
 */
#define LOG_FD 9 /* as tests/login/memcheck.py opens it */

#define API __attribute__((visibility("default")))

struct call {
	long number, arguments[6];
};

/* On the real processor, without the thread-local storage of the program: no errno, no canary. */
__attribute__((optimize("no-stack-protector"))) static long make(uintptr_t thread, uintptr_t where)
{
	const struct call *call = (const struct call *)where;
	register long fourth __asm__("r10");
	register long fifth __asm__("r8");
	register long sixth __asm__("r9");
	long result = call->number;

	(void)thread;
	fourth = call->arguments[3];
	fifth = call->arguments[4];
	sixth = call->arguments[5];
	__asm__ volatile("syscall"
			 : "+a"(result)
			 : "D"(call->arguments[0]), "S"(call->arguments[1]),
			   "d"(call->arguments[2]), "r"(fourth), "r"(fifth), "r"(sixth)
			 : "rcx", "r11", "memory");
	return result;
}

/* The launcher of valgrind has this library, too. */
static long pass(struct call call)
{
	long result = RUNNING_ON_VALGRIND ? (long)VALGRIND_NON_SIMD_CALL1(make, &call)
					  : make(0, (uintptr_t)&call);

	if (result < 0 && result >= -4095) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

#define PASS(name, ...) pass((struct call){SYS_##name, {__VA_ARGS__}})

/* ---- by the names of the C library ------------------------------------------------------------
 */

API int fsopen(const char *type, unsigned flags)
{
	return (int)PASS(fsopen, (long)type, flags);
}

API int fsconfig(int fd, unsigned command, const char *key, const void *value, int more)
{
	if (command == FSCONFIG_SET_STRING)
		(void)VALGRIND_CHECK_MEM_IS_DEFINED(value, strlen(value) + 1);
	return (int)PASS(fsconfig, fd, command, (long)key, (long)value, more);
}

API int fsmount(int fd, unsigned flags, unsigned attributes)
{
	return (int)PASS(fsmount, fd, flags, attributes);
}

API int open_tree(int dir, const char *path, unsigned flags)
{
	return (int)PASS(open_tree, dir, (long)path, flags);
}

API int move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
	return (int)PASS(move_mount, from, (long)from_path, to, (long)to_path, flags);
}

API int mount_setattr(int dir, const char *path, unsigned flags, struct mount_attr *attributes,
		      size_t size)
{
	(void)VALGRIND_CHECK_MEM_IS_DEFINED(attributes, size);
	return (int)PASS(mount_setattr, dir, (long)path, flags, (long)attributes, (long)size);
}

API int pidfd_open(pid_t pid, unsigned flags)
{
	return (int)PASS(pidfd_open, pid, flags);
}

API int pidfd_send_signal(int fd, int signal, siginfo_t *info, unsigned flags)
{
	return (int)PASS(pidfd_send_signal, fd, signal, (long)info, flags);
}

/* ---- by their numbers -------------------------------------------------------------------------
 */

/*
 * carrel-init becomes two processes, of which the new one is PID 1: by fork, which valgrind has to
 * take part in. It is no sibling then (CLONE_PARENT), which shows only in that the old one ends.
 */
static long start(const struct clone_args *arguments)
{
	pid_t child;

	if (unshare((int)(arguments->flags & ~(uint64_t)(CLONE_PARENT | CLONE_PIDFD))) < 0)
		return -1;
	child = fork();
	if (child > 0)
		*(int *)arguments->pidfd = pidfd_open(child, 0);
	return child;
}

/*
 * Those that the kernel has had since 5.1, but for close_range, which must leave valgrind its own;
 * and those that tests call by number and with nonsense, to have them refused by a filter.
 */
static bool is_unknown(long number)
{
	return (number >= SYS_pidfd_send_signal && number != SYS_close_range) ||
	       number == SYS_bpf || number == SYS_userfaultfd;
}

API long syscall(long number, ...)
{
	static long (*of_libc)(long, long, long, long, long, long, long);
	struct call call = {.number = number};
	va_list list;
	long result;

	va_start(list, number);
	for (size_t i = 0; i < 6; i++)
		call.arguments[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_openat2)
		(void)VALGRIND_CHECK_MEM_IS_DEFINED(call.arguments[2], call.arguments[3]);
	if (number == SYS_clone3 && call.arguments[0])
		return start((const struct clone_args *)call.arguments[0]);
	if (is_unknown(number))
		return pass(call);
	if (!of_libc)
		of_libc = dlsym(RTLD_NEXT, "syscall");
	result = of_libc(number, call.arguments[0], call.arguments[1], call.arguments[2],
			 call.arguments[3], call.arguments[4], call.arguments[5]);
	if (number == SYS_capget && result == 0) /* of two structs valgrind knows one */
		(void)VALGRIND_MAKE_MEM_DEFINED(call.arguments[1],
						2 * sizeof(struct __user_cap_data_struct));
	return result;
}

API int ioctl(int fd, unsigned long request, ...)
{
	static int (*of_libc)(int, unsigned long, void *);
	va_list list;
	void *argument;
	int result;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	if (!of_libc)
		of_libc = dlsym(RTLD_NEXT, "ioctl");
	result = of_libc(fd, request, argument);
	if (request == LOOP_GET_STATUS64 && result == 0)
		(void)VALGRIND_MAKE_MEM_DEFINED(argument, sizeof(struct loop_info64));
	return result;
}

/* ---- the child that shares memory -------------------------------------------------------------
 */

/* As helper/container/birth.c has it: what the child that mounts /proc answers. */
struct proc_mount {
	int mount, error;
};

static void send_answer(int channel, const struct proc_mount *answer)
{
	struct iovec part = {(void *)answer, sizeof(*answer)};
	union {
		struct cmsghdr aligned;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.aligned = {.cmsg_len = CMSG_LEN(sizeof(int)),
				 .cmsg_level = SOL_SOCKET,
				 .cmsg_type = SCM_RIGHTS}};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (answer->mount >= 0) {
		memcpy(CMSG_DATA(&control.aligned), &answer->mount, sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	(void)sendmsg(channel, &message, 0);
}

static void receive_answer(int channel, struct proc_mount *answer)
{
	struct iovec part = {answer, sizeof(*answer)};
	union {
		struct cmsghdr aligned;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};

	if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) == (ssize_t)sizeof(*answer) &&
	    CMSG_FIRSTHDR(&message))
		memcpy(&answer->mount, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
}

/*
 * Valgrind knows no child that shares memory or descriptors without being a thread. One that Carrel
 * starts only executes a program, which a forked one can as well. The other opens a descriptor;
 * here a forked one sends it.
 */
API int clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
	int pair[2];
	pid_t child;

	(void)stack;
	if (flags == (CLONE_VM | SIGCHLD)) {
		child = fork();
		if (child == 0)
			_exit(function(argument));
		return child;
	}
	if (flags != (CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		errno = ENOSYS;
		return -1;
	}
	child = fork();
	if (child == 0) {
		(void)function(argument);
		send_answer(pair[1], argument);
		_exit(0);
	}
	(void)close(pair[1]);
	if (child > 0)
		receive_answer(pair[0], argument);
	(void)close(pair[0]);
	return child;
}

/*
 * Tests, and admins, look for processes by their names. The log's descriptor is valgrind's, which
 * has a copy where no program finds it.
 */
__attribute__((constructor)) static void be_the_program(void)
{
	(void)prctl(PR_SET_NAME, program_invocation_short_name);
	if (RUNNING_ON_VALGRIND)
		(void)close(LOG_FD);
}

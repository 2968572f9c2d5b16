/* helper/seccomp/table.c - which system calls a contained process may make, and why. */
#include "helper/seccomp/table.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/in.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include "base/cleanup.h"

const struct call_group call_groups[] = {
    /* What programs do all day. The kernel's own permissions decide. */
    {
	.subject = "files",
	.reason = "names, contents and attributes of files are what file permissions are for",
	.answer = CALL_ALLOW,
	.calls =
	    "access cachestat chdir chmod chown close close_range copy_file_range creat dup dup2 "
	    "dup3 faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 "
	    "fchown fchownat fcntl fdatasync flock fstat fstatfs fsync ftruncate futimesat getcwd "
	    "getdents getdents64 lchown link linkat listmount lseek lstat mkdir mkdirat "
	    "newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read "
	    "readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile splice "
	    "stat statfs statmount statx symlink symlinkat sync sync_file_range syncfs tee "
	    "truncate umask unlink unlinkat utime utimensat utimes vmsplice write writev",
    },
    {
	.subject = "nodes and roots",
	.reason = "FIFOs are made by mknod, and a user namespace cannot make devices; sshd's "
		  "ChrootDirectory needs chroot, which takes a capability that users do not have",
	.answer = CALL_ALLOW,
	.calls = "chroot mknod mknodat",
    },
    {
	.subject = "extended attributes",
	.reason = "tar, cp -a, rsync and the package managers keep them",
	.answer = CALL_ALLOW,
	.calls =
	    "fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr "
	    "listxattrat llistxattr lremovexattr lsetxattr removexattr removexattrat setxattr "
	    "setxattrat",
    },
    {
	.subject = "waiting for files and events",
	.reason = "every event loop; io_submit is what databases use",
	.answer = CALL_ALLOW,
	.calls =
	    "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd "
	    "eventfd2 inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel "
	    "io_destroy io_getevents io_pgetevents io_setup io_submit poll ppoll pselect6 select "
	    "signalfd signalfd4 timerfd_create timerfd_gettime timerfd_settime",
    },
    {
	.subject = "memory",
	.reason = "a process may arrange its own; the cgroup limits how much",
	.answer = CALL_ALLOW,
	.calls = "brk madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock "
		 "mlock2 mlockall mmap mprotect mremap mseal msync munlock munlockall munmap "
		 "pkey_alloc pkey_free pkey_mprotect remap_file_pages riscv_flush_icache",
    },
    {
	.subject = "memory on many nodes",
	.reason =
	    "libnuma, hwloc, MPI and java place their own pages on the nodes of a large machine; "
	    "the cpuset still limits them",
	.answer = CALL_ALLOW,
	.calls = "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
    },
    {
	.subject = "processes and threads",
	.reason = "starting, finding, waiting and synchronising",
	.answer = CALL_ALLOW,
	.calls =
	    "arch_prctl execve execveat fork futex futex_requeue futex_wait futex_waitv "
	    "futex_wake get_robust_list getcpu getpgid getpgrp getpid getppid getrandom getrlimit "
	    "getrusage getsid gettid pidfd_open prctl prlimit64 rseq set_robust_list "
	    "set_tid_address setpgid setrlimit setsid sysinfo times uname vfork wait4 waitid",
    },
    {
	.subject = "signals",
	.reason = "only processes of the container can be named",
	.answer = CALL_ALLOW,
	.calls = "alarm kill pause pidfd_send_signal restart_syscall rt_sigaction rt_sigpending "
		 "rt_sigprocmask rt_sigqueueinfo rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo "
		 "sigaltstack tgkill tkill",
    },
    {
	.subject = "time",
	.reason = "reading clocks and waiting; setting them is below",
	.answer = CALL_ALLOW,
	.calls = "clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep "
		 "setitimer time timer_create timer_delete timer_getoverrun timer_gettime "
		 "timer_settime",
    },
    {
	.subject = "sockets",
	.reason = "what can be done with one; which can be made is checked",
	.answer = CALL_ALLOW,
	.calls = "accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom "
		 "recvmmsg recvmsg sendmmsg sendmsg sendto setsockopt shutdown",
    },
    {
	.subject = "talk between processes",
	.reason = "the container has an IPC namespace of its own",
	.answer = CALL_ALLOW,
	.calls =
	    "mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget "
	    "msgrcv msgsnd pipe pipe2 semctl semget semop semtimedop shmat shmctl shmdt shmget",
    },
    {
	.subject = "scheduling",
	.reason = "a user may be nicer; more takes a capability, and cgroups stand above",
	.answer = CALL_ALLOW,
	.calls = "getpriority ioprio_get ioprio_set sched_get_priority_max sched_get_priority_min "
		 "sched_getaffinity sched_getattr sched_getparam sched_getscheduler "
		 "sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam "
		 "sched_setscheduler sched_yield setpriority",
    },
    {
	.subject = "identity, asked",
	.reason = "asking changes nothing",
	.answer = CALL_ALLOW,
	.calls = "capget getegid geteuid getgid getgroups getresgid getresuid getuid",
    },
    {
	.subject = "debugging",
	.reason =
	    "gdb and strace; since Linux 4.8 a tracer cannot step around this list, and the user "
	    "namespace ends what it may trace. uprobe and uretprobe are run on behalf of a tracer "
	    "of the host's and do nothing when called by hand",
	.answer = CALL_ALLOW,
	.calls =
	    "kcmp pidfd_getfd process_madvise process_mrelease process_vm_readv process_vm_writev "
	    "ptrace uprobe uretprobe",
    },
    {
	.subject = "narrowing oneself",
	.reason = "programs that put themselves under more rules",
	.answer = CALL_ALLOW,
	.calls =
	    "landlock_add_rule landlock_create_ruleset landlock_restrict_self lsm_get_self_attr "
	    "lsm_list_modules lsm_set_self_attr seccomp",
    },

    /* A policy must not take these away. */
    {
	.subject = "identity, given up",
	.reason =
	    "login services give up the container's root by these: with one of them refused a "
	    "program that does not look at the result would go on as root",
	.answer = CALL_ALLOW,
	.fixed = true,
	.calls = "capset setfsgid setfsuid setgid setgroups setregid setresgid setresuid setreuid "
		 "setuid",
    },
    {
	.subject = "leaving",
	.reason = "a program that can neither end nor return from a signal only burns its CPU",
	.answer = CALL_ALLOW,
	.fixed = true,
	.calls = "exit exit_group rt_sigreturn",
    },

    /* Allowed for some arguments: see argument_rules. */
    {
	.subject = "sockets, made",
	.reason = "only the families that logins and their programs need",
	.answer = CALL_CHECK,
	.calls = "socket socketpair",
    },
    {
	.subject = "execution domains",
	.reason = "32-bit names and no randomisation for debuggers, nothing exotic",
	.answer = CALL_CHECK,
	.calls = "personality",
    },
    {
	.subject = "processes, made",
	.reason = "no new namespaces: its flags must stay checked",
	.answer = CALL_CHECK,
	.fixed = true,
	.calls = "clone",
    },
    {
	.subject = "devices, controlled",
	.reason = "it could type into the terminal that a container shares with the host, so its "
		  "commands must stay checked",
	.answer = CALL_CHECK,
	.fixed = true,
	.calls = "ioctl",
    },

    /* Refused, and no policy can change it. */
    {
	.subject = "mounts and namespaces",
	.reason =
	    "what a container sees is made by Carrel alone; with new user namespaces every user "
	    "would reach the parts of the kernel that are meant for root, where most local "
	    "exploits begin",
	.answer = CALL_REFUSE,
	.fixed = true,
	.calls = "fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree "
		 "open_tree_attr pivot_root setns umount umount2 unshare",
    },
    {
	.subject = "processes, made by pointer",
	.reason = "a filter cannot see its flags behind the pointer; without it libcs use clone",
	.answer = CALL_ABSENT,
	.fixed = true,
	.calls = "clone3",
    },
    {
	.subject = "kernel code",
	.reason = "replaces or extends the kernel of the whole machine",
	.answer = CALL_REFUSE,
	.fixed = true,
	.calls = "bpf delete_module finit_module init_module kexec_file_load kexec_load reboot",
    },
    {
	.subject = "the machine's hardware, clock, swap and accounting",
	.reason = "there is one of each for everybody",
	.answer = CALL_REFUSE,
	.fixed = true,
	.calls = "acct clock_settime ioperm iopl settimeofday swapoff swapon",
    },
    {
	.subject = "files by handle",
	.reason =
	    "opens any file of a file system whatever directory hides it (the 'shocker' escape)",
	.answer = CALL_REFUSE,
	.fixed = true,
	.calls = "open_by_handle_at",
    },

    /* Refused; a policy can allow them. */
    {
	.subject = "handles",
	.reason = "of no use without open_by_handle_at, and tells where files are on the host",
	.answer = CALL_REFUSE,
	.calls = "name_to_handle_at",
    },
    {
	.subject = "io_uring",
	.reason =
	    "does files and sockets without the calls that are checked here; most of the exploits "
	    "that Google's kernel bounty paid for in 2022 used it",
	.answer = CALL_REFUSE,
	.calls = "io_uring_enter io_uring_register io_uring_setup",
    },
    {
	.subject = "kernel keys",
	.reason = "counted per user of the host, and a recurring source of bugs",
	.answer = CALL_REFUSE,
	.calls = "add_key keyctl request_key",
    },
    {
	.subject = "tools of exploits",
	.reason = "holding the kernel still in the middle of a copy (userfaultfd), descriptors of "
		  "segments (modify_ldt), moving pages of others (move_pages)",
	.answer = CALL_REFUSE,
	.calls = "migrate_pages modify_ldt move_pages userfaultfd",
    },
    {
	.subject = "watching the whole machine",
	.reason = "shows what others do: the kernel's log, its events, files",
	.answer = CALL_REFUSE,
	.calls = "fanotify_init fanotify_mark lookup_dcookie perf_event_open syslog",
    },
    {
	.subject = "administration",
	.reason = "names, quotas, terminals and the clock's rate belong to the host",
	.answer = CALL_REFUSE,
	.calls = "adjtimex clock_adjtime quotactl quotactl_fd setdomainname sethostname vhangup",
    },
    {
	.subject = "long superseded",
	.reason = "nothing built in this century calls them",
	.answer = CALL_REFUSE,
	.calls = "sysfs uselib ustat",
    },

    /* As if the kernel did not have them. */
    {
	.subject = "newer ways to ask what an ioctl asks",
	.reason = "programs fall back to the ioctl",
	.answer = CALL_ABSENT,
	.calls = "file_getattr file_setattr",
    },
    {
	.subject = "gone from the kernel",
	.reason = "Linux itself answers ENOSYS",
	.answer = CALL_ABSENT,
	.calls = "_sysctl afs_syscall create_module epoll_ctl_old epoll_wait_old get_kernel_syms "
		 "get_thread_area getpmsg nfsservctl putpmsg query_module security set_thread_area "
		 "tuxcall vserver",
    },
};
const size_t call_group_count = ARRAY_LENGTH(call_groups);

const struct young_call young_calls[] = {
#ifdef __x86_64__
    {"uretprobe", 335},         {"uprobe", 336},
#endif
    {"cachestat", 451},         {"fchmodat2", 452},        {"map_shadow_stack", 453},
    {"futex_wake", 454},        {"futex_wait", 455},       {"futex_requeue", 456},
    {"statmount", 457},         {"listmount", 458},        {"lsm_get_self_attr", 459},
    {"lsm_set_self_attr", 460}, {"lsm_list_modules", 461}, {"mseal", 462},
    {"setxattrat", 463},        {"getxattrat", 464},       {"listxattrat", 465},
    {"removexattrat", 466},     {"open_tree_attr", 467},   {"file_getattr", 468},
    {"file_setattr", 469},
};
const size_t young_call_count = ARRAY_LENGTH(young_calls);

#define ALLOW         SECCOMP_RET_ALLOW
#define REFUSE(error) (SECCOMP_RET_ERRNO | (error))
#define IS(arg, value)                                                                             \
	{                                                                                          \
		arg, UINT32_MAX, value                                                             \
	}

/* The kernel's SOCK_TYPE_MASK: above it are SOCK_CLOEXEC and SOCK_NONBLOCK. */
#define TYPE(type)                                                                                 \
	{                                                                                          \
		1, 0xf, type                                                                       \
	}

/* Linux 6.11; the headers of Debian 12 do not have it. */
#define PROTOCOL_SMC 256

/*
 * CLONE_NEWTIME is not here: its bit is part of the exit signal in clone, and it is understood
 * by clone3 and unshare only.
 */
#define NEW_NAMESPACES                                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)

/* The first that fits decides; the last one of a call always fits. */
const struct argument_rule argument_rules[] = {
    {"clone", .when = {{0, NEW_NAMESPACES, 0}}, .result = ALLOW},
    {"clone", .result = REFUSE(EPERM)},

    /*
     * TIOCSTI puts characters into the input of a terminal: of the terminal that su or the console
     * share with the host, where a shell of root's may wait (CVE-2016-2568, CVE-2017-5226).
     * TIOCLINUX pastes into a console in the same way (CVE-2023-1523), TIOCCONS takes the
     * messages of the machine's console, TIOCSETD loads line disciplines, modules that nobody has
     * used for years (CVE-2017-2636, CVE-2023-6546).
     */
    {"ioctl", .when = {IS(1, TIOCSTI)}, .result = REFUSE(EPERM)},
    {"ioctl", .when = {IS(1, TIOCLINUX)}, .result = REFUSE(EPERM)},
    {"ioctl", .when = {IS(1, TIOCCONS)}, .result = REFUSE(EPERM)},
    {"ioctl", .when = {IS(1, TIOCSETD)}, .result = REFUSE(EPERM)},
    /* A subvolume made inside would not be under the disk limit of the one that it is in. */
    {"ioctl", .when = {IS(1, BTRFS_IOC_SUBVOL_CREATE)}, .result = REFUSE(EPERM)},
    {"ioctl", .when = {IS(1, BTRFS_IOC_SUBVOL_CREATE_V2)}, .result = REFUSE(EPERM)},
    {"ioctl", .when = {IS(1, BTRFS_IOC_SNAP_CREATE)}, .result = REFUSE(EPERM)},
    {"ioctl", .when = {IS(1, BTRFS_IOC_SNAP_CREATE_V2)}, .result = REFUSE(EPERM)},
    {"ioctl", .result = ALLOW},

    {"personality", .when = {IS(0, PER_LINUX)}, .result = ALLOW},
    {"personality", .when = {IS(0, PER_LINUX32)}, .result = ALLOW},
    {"personality", .when = {IS(0, UNAME26)}, .result = ALLOW},
    {"personality", .when = {IS(0, UNAME26 | PER_LINUX32)}, .result = ALLOW},
    {"personality", .when = {IS(0, ADDR_NO_RANDOMIZE)}, .result = ALLOW},
    {"personality", .when = {IS(0, 0xffffffffu)}, .result = ALLOW}, /* only asks */
    {"personality", .result = REFUSE(EPERM)},

    /*
     * socket(2) makes the kernel load the module of any family or protocol, for any user. These
     * have had their share of exploits and no place in a login. The errors are those of a kernel
     * that was built without them, which programs are prepared for.
     */
    {"socket", .when = {IS(0, AF_UNIX)}, .result = ALLOW},
    {"socket", .when = {IS(2, IPPROTO_DCCP)}, .result = REFUSE(EPROTONOSUPPORT)},
    {"socket", .when = {IS(2, IPPROTO_L2TP)}, .result = REFUSE(EPROTONOSUPPORT)},
    {"socket", .when = {IS(2, IPPROTO_SCTP)}, .result = REFUSE(EPROTONOSUPPORT)},
    {"socket", .when = {IS(2, PROTOCOL_SMC)}, .result = REFUSE(EPROTONOSUPPORT)},
    /* CAP_NET_RAW is in the bounding set of root = yes only. */
    {"socket", true, {IS(0, AF_INET), TYPE(SOCK_RAW)}, REFUSE(EPERM)},
    {"socket", true, {IS(0, AF_INET6), TYPE(SOCK_RAW)}, REFUSE(EPERM)},
    /* No other types: to the kernel AF_INET with SOCK_PACKET is another way to say AF_PACKET. */
    {"socket", .when = {IS(0, AF_INET), TYPE(SOCK_STREAM)}, .result = ALLOW},
    {"socket", .when = {IS(0, AF_INET), TYPE(SOCK_DGRAM)}, .result = ALLOW},
    {"socket", .when = {IS(0, AF_INET), TYPE(SOCK_RAW)}, .result = ALLOW},
    {"socket", .when = {IS(0, AF_INET)}, .result = REFUSE(ESOCKTNOSUPPORT)},
    {"socket", .when = {IS(0, AF_INET6), TYPE(SOCK_STREAM)}, .result = ALLOW},
    {"socket", .when = {IS(0, AF_INET6), TYPE(SOCK_DGRAM)}, .result = ALLOW},
    {"socket", .when = {IS(0, AF_INET6), TYPE(SOCK_RAW)}, .result = ALLOW},
    {"socket", .when = {IS(0, AF_INET6)}, .result = REFUSE(ESOCKTNOSUPPORT)},
    /* getaddrinfo, ip and ss; libudev; the audit library, which takes EPERM for a fatal error. */
    {"socket", .when = {IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE)}, .result = ALLOW},
    {"socket", .when = {IS(0, AF_NETLINK), IS(2, NETLINK_SOCK_DIAG)}, .result = ALLOW},
    {"socket", .when = {IS(0, AF_NETLINK), IS(2, NETLINK_AUDIT)}, .result = ALLOW},
    {"socket", .when = {IS(0, AF_NETLINK), IS(2, NETLINK_KOBJECT_UEVENT)}, .result = ALLOW},
    {"socket", .when = {IS(0, AF_NETLINK)}, .result = REFUSE(EPROTONOSUPPORT)},
    {"socket", .result = REFUSE(EAFNOSUPPORT)},

    {"socketpair", .when = {IS(0, AF_UNIX)}, .result = ALLOW},
    {"socketpair", .result = REFUSE(EAFNOSUPPORT)},
};
const size_t argument_rule_count = ARRAY_LENGTH(argument_rules);

bool call_group_next(const char **position, const char **name, size_t *length)
{
	*name = *position;
	*length = strcspn(*name, " ");
	*position = *name + *length;
	if (**position == ' ')
		(*position)++;
	return *length > 0;
}

const struct call_group *call_group_find(const char *name)
{
	size_t wanted = strlen(name);

	for (size_t i = 0; i < call_group_count; i++) {
		const char *position = call_groups[i].calls;
		const char *call;
		size_t length;

		while (call_group_next(&position, &call, &length))
			if (length == wanted && memcmp(call, name, length) == 0)
				return &call_groups[i];
	}
	return NULL;
}

/* helper/seccomp/confine.c - the helper gives up what it will not need. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/seccomp/arch.h"
#include "helper/seccomp/seccomp_profile.h"

/*
 * What stays, also for carrel-init and mkfs, which the helper starts. A process that enters a new
 * user namespace gets a full set there, so that this only narrows what init has on the host.
 *
 * Not here, though one might look for them: SETFCAP (only to map the host's uid 0, which no
 * container gets), MKNOD (devices are bound, never made), SYS_MODULE, SYS_RAWIO, SYS_TIME,
 * SYS_BOOT, BPF, SETPCAP (used here for the last time), LINUX_IMMUTABLE, NET_RAW, AUDIT_CONTROL.
 */
static const struct {
	int capability;
	const char *reason;
} kept_capabilities[] = {
    {CAP_AUDIT_WRITE, "carrel-watch writes the begin and the end of logins"},
    {CAP_CHOWN, "terminals and homes for their users"},
    {CAP_DAC_OVERRIDE, "writing below homes and layers that belong to others"},
    {CAP_DAC_READ_SEARCH, "reading there"},
    {CAP_FOWNER, "modes and attributes of files of others"},
    {CAP_FSETID, "set-group-id directories in a layer"},
    {CAP_KILL, "stopping containers, signalling init"},
    {CAP_NET_ADMIN, "links into the network namespaces of containers"},
    {CAP_SETGID, "gid_map"},
    {CAP_SETUID, "uid_map"},
    {CAP_SYS_ADMIN, "mounts, namespaces, loop devices, quotas"},
    {CAP_SYS_CHROOT, "setns to a mount namespace"},
    {CAP_SYS_NICE, "move a login service into a cgroup (v2 cpuset asks as sched_setaffinity does)"},
    {CAP_SYS_PTRACE, "pidfds, /proc/PID/ns and cgroups of processes with more capabilities"},
    {CAP_SYS_RESOURCE, "resource limits and the OOM score of others"},
};

/*
 * Calls that a hijacked helper could turn into the host and that no path of ours makes. Quotas,
 * mounts and namespaces are its work and stay.
 */
static const uint32_t refused_calls[] = {
    /* other processes' memory */
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_ptrace,
    /* the kernel */
    SYS_bpf, SYS_delete_module, SYS_finit_module, SYS_init_module, SYS_kexec_file_load,
    SYS_kexec_load, SYS_reboot,
    /* the machine */
    SYS_acct, SYS_adjtimex, SYS_clock_adjtime, SYS_clock_settime, SYS_settimeofday, SYS_swapoff,
    SYS_swapon, SYS_syslog,
#ifdef SYS_iopl
    SYS_ioperm, SYS_iopl,
#endif
    /* tools of exploits */
    SYS_add_key, SYS_io_uring_enter, SYS_io_uring_register, SYS_io_uring_setup, SYS_keyctl,
    SYS_open_by_handle_at, SYS_perf_event_open, SYS_request_key, SYS_userfaultfd};

#define REFUSED ARRAY_LENGTH(refused_calls)

/* The beginning, and at most one comparison and one answer for each call and the last answer. */
struct filter {
	size_t count;
	struct sock_filter code[8 + 4 * REFUSED];
};

#define BIT(capability) (UINT64_C(1) << (capability))

/* Two calls that are simpler than a library: libcap does not come for a small C library. */
struct capability_sets {
	uint64_t effective, permitted, inheritable;
};

static bool get_sets(struct capability_sets *sets)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, data) != 0)
		return false;
	*sets = (struct capability_sets){
	    .effective = data[0].effective | (uint64_t)data[1].effective << 32,
	    .permitted = data[0].permitted | (uint64_t)data[1].permitted << 32,
	    .inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32,
	};
	return true;
}

/* Permitted and effective; an empty inheritable set empties the ambient set as well. */
static bool set_sets(uint64_t chosen)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
	    {.effective = (uint32_t)chosen, .permitted = (uint32_t)chosen},
	    {.effective = (uint32_t)(chosen >> 32), .permitted = (uint32_t)(chosen >> 32)},
	};

	return syscall(SYS_capset, &header, data) == 0;
}

static uint64_t kept_set(void)
{
	uint64_t set = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(kept_capabilities); i++)
		set |= BIT(kept_capabilities[i].capability);
	return set;
}

/* PR_CAPBSET_READ: 1 there, 0 not there, -1 not known to this kernel. */
static bool is_bounded(int capability)
{
	return prctl(PR_CAPBSET_READ, capability, 0, 0, 0) <= 0;
}

/* All that there can be: a newer kernel may know more than the headers. */
#define CAPABILITIES 64

/* Where the right to drop was taken as well, it is enough that what would be dropped is gone. */
static bool drop_bounding_set(struct failure *why)
{
	const uint64_t kept = kept_set();

	for (int i = 0; i < CAPABILITIES; i++) {
		if (kept & BIT(i))
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL) /* the first that this kernel does not know */
			return true;
		if (!is_bounded(i))
			return fail(why, FAILURE_SYSTEM, errno,
				    "cannot drop capability %d from the bounding set", i);
	}
	return true;
}

/* Of so few, that are nearly in order, by insertion: qsort(3) would be a tenth of the helper. */
static void sort(uint32_t *numbers, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		uint32_t number = numbers[i];
		size_t at = i;

		for (; at > 0 && numbers[at - 1] > number; at--)
			numbers[at] = numbers[at - 1];
		numbers[at] = number;
	}
}

static void add(struct filter *filter, struct sock_filter instruction)
{
	filter->code[filter->count++] = instruction;
}

/* The kernel runs a filter for every number when it is loaded: in a list that takes longest. */
static void add_search(struct filter *filter, const uint32_t *numbers, size_t count)
{
	size_t lower = count / 2, branch;

	if (count == 1) {
		add(filter,
		    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[0], 0, 1));
		add(filter,
		    (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
		add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
		return;
	}
	branch = filter->count;
	add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, numbers[lower], 0, 0));
	add_search(filter, numbers, lower);
	filter->code[branch].jt = (uint8_t)(filter->count - branch - 1);
	add_search(filter, numbers + lower, count - lower);
}

/* Stacks on every older filter: the most restrictive answer of all wins, and none can be undone. */
static void make_filter(struct filter *filter)
{
	uint32_t numbers[REFUSED];

	memcpy(numbers, refused_calls, sizeof(numbers));
	sort(numbers, REFUSED);
	filter->count = 0;
	add(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, arch)));
	add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0));
	add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	add(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr)));
#ifdef X32_CALL_BIT
	add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_CALL_BIT, 0, 1));
	add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
#endif
	add_search(filter, numbers, REFUSED);
}

static bool load_filter(struct failure *why)
{
	struct filter filter;
	struct sock_fprog program;

	make_filter(&filter);
	program = (struct sock_fprog){.len = (unsigned short)filter.count, .filter = filter.code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot set no_new_privs for the helper");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot load the helper's seccomp filter");
	return true;
}

/*
 * The ambient set need not be asked, one call for each capability: the kernel keeps it within the
 * inheritable set (capabilities(7)), which is empty when this process has the chosen ones alone.
 */
static bool prove(uint64_t chosen, struct failure *why)
{
	const uint64_t kept = kept_set();
	struct capability_sets now;

	if (!get_sets(&now) || now.effective != chosen || now.permitted != chosen ||
	    now.inheritable != 0)
		return fail(why, FAILURE_SYSTEM, 0,
			    "the helper still has capabilities that it dropped");
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		if (!(kept & BIT(i)) && !is_bounded(i))
			return fail(why, FAILURE_SYSTEM, 0,
				    "capability %d is still in the helper's bounding set", i);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return fail(why, FAILURE_SYSTEM, 0, "the helper did not get no_new_privs");
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER)
		return fail(why, FAILURE_SYSTEM, 0, "the helper's seccomp filter is not in force");
	return true;
}

bool helper_confine(struct failure *why)
{
	struct capability_sets now;
	uint64_t chosen;

	/* The bounding set first: it takes SETPCAP, which is not kept. */
	if (!drop_bounding_set(why))
		return false;
	if (!get_sets(&now))
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the helper's capabilities");
	/* What is both kept and there: a service manager may have taken some of it before. */
	chosen = now.permitted & kept_set();
	if (!set_sets(chosen))
		return fail(why, FAILURE_SYSTEM, errno, "cannot drop the helper's capabilities");
	return load_filter(why) && prove(chosen, why);
}

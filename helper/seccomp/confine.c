/* helper/seccomp/confine.c - the helper gives up what it will not need. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

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
	cap_value_t capability;
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

/* Stack on every older filter: the most restrictive answer of all wins, and none can be undone. */
#define REFUSE_CALL(call)                                                                          \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                                     \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

/*
 * Calls that a hijacked helper could turn into the host and that no path of ours makes. Quotas,
 * mounts and namespaces are its work and stay. Written by hand: half a hundred instructions need
 * no compiler in every login.
 */
/* clang-format off */
static const struct sock_filter refused_calls[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef X32_CALL_BIT
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_CALL_BIT, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
#endif
    /* other processes' memory */
    REFUSE_CALL(process_vm_readv),
    REFUSE_CALL(process_vm_writev),
    REFUSE_CALL(ptrace),
    /* the kernel */
    REFUSE_CALL(bpf),
    REFUSE_CALL(delete_module),
    REFUSE_CALL(finit_module),
    REFUSE_CALL(init_module),
    REFUSE_CALL(kexec_file_load),
    REFUSE_CALL(kexec_load),
    REFUSE_CALL(reboot),
    /* the machine */
    REFUSE_CALL(acct),
    REFUSE_CALL(adjtimex),
    REFUSE_CALL(clock_adjtime),
    REFUSE_CALL(clock_settime),
    REFUSE_CALL(settimeofday),
    REFUSE_CALL(swapoff),
    REFUSE_CALL(swapon),
    REFUSE_CALL(syslog),
#ifdef SYS_iopl
    REFUSE_CALL(ioperm),
    REFUSE_CALL(iopl),
#endif
    /* tools of exploits */
    REFUSE_CALL(add_key),
    REFUSE_CALL(io_uring_enter),
    REFUSE_CALL(io_uring_register),
    REFUSE_CALL(io_uring_setup),
    REFUSE_CALL(keyctl),
    REFUSE_CALL(open_by_handle_at),
    REFUSE_CALL(perf_event_open),
    REFUSE_CALL(request_key),
    REFUSE_CALL(userfaultfd),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};
/* clang-format on */

static void cleanup_capabilities(cap_t *capabilities)
{
	if (*capabilities)
		(void)cap_free(*capabilities);
}

#define _cleanup_capabilities_ __attribute__((cleanup(cleanup_capabilities)))

static bool is_kept(cap_value_t capability)
{
	for (size_t i = 0; i < ARRAY_LENGTH(kept_capabilities); i++)
		if (kept_capabilities[i].capability == capability)
			return true;
	return false;
}

/* Where the right to drop was taken as well, it is enough that what would be dropped is gone. */
static bool drop_bounding_set(struct failure *why)
{
	for (cap_value_t i = 0; i < cap_max_bits(); i++)
		if (!is_kept(i) && cap_drop_bound(i) != 0 && cap_get_bound(i) > 0)
			return fail(why, FAILURE_SYSTEM, errno,
				    "cannot drop capability %d from the bounding set", i);
	return true;
}

/* What is both kept and there: a service manager may have taken some of it before. */
static cap_t choose_capabilities(struct failure *why)
{
	_cleanup_capabilities_ cap_t now = cap_get_proc();
	_cleanup_capabilities_ cap_t chosen = cap_init();

	if (!now || !chosen) {
		(void)fail(why, FAILURE_SYSTEM, errno, "cannot read the helper's capabilities");
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(kept_capabilities); i++) {
		const cap_value_t capability = kept_capabilities[i].capability;
		cap_flag_value_t there = CAP_CLEAR;

		if (cap_get_flag(now, capability, CAP_PERMITTED, &there) != 0 || there == CAP_CLEAR)
			continue;
		if (cap_set_flag(chosen, CAP_PERMITTED, 1, &capability, CAP_SET) != 0 ||
		    cap_set_flag(chosen, CAP_EFFECTIVE, 1, &capability, CAP_SET) != 0) {
			(void)fail(why, FAILURE_SYSTEM, errno, "cannot choose capability %d",
				   capability);
			return NULL;
		}
	}
	return take_ptr(chosen);
}

static bool load_filter(struct failure *why)
{
	const struct sock_fprog program = {
	    .len = ARRAY_LENGTH(refused_calls),
	    .filter = (struct sock_filter *)refused_calls, /* the kernel only reads it */
	};

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
static bool prove(cap_t chosen, struct failure *why)
{
	_cleanup_capabilities_ cap_t now = cap_get_proc();

	if (!now || cap_compare(now, chosen) != 0)
		return fail(why, FAILURE_SYSTEM, 0,
			    "the helper still has capabilities that it dropped");
	for (cap_value_t i = 0; i < cap_max_bits(); i++)
		if (!is_kept(i) && cap_get_bound(i) != 0)
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
	_cleanup_capabilities_ cap_t chosen = NULL;

	/* The bounding set first: it takes SETPCAP, which is not kept. */
	if (!drop_bounding_set(why))
		return false;
	chosen = choose_capabilities(why);
	if (!chosen)
		return false;
	/* An empty inheritable set empties the ambient set as well. */
	if (cap_set_proc(chosen) != 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot drop the helper's capabilities");
	return load_filter(why) && prove(chosen, why);
}

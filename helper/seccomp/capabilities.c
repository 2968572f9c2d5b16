/* helper/seccomp/capabilities.c - the capabilities that programs in a container may ever have. */
#include <linux/capability.h>

#include "helper/seccomp/seccomp_profile.h"

/*
 * For root = yes. All of them count in the container's own user namespace only; these are the
 * ones that administering a small system takes. What is missing would reach further into the
 * kernel: SYS_ADMIN and NET_ADMIN (mounts, BPF, netfilter and much else), SYS_PTRACE (other users'
 * processes), SYS_MODULE, SYS_RAWIO, SYS_BOOT, SYS_TIME, SYS_RESOURCE (limits), SYS_NICE (the CPU
 * of others), DAC_READ_SEARCH (file handles).
 */
static const struct {
	unsigned capability;
	const char *reason;
} root_capabilities[] = {
    {CAP_AUDIT_WRITE, "sudo, login and dbus ask for it; the kernel takes no records from inside"},
    {CAP_CHOWN, "dpkg and useradd give files to their users"},
    {CAP_DAC_OVERRIDE, "root reads and writes the files of the container's ids"},
    {CAP_FOWNER, "dpkg sets modes and times of files that it has given away"},
    {CAP_FSETID, "set-group-id directories such as /var/mail"},
    {CAP_KILL, "services stop processes that run as their users"},
    {CAP_MKNOD, "dpkg and tar look for it; no device can be made in a user namespace"},
    {CAP_NET_BIND_SERVICE, "ports below 1024 of the container's own network"},
    {CAP_NET_RAW, "ping and traceroute on the container's own network"},
    {CAP_SETFCAP, "dpkg sets file capabilities, which count in this user namespace only"},
    {CAP_SETGID, "su, sudo, cron and every service that gives up root"},
    {CAP_SETPCAP, "services that narrow their own bounding set"},
    {CAP_SETUID, "su, sudo, cron and every service that gives up root"},
    {CAP_SYS_CHROOT, "sshd, ftp servers and build tools"},
};

uint64_t capability_bounding_set(bool allow_root)
{
	uint64_t set = 0;

	if (!allow_root)
		return 0;
	for (size_t i = 0; i < sizeof(root_capabilities) / sizeof(root_capabilities[0]); i++)
		set |= UINT64_C(1) << root_capabilities[i].capability;
	return set;
}

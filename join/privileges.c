/* join/privileges.c - what the container's root may do, and what its programs may ever do. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "join/steps.h"

#define BIT(capability) (1ULL << (capability))

/*
 * What sshd, login, su and cron do after the session is open. These hold in the container's user
 * namespace only and end with the service: an exec as root gives what the bounding set leaves.
 *
 * Left out after thought: DAC_READ_SEARCH (DAC_OVERRIDE has all of it but open_by_handle_at,
 * which opens files by inode number), FSETID (no service makes set-group-ID files),
 * NET_BIND_SERVICE (sshd forwards ports as the user), SETPCAP and SYS_ADMIN (used up by the join),
 * SYS_RESOURCE, SYS_TTY_CONFIG and AUDIT_WRITE (the kernel asks for them in the host's user
 * namespace only, for raising limits, vhangup and audit records: held in here they do nothing).
 */
static const uint64_t service_capabilities =
    BIT(CAP_CHOWN) |        /* sshd, login: the terminal to the user and back */
    BIT(CAP_DAC_OVERRIDE) | /* sshd: utmp, lastlog, and a user's credential cache at the end */
    BIT(CAP_FOWNER) |       /* sshd, login: mode of a terminal that is the user's by now */
    BIT(CAP_KILL) |         /* su, login: pass signals to the user's shell, end it */
    BIT(CAP_SETGID) |       /* all: initgroups and setgid to the user */
    BIT(CAP_SETUID) |       /* all: setuid to the user; sshd: seteuid for the agent's socket */
    BIT(CAP_SYS_CHROOT);    /* sshd: ChrootDirectory */

static int set_capabilities(uint64_t capabilities)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	for (size_t i = 0; i < ARRAY_LENGTH(data); i++) {
		data[i].permitted = (uint32_t)(capabilities >> (32 * i));
		data[i].effective = data[i].permitted;
	}
	return (int)syscall(SYS_capset, &header, data);
}

/* Permitted and effective are exactly these, inheritable is empty; proved by reading back. */
static bool keep_capabilities(uint64_t capabilities, struct failure *why)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (set_capabilities(capabilities) < 0 || syscall(SYS_capget, &header, data) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot drop capabilities");
	for (size_t i = 0; i < ARRAY_LENGTH(data); i++) {
		uint32_t wanted = (uint32_t)(capabilities >> (32 * i));

		if (data[i].permitted != wanted || data[i].effective != wanted ||
		    data[i].inheritable != 0)
			return fail(why, FAILURE_SYSTEM, 0, "dropped capabilities are still there");
	}
	return true;
}

static bool fail_bound(unsigned long capability, int error, struct failure *why)
{
	return fail(why, FAILURE_SYSTEM, error, "cannot drop capability %lu from the bounding set",
		    capability);
}

/*
 * Walks up to the last capability of the running kernel, which the headers may not know: EINVAL
 * (PR_CAPBSET_DROP, prctl(2)).
 */
static bool bound_capabilities(uint64_t bounding_set, struct failure *why)
{
	for (unsigned long i = 0; i < 64; i++) {
		if (bounding_set & BIT(i))
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return (errno == EINVAL && i > CAP_AUDIT_READ) || fail_bound(i, errno, why);
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) != 0)
			return fail_bound(i, 0, why);
	}
	return true;
}

static bool load_seccomp(const struct join_ready *ready, struct failure *why)
{
	struct sock_fprog program = {
	    .len = (unsigned short)ready->program_length,
	    .filter = ready->program,
	};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot load the seccomp program");
	return true;
}

/*
 * Without no_new_privs the kernel lets only CAP_SYS_ADMIN load a program (seccomp(2)): then that
 * one capability goes last, and the program has to allow capset and capget. With no_new_privs
 * everything is dropped before the program is there to interfere.
 */
bool join_confine(const struct join_ready *ready, struct failure *why)
{
	const bool allow_root = ready->plan->allow_root;

	if (!bound_capabilities(ready->plan->bounding_set, why))
		return false;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot clear ambient capabilities");
	if (!keep_capabilities(service_capabilities | (allow_root ? BIT(CAP_SYS_ADMIN) : 0), why))
		return false;
	if (!allow_root && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
			    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1))
		return fail(why, FAILURE_SYSTEM, errno, "cannot set no_new_privs");
	if (!load_seccomp(ready, why))
		return false;
	return !allow_root || keep_capabilities(service_capabilities, why);
}

void join_disarm(void)
{
	struct failure ignored;

	(void)bound_capabilities(0, &ignored);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)set_capabilities(0);
}

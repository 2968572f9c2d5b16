/* helper/limits/rlimits.c - the limits of the policy that the kernel keeps per process. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "helper/limits/control_file.h"
#include "helper/limits/limits.h"
#include "helper/limits/table.h"

static const struct {
	enum limit_id limit;
	int resource;
} rlimit_rows[] = {
    {LIMIT_OPEN_FILES, RLIMIT_NOFILE}, {LIMIT_PROCESSES, RLIMIT_NPROC},
    {LIMIT_CORE, RLIMIT_CORE},         {LIMIT_FILE_SIZE, RLIMIT_FSIZE},
    {LIMIT_STACK, RLIMIT_STACK},       {LIMIT_LOCKED_MEMORY, RLIMIT_MEMLOCK},
};

/* RLIMIT_NOFILE has a ceiling even for root; RLIM_INFINITY is above it (EPERM, getrlimit(2)). */
static rlim_t most_open_files(void)
{
	char text[32];

	if (!control_read(AT_FDCWD, "/proc/sys/fs/nr_open", text, sizeof(text)))
		return 1048576; /* the kernel's default */
	return strtoull(text, NULL, 10);
}

/*
 * Raising a hard limit needs CAP_SYS_RESOURCE (getrlimit(2)), which root has not everywhere. What
 * the process has is then below what the policy allows, so the policy holds: as much as there is.
 */
static bool keep_lower(pid_t pid, int resource, rlim_t wanted)
{
	struct rlimit now;

	if (errno != EPERM || prlimit(pid, resource, NULL, &now) < 0 || now.rlim_max > wanted) {
		errno = EPERM;
		return false;
	}
	now.rlim_cur = now.rlim_max;
	return prlimit(pid, resource, &now, NULL) == 0;
}

static bool apply_rlimit(pid_t pid, enum limit_id limit, int resource, uint64_t value,
			 struct failure *why)
{
	struct rlimit bound = {value, value};

	if (value == LIMIT_UNLIMITED)
		bound.rlim_cur = bound.rlim_max = RLIM_INFINITY;
	if (resource == RLIMIT_NOFILE) {
		rlim_t most = most_open_files();

		if (value == LIMIT_UNLIMITED)
			bound.rlim_cur = bound.rlim_max = most;
		else if (value > most)
			return fail(why, FAILURE_UNSUPPORTED, 0,
				    "'%s' is more than this host allows anyone: %llu; raise the "
				    "sysctl fs.nr_open or lower the limit",
				    policy_limit_name(limit), (unsigned long long)most);
	}
	if (prlimit(pid, resource, &bound, NULL) < 0 &&
	    (errno == ESRCH || !keep_lower(pid, resource, bound.rlim_max)))
		return fail(why, errno == ESRCH ? FAILURE_MISSING : FAILURE_SYSTEM, errno,
			    "cannot set the limit '%s' on process %d", policy_limit_name(limit),
			    pid);
	return true;
}

bool rlimits_apply(pid_t pid, const struct limits *limits, struct failure *why)
{
	for (size_t i = 0; i < ARRAY_LENGTH(rlimit_rows); i++) {
		uint64_t value = limits->value[rlimit_rows[i].limit];

		if (value != LIMIT_UNSET &&
		    !apply_rlimit(pid, rlimit_rows[i].limit, rlimit_rows[i].resource, value, why))
			return false;
	}
	return true;
}

/* helper/limits/session_cgroup.h - the cgroup of one session, below that of its container. */
#ifndef CARREL_HELPER_LIMITS_SESSION_CGROUP_H
#define CARREL_HELPER_LIMITS_SESSION_CGROUP_H

#include "helper/limits/limits.h"

/*
 * What a session started stays in its cgroup, however it was daemonised: that is how it can be
 * ended whole without touching the container's other sessions. Only the hierarchy that can end
 * processes and the one that counts their time get a directory of the session (on v2 these are one
 * and the same, the unified one); in the others its processes are in the container's. Nothing is
 * limited here, so no controller is enabled and the container's cgroup may hold processes as well.
 */
#define SESSION_CGROUP_PREFIX "session-"

/* Open files of the session's cgroup, for carrel-init, which could not open them itself. */
enum session_file {
	SESSION_FILE_PROCS, /* to read: cgroup.procs; a reader sees its own PID namespace's pids */
	SESSION_FILE_KILL,  /* cgroup.kill (v2), to write; freezer.state (v1), to read and write */
	SESSION_FILE_CPU,   /* to read: cpu.stat (v2), cpuacct.usage (v1) */
	SESSION_FILE_COUNT
};

struct session_cgroup {
	struct cgroup place; /* to attach the login service to; close with session_cgroup_close */
	int files[SESSION_FILE_COUNT];
	bool kill_is_v1, cpu_is_v1;
};

/*
 * Make a cgroup for a new session, after the empty ones of ended sessions were removed. `pid` is
 * that of the login service, and part of its name. On failure *why says what is missing, and
 * nothing is left.
 */
bool session_cgroup_make(const struct cgroup_layout *layout, const struct cgroup *container,
			 pid_t pid, struct session_cgroup *session, struct failure *why);
void session_cgroup_close(struct session_cgroup *session);

/* The file that counts the processor time of a whole container, opened for reading; -1 with *why.
 */
int cgroup_open_cpu(const struct cgroup_layout *layout, const struct cgroup *container, bool *v1,
		    struct failure *why);

/* Remove the empty cgroups of sessions below one directory of a container. */
void session_cgroups_sweep(int dir);

/* Call `each` with an O_PATH descriptor of every session's cgroup below a container's directory. */
bool session_cgroups_each(int dir, bool (*each)(int session, struct failure *why),
			  struct failure *why);

#endif

/* helper/limits/limits.h - hold a container to the numbers in its policy, or say that we cannot. */
#ifndef CARREL_HELPER_LIMITS_H
#define CARREL_HELPER_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/failure.h"
#include "policy/policy.h"

enum cgroup_controller {
	CGROUP_MEMORY,
	CGROUP_CPU,
	CGROUP_PIDS,
	CGROUP_IO,
	CGROUP_FREEZER, /* v1 only; part of the core on v2 */
	CGROUP_CPUACCT, /* v1 only; part of cpu.stat on v2 */
	CGROUP_CONTROLLER_COUNT
};

#define CGROUP_MAX_ROOTS 8

/*
 * Where the cgroups of this machine are, read once from /proc/self/mountinfo and
 * /proc/self/cgroup: the unified v2 tree, v1 hierarchies, or both (hybrid).
 */
struct cgroup_layout {
	struct cgroup_root {
		int dir; /* O_PATH descriptor of Carrel's parent in that hierarchy, or -1 */
		bool v2;
		unsigned controllers; /* bits (1 << enum cgroup_controller) that are limited here */
		char name[64];        /* "memory", "cpu,cpuacct", "unified": for messages */
	} roots[CGROUP_MAX_ROOTS];
	size_t root_count;
	unsigned available; /* all controllers that can be limited here */
	char parent[256];   /* Carrel's place below every root, for example "carrel" */
};

/*
 * Find the hierarchies and make Carrel's parent in each of them. `parent` is the place below the
 * mounts (config->cgroup_parent). When it is NULL: on a systemd host (/run/systemd/system is there)
 * "system.slice/carrel.service", which must exist and be delegated, otherwise "carrel". The pure
 * half (mountinfo and cgroup text to a layout) is cgroup_layout_parse, tested without root. `kept`
 * is a directory where logins keep what they learn of the mounts for the next (kept_mounts.h), or
 * -1.
 */
bool cgroup_layout_find(const char *parent, int kept, struct cgroup_layout *layout,
			struct failure *why);
void cgroup_layout_close(struct cgroup_layout *layout);

/*
 * Can every limit that the policy asks for be enforced on this host? FAILURE_UNSUPPORTED
 * names the first that cannot and why. Also used by `carrel doctor` and `carrel policy check`.
 * LIMIT_DISK, LIMIT_INODES (storage) and LIMIT_NETWORK_RATE are not judged here.
 */
bool limits_check(const struct cgroup_layout *layout, const struct limits *limits,
		  struct failure *why);

/* The same for the limits of a pool: v1 cannot add up the disk rates of several containers. */
bool limits_check_pool(const struct cgroup_layout *layout, const struct limits *limits,
		       struct failure *why);

/* A warning worth telling the admin about a limit that holds only in part here, or NULL. */
const char *limits_caveat(const struct cgroup_layout *layout, const struct limits *limits);

/*
 * The cgroup of one container: one directory in each hierarchy, PARENT[/pool-POOL]/NAME. A name
 * that could be taken for a control file or a pool ("tasks", "anchor", "pool-x", any with a dot or
 * a leading '_') gets one more '_' in front. Creating is idempotent: limits of an existing cgroup
 * are written again, in an order that never leaves it unlimited. Pool limits are (re)written too.
 * `device` is any fd on the file system whose disk the rates hold for (partition and btrfs are
 * resolved to the whole disk); -1 when unknown.
 */
struct cgroup {
	int dirs[CGROUP_MAX_ROOTS]; /* one per layout root, -1 where there is none */
	size_t count;
};
bool cgroup_create(const struct cgroup_layout *layout, const char *name,
		   const struct limits *limits, const char *pool, const struct limits *pool_limits,
		   int device, struct cgroup *cgroup, struct failure *why);

/*
 * cgroup_create in two halves. What is slow to write, the share of the processors, is left for
 * cgroup_complete: as long as nobody but carrel-init is in it, it may come later.
 */
bool cgroup_begin(const struct cgroup_layout *layout, const char *name, const struct limits *limits,
		  const char *pool, const struct limits *pool_limits, int device,
		  struct cgroup *cgroup, struct failure *why);
bool cgroup_complete(const struct cgroup_layout *layout, const struct cgroup *cgroup,
		     const char *name, const struct limits *limits,
		     const struct limits *pool_limits, struct failure *why);

bool cgroup_open(const struct cgroup_layout *layout, const char *name, const char *pool,
		 struct cgroup *cgroup, struct failure *why);
void cgroup_close(struct cgroup *cgroup);

/*
 * Move a process (all its threads) in. On failure it is back where it was by `whereabouts`, or,
 * when that is NULL, in some of them: for one that does not outlive the failure. The first move on
 * the host after a quiet moment waits for an RCU grace period (5 to 25 ms, whatever the number of
 * hierarchies), unless cgroup2 is mounted with favordynmods (Linux 6.0).
 */
bool cgroup_attach(const struct cgroup_layout *layout, const struct cgroup *cgroup, pid_t pid,
		   const char *whereabouts, struct failure *why);

/*
 * Where a process is now (text of /proc/PID/cgroup), to move it back with cgroup_restore when the
 * rest of an admission fails. The caller frees it.
 */
char *cgroup_whereabouts(pid_t pid, struct failure *why);
void cgroup_restore(pid_t pid, const char *whereabouts);

/* Remove the container's cgroups; FAILURE_BUSY when processes are left. Missing ones are fine. */
bool cgroup_remove(const struct cgroup_layout *layout, const char *name, const char *pool,
		   struct failure *why);

/* Kill everything in it (cgroup.kill, or SIGKILL in a loop on v1 under the freezer). */
bool cgroup_kill(const struct cgroup_layout *layout, const struct cgroup *cgroup,
		 struct failure *why);

/*
 * Hold every process of it, PID 1 too, until cgroup_thaw (the v1 freezer or cgroup.freeze). Returns
 * when all are held; FAILURE_BUSY, with all of them let go, when that takes too long.
 */
bool cgroup_freeze(const struct cgroup_layout *layout, const struct cgroup *cgroup,
		   struct failure *why);
bool cgroup_thaw(const struct cgroup_layout *layout, const struct cgroup *cgroup,
		 struct failure *why);

/* What it uses now; UINT64_MAX where the host does not say. */
struct cgroup_usage {
	uint64_t memory_bytes, memory_peak_bytes, swap_bytes;
	uint64_t cpu_microseconds;
	uint64_t pids;
	uint64_t read_bytes, written_bytes;
	uint64_t memory_kills, pids_refusals;
};
void cgroup_usage_read(const struct cgroup_layout *layout, const struct cgroup *cgroup,
		       struct cgroup_usage *usage);

/* Only memory_kills and pids_refusals, two files; the rest is unknown. */
void cgroup_usage_hits(const struct cgroup_layout *layout, const struct cgroup *cgroup,
		       struct cgroup_usage *usage);

/* Only what a session is told: cpu_microseconds, memory_peak_bytes, read_bytes, written_bytes. */
void cgroup_usage_spent(const struct cgroup_layout *layout, const struct cgroup *cgroup,
			struct cgroup_usage *usage);

/* How much of memory_bytes only caches files and would be given up first; 0 when not known. */
uint64_t cgroup_file_cache(const struct cgroup_layout *layout, const struct cgroup *cgroup);

/*
 * Only memory_bytes, cpu_microseconds and pids, for a list of thousands; the rest is unknown.
 * `pool` may be NULL.
 */
void cgroup_usage_glance(const struct cgroup_layout *layout, const char *name, const char *pool,
			 struct cgroup_usage *usage);

/*
 * Before reading the usage of very many: let the kernel sum up all of them at once. Read one by
 * one, cpu.stat on v2 costs each a walk along all siblings that have run since
 * (css_rstat_updated_list).
 */
void cgroup_usage_prepare(const struct cgroup_layout *layout);

/* Set the rlimits of the policy (open_files, processes, core, file_size, stack, locked_memory) on
 * the login service before it joins: prlimit(2). Soft and hard alike; stack and core soft too. */
bool rlimits_apply(pid_t pid, const struct limits *limits, struct failure *why);

#endif

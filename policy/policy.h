/* policy/policy.h - what the admin wrote under /etc/carrel, checked, as plain structs. */
#ifndef CARREL_POLICY_H
#define CARREL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"
#include "policy/hours.h"

enum policy_action { POLICY_CONTAIN, POLICY_HOST, POLICY_DENY };
enum home_mode { HOME_PRIVATE, HOME_BIND, HOME_TMPFS };
enum network_mode { NETWORK_NONE, NETWORK_HOST, NETWORK_NAT };
enum storage_kind { STORAGE_AUTO, STORAGE_PROJECT, STORAGE_BTRFS, STORAGE_IMAGE, STORAGE_PLAIN };

/* Every number a policy can limit. The names in the files are policy_limit_name(). */
enum limit_id {
	LIMIT_MEMORY,       /* bytes */
	LIMIT_SWAP,         /* bytes on top of memory */
	LIMIT_CPU,          /* hundredths of a percent of one CPU: "50%" is 5000, "2" CPUs "200%" */
	LIMIT_CPU_WEIGHT,   /* 1..10000, 100 is everyone's share */
	LIMIT_PIDS,         /* processes and threads in the container */
	LIMIT_DISK,         /* bytes */
	LIMIT_INODES,       /* files */
	LIMIT_TMP,          /* bytes of /tmp, /run and /dev/shm together */
	LIMIT_READ_RATE,    /* bytes per second */
	LIMIT_WRITE_RATE,   /* bytes per second */
	LIMIT_NETWORK_RATE, /* bits per second */
	LIMIT_SESSIONS,     /* logins at the same time */
	LIMIT_OPEN_FILES,   /* RLIMIT_NOFILE */
	LIMIT_PROCESSES,    /* RLIMIT_NPROC, per user */
	LIMIT_CORE,         /* RLIMIT_CORE, bytes */
	LIMIT_FILE_SIZE,    /* RLIMIT_FSIZE, bytes */
	LIMIT_STACK,        /* RLIMIT_STACK, bytes */
	LIMIT_LOCKED_MEMORY, /* RLIMIT_MEMLOCK, bytes */
	LIMIT_COUNT
};
#define LIMIT_UNSET     UINT64_MAX
#define LIMIT_UNLIMITED (UINT64_MAX - 1)

struct limits {
	uint64_t value[LIMIT_COUNT]; /* LIMIT_UNSET where the policy is silent */
};

#define TIME_UNSET UINT64_MAX
#define TIME_NEVER (UINT64_MAX - 1)

struct time_rules { /* all in seconds */
	uint64_t idle_seconds;
	uint64_t session_seconds;
	uint64_t expire_seconds;
	uint64_t warn_seconds;
	uint64_t stop_seconds;    /* between SIGTERM and the end, 10 unless said */
	uint64_t cpu_day_seconds; /* processor time of a container on one day */
	struct hours hours;       /* no spans: always */
};

struct string_list {
	size_t count;
	char **items;
};

struct bind_mount {
	char *source; /* absolute host path */
	char *target; /* absolute path inside; the same as source unless said */
	bool readonly;
};

struct source_line {
	const char *file; /* owned by the config */
	unsigned line;
};

struct policy {
	char *name;
	struct source_line where;
	struct string_list users, groups, services; /* empty: does not restrict */
	enum policy_action action;
	char *deny_text;      /* "message" in the file: what a denied user is told; may be NULL */
	char *container_name; /* template: %u user, %g matched group, %p policy; default "%u" */
	char *image;
	enum home_mode home;
	bool root;
	enum network_mode network;
	char *hostname; /* template as for the name; default "%p" */
	char *pool;     /* name of a pool, or NULL */
	struct bind_mount *binds;
	size_t bind_count;
	struct string_list environment; /* "NAME=value" */
	mode_t umask;                   /* (mode_t)-1 when unset */
	struct limits limits;
	struct time_rules time;
	char *hours_text; /* the hours as they were written; may be NULL */
	char *welcome;    /* may be NULL */
	struct string_list seccomp_allow, seccomp_deny; /* system call names */
	/* Where each key was set, for `carrel policy explain`: line 0 means the default. */
	unsigned limit_line[LIMIT_COUNT];
};

struct pool {
	char *name;
	struct source_line where;
	struct string_list groups, policies; /* containers of these policies or groups */
	struct limits limits;                /* memory, swap, cpu, cpu_weight, pids, rates */
};

struct config {
	char *state_dir;     /* "/var/lib/carrel" */
	char *cgroup_parent; /* below the cgroup mounts; NULL: chosen by the helper */
	enum storage_kind storage;
	uint32_t id_base;      /* first host id of the blocks for containers: 0x80000000 */
	uint32_t id_blocks;    /* how many blocks of 65536 ids: 16384 */
	uint32_t project_base; /* first project id for quotas of containers: 0x40000000 */
	uint32_t project_ids;  /* how many of them: 1048576 */
	struct string_list exempt_users, exempt_groups; /* "root" is always exempt as well */
	bool unmatched_deny;                            /* unmatched = deny */
	char *unmatched_text;    /* "unmatched_message": shown then; may be NULL */
	struct policy *policies; /* in file order; of a config with an image none are here */
	size_t policy_count;
	struct pool *pools;
	size_t pool_count;
	char **files; /* every file read, in order; none in a config with an image */
	size_t file_count;
	struct config_image *image; /* config_unpack(); NULL when it was parsed */
};

/* Who asks, resolved by the caller through NSS before any matching. */
struct subject {
	const char *user;
	const char *service;
	const char *const *groups; /* names of the primary and the supplementary groups */
	size_t group_count;
};

/*
 * Read DIR/carrel.conf and DIR/policy.d/ *.conf (sorted by byte order) relative to `dir`, a
 * directory descriptor. Each file is opened once (O_NOFOLLOW), vetted by its descriptor (regular,
 * owned by root, not writable by group or others, at most 1 MiB, no NUL bytes) and parsed from it.
 * A missing carrel.conf means the defaults; a missing policy.d means no policies.
 *
 * On a broken file NULL is returned with *why naming file (below `dir`), line and what to do,
 * and, when `exempt` is not NULL and carrel.conf itself is sound, *exempt is what carrel.conf says
 * of the machine and of who is exempt, with no policies, no pools and unmatched = deny, so that a
 * broken policy does not lock out an exempt admin (release with config_free); otherwise *exempt is
 * NULL. The caller frees the result with config_free.
 */
struct config *config_load(int dir, struct config **exempt, struct failure *why);
void config_free(struct config *config);

/*
 * True when the subject is exempt: user "root", exempt_users, or one of exempt_groups. Without a
 * config (NULL: carrel.conf is broken) that is root alone.
 */
bool config_is_exempt(const struct config *config, const struct subject *subject);

struct selection {
	const struct policy *policy; /* NULL: nothing matched, `unmatched` applies */
	const char *matched_group;   /* the first of its groups that matched, for %g; or "" */
	const struct pool *pool;     /* the policy's own, else the first that lists it or a group */
};

/*
 * First policy in file order whose users/groups and services all match. A policy with users and
 * groups matches by either; one with neither matches everyone. Pure. False when the config has an
 * image and what that says of a policy cannot be read: it is damaged, or there is no memory.
 */
bool config_select(const struct config *config, const struct subject *subject,
		   struct selection *out);

/*
 * Expand a template (%u, %g, %p, %%) into out. For names (is_hostname false) the result must be
 * [a-z_][a-z0-9_.-]*, at most 64 bytes, not ending in a dot: a user name with other bytes is
 * mapped: each byte outside the set becomes '_' and "-" plus 8 hex digits of the FNV-1a hash of
 * the original are appended, so that two users never share by accident. For host names the result
 * is a valid label of at most 63 bytes, made the same way. False with *why when it cannot be.
 */
bool template_expand(const char *template, const char *user, const char *group, const char *policy,
		     bool is_hostname, char out[65], struct failure *why);

/* True for a legal container, image, policy or pool name: [a-z_][a-z0-9_.-]*, 1..64 bytes. */
bool name_is_valid(const char *name);

/* Strict value parsers: whole string, units required as documented, range checked. */
bool parse_size(const char *text, uint64_t *bytes, struct failure *why);     /* "512M" */
bool parse_cpu(const char *text, uint64_t *hundredths, struct failure *why); /* "50%" */
bool parse_rate(const char *text, uint64_t *bytes, struct failure *why);     /* "20M" per second */
bool parse_bit_rate(const char *text, uint64_t *bits, struct failure *why);  /* "10Mbit" */
bool parse_duration(const char *text, uint64_t *seconds, struct failure *why); /* "1h30m", never */
bool parse_count(const char *text, uint64_t low, uint64_t high, uint64_t *count,
		 struct failure *why);

const char *policy_limit_name(enum limit_id id);
/* The value as an admin would write it: "512M", "50%", "unlimited"; "" when unset. */
void policy_limit_format(enum limit_id id, uint64_t value, char *out, size_t size);
/* "1h30m", "never"; "unset" when the policy is silent. */
void policy_duration_format(uint64_t seconds, char out[48]);
const char *policy_action_name(enum policy_action action);
const char *home_mode_name(enum home_mode mode);
const char *network_mode_name(enum network_mode mode);
const char *storage_kind_name(enum storage_kind kind);

#endif

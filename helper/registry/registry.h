/* helper/registry/registry.h - which containers exist, which run, and who holds them. */
#ifndef CARREL_HELPER_REGISTRY_H
#define CARREL_HELPER_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"
#include "helper/registry/note.h"

/*
 * /run/carrel           0711 root  (the mark of a container, CARREL_INSIDE_MARK, is never here)
 *   containers/NAME/    0700  lock, control (socket), running (record), note
 *   blocks/N            the name of the container that holds id block N
 *   seccomp/            compiled programs
 *   host/               snapshots of the host's /etc
 * state_dir             0711 root
 *   containers/NAME/    0700  stored (record), layer/ or layer.ext4
 *   snapshots/NAME/     0700  LABEL/ with stored, snapshot (records), layer/ or layer.ext4
 *   images/NAME/        0700 root at images/; see helper/images/versions.h
 */
struct registry {
	int run;              /* O_PATH of /run/carrel */
	int run_containers;   /* ... /containers */
	int state;            /* O_PATH of state_dir */
	int state_containers; /* ... /containers */
	int state_images;     /* ... /images */
};

/* Only /run/carrel, made when it is missing, vetted likewise; O_PATH fd. -1 with *why. */
int registry_open_run(struct failure *why);

/* Open, making what is missing; refuses (FAILURE_DATA) what is not root's or is writable by others.
 */
bool registry_open(const char *state_dir, struct registry *registry, struct failure *why);
void registry_close(struct registry *registry);

/*
 * Exclusive flock on the container's runtime directory (made when missing): held while a container
 * is found, built, stopped or removed. Waits at most `patience_ms`; FAILURE_BUSY then. Close to
 * release.
 */
int registry_lock(const struct registry *registry, const char *name, unsigned patience_ms,
		  struct failure *why);

/* What is known of a running container, in containers/NAME/running. */
struct running_record {
	pid_t pid;            /* of carrel-init, as the host sees it */
	uint64_t start_ticks; /* field 22 of /proc/PID/stat: together they name the process */
	uint64_t pidfd_inode; /* of its pidfd, which names it alone (Linux 6.9); 0: not known */
	uint64_t started_at;  /* seconds since the epoch */
	uint32_t block;       /* number of its id block */
	uint32_t namespaces;  /* CLONE_NEW* bits to join */
	uint32_t image_version;
	bool allow_root;
	char user[257]; /* who caused the start */
	uid_t uid;      /* theirs, which the id map has; 0: not known */
	char policy[65], image[65], pool[65], hostname[65];
};

/*
 * Read the record and prove that the process is still that process. Returns true with a pidfd in
 * *init (caller closes) when it runs, true with *init = -1 when it does not run (no record, or the
 * process is gone), false with *why when the record cannot be read.
 */
bool registry_running(const struct registry *registry, const char *name,
		      struct running_record *record, int *init, struct failure *why);
bool registry_write_running(const struct registry *registry, const char *name,
			    const struct running_record *record, struct failure *why);
void registry_forget_running(const struct registry *registry, const char *name);

/*
 * The mark of a container that an admin has frozen: in its runtime folder from before its processes
 * are held until they are let go, and gone with its end.
 */
bool registry_is_frozen(const struct registry *registry, const char *name);
bool registry_mark_frozen(const struct registry *registry, const char *name, bool frozen,
			  struct failure *why);

/* What is known of a stored container, in state_dir/containers/NAME/stored. */
struct stored_record {
	uint64_t created_at, last_used_at; /* seconds since the epoch */
	uint64_t version;                  /* layout of the layer, 1 */
	char user[257];                    /* the first user of it */
	char policy[65], image[65];
	char storage[16]; /* "plain", "image", ... */
};
/*
 * When it was last used is kept in a file of its own beside the record, one line that PID 1 writes
 * in place when a session begins and ends, every hour, and when it stops. registry_stored() looks
 * there; the record has what was known at the last start.
 */
#define USED_FILE "used"
/* Open it, making it when it is missing, to read and write. -1 with *why. */
int registry_open_used(const struct registry *registry, const char *name, struct failure *why);
bool used_write(int file, uint64_t when); /* seconds since the epoch; false with errno */
/* 0 when there is none or it is damaged. */
uint64_t used_read(int dir, const char *path);

/* True with record->version = 0 when there is none. */
bool registry_stored(const struct registry *registry, const char *name,
		     struct stored_record *record, struct failure *why);
/* A power cut at any moment leaves this record or the one before. */
bool registry_write_stored(const struct registry *registry, const char *name,
			   const struct stored_record *record, struct failure *why);

/* The same record in another folder, of `name` too: a snapshot. */
bool stored_read_at(int folder, const char *name, struct stored_record *record,
		    struct failure *why);
bool stored_write_at(int folder, const char *name, const struct stored_record *record,
		     struct failure *why);

/*
 * The directory state_dir/snapshots/NAME, made (0700) when `create`; O_PATH fd. -1 with
 * FAILURE_MISSING when there is none.
 */
int registry_snapshots_dir(const struct registry *registry, const char *name, bool create,
			   struct failure *why);

/* The directory state_dir/containers/NAME, made (0700) when `create`; O_PATH fd. */
int registry_state_dir(const struct registry *registry, const char *name, bool create,
		       struct failure *why);

/* Names of all containers that are stored or run, sorted; free each and the array. */
bool registry_names(const struct registry *registry, char ***names, size_t *count,
		    struct failure *why);

/* Connect to the container's control socket (SOCK_SEQPACKET). -1 with *why. */
int registry_connect(const struct registry *registry, const char *name, struct failure *why);

/*
 * The same for a process whose working directory is /: from that of the running containers, where
 * it goes for a moment, the kernel finds the socket without a way through /proc.
 */
int registry_connect_from_there(const struct registry *registry, const char *name,
				struct failure *why);

/*
 * registry_running for a list of thousands, by reading files alone; nothing holds the process, so
 * this is only to be shown. *answers when it is not stopped and has left *note.
 */
bool registry_glance(const struct registry *registry, const char *name,
		     struct running_record *record, bool *runs, bool *answers, struct note *note,
		     struct failure *why);

/*
 * registry_running for a question to thousands: *runs when PID 1 listens, which is proof enough, as
 * nobody else holds that socket. *channel is a non-blocking connection to it (caller closes), -1
 * when it does not run or others keep it busy. Never waits.
 */
bool registry_reach(const struct registry *registry, const char *name,
		    struct running_record *record, bool *runs, int *channel, struct failure *why);

/*
 * Take an id block for a container: the one it had before when it is free, else the next from a
 * start that depends on the name. A block held by a container that no longer runs is taken over.
 */
bool registry_take_block(const struct registry *registry, const char *name, uint32_t blocks,
			 uint32_t *block, struct failure *why);
void registry_release_block(const struct registry *registry, uint32_t block);

/*
 * Clear what a container left that no longer runs: running record, control socket, block. The
 * caller holds the lock. Never touches stored data.
 */
void registry_clear_runtime(const struct registry *registry, const char *name);

#endif

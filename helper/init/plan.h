/* helper/init/plan.h - what PID 1 of a container is to do, as data that the helper prepared. */
#ifndef CARREL_HELPER_INIT_PLAN_H
#define CARREL_HELPER_INIT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The helper decides and PID 1 does: everything that has to happen inside the container is a list
 * of steps, run in order by PID 1 as the container's root, which is nobody on the host. So a path
 * that a contained user controls is only ever followed by a process that has nothing to lose.
 * Targets are paths inside the container; descriptors come beside the plan, in order.
 * New kinds come last: PID 1 may be of an older version than who sends it the plan of a session.
 */
enum plan_step_kind {
	PLAN_NEW_FS = 1, /* mount a new `text` file system with options `data` on `path` */
	PLAN_ATTACH,     /* attach the detached mount `fd` to `path` */
	PLAN_BIND,       /* bind `text` to `path` */
	PLAN_BIND_LAYER, /* bind `text`, relative to the container's layer, to `path` */
	PLAN_MASK, /* hide `path`: /dev/null over a file, the empty folder `text` over a folder */
	PLAN_READONLY,   /* make `path` read-only; PLAN_MASK and this skip what is not there */
	PLAN_UNMOUNT,    /* unmount `path` */
	PLAN_FOLDER,     /* make `path` and its parents; mode, uid, gid are for the last */
	PLAN_LINK,       /* symbolic link at `path` with content `text` */
	PLAN_FILE,       /* file at `path` with content `data`, replaced at once if it is there */
	PLAN_WRITE,      /* write `data` to the existing `path` (a kernel setting) */
	PLAN_HOSTNAME,   /* sethostname(`text`) */
	PLAN_LOG,        /* listen on the datagram socket `path` for syslog lines */
	PLAN_STATUS,     /* listen on the stream socket `path` for those who ask how it stands */
	PLAN_ACCOUNT,    /* merge the account in `data` into passwd and group in folder `path` */
	PLAN_HOME,       /* home of user `text` from the layer (made from /etc/skel) at `path` */
	PLAN_GRANT_ROOT, /* let users become the container root */
	PLAN_SKEL,       /* copy /etc/skel into the empty folder `path` for uid, gid */
	PLAN_SET_ASIDE,  /* rename what is at `path` if a login service would wait at it */
	PLAN_UNLESS,     /* when `path` exists, leave out the next `skip` steps */
	PLAN_BIND_IMAGE, /* bind the image's own folder `path` there, if the layer has none of it */
	PLAN_NETWORK,    /* join the network namespace, which was made meanwhile */
	PLAN_SAME_FILE,  /* one more name `path` for the file `text` of the same mount */
	PLAN_PLACE,      /* make the mount point `path` where nothing is, for a later step */
	PLAN_TOP_LEVEL,  /* show what the overlay has in its root, but names that / has by now */
	PLAN_KIND_COUNT
};

#define PLAN_MAGIC     0x4e4c5043u
#define PLAN_MAX_STEPS 512
#define PLAN_MAX_BYTES (512 * 1024)
#define PLAN_MAX_FDS   200

/* How the mount point of a mounting step comes to be. */
enum plan_mountpoint { PLAN_POINT_EXISTS, PLAN_POINT_FOLDER, PLAN_POINT_FILE };

/* Offsets into the bytes that follow the steps; 0 is the empty string. */
struct plan_step {
	uint32_t kind;
	int32_t fd; /* index into the descriptors sent along, -1 for none */
	uint32_t text, data, data_length, path;
	uint32_t mode, uid, gid;
	uint32_t mountpoint; /* enum plan_mountpoint */
	uint32_t skip;
	uint32_t reserved;
	uint64_t attributes; /* MOUNT_ATTR_* */
};

struct plan_header {
	uint32_t magic, step_count, byte_count, reserved;
	/* followed by struct plan_step[step_count], then byte_count bytes ending in a NUL */
};

/* A checked view of a plan; points into the buffer it was made from. */
struct plan_view {
	const struct plan_step *steps;
	size_t step_count;
	const char *bytes;
	size_t byte_count;
};

/*
 * Check a whole received plan: sizes add up exactly, every offset and descriptor index is inside,
 * every string ends. Pure; false when anything does not fit.
 */
bool plan_parse(const void *data, size_t length, size_t fd_count, struct plan_view *view);

/* What a step does, for messages: "mount tmpfs on /tmp". Pure. */
void plan_describe(const struct plan_view *view, size_t index, char *out, size_t size);

/* What PID 1 answers after a plan: 0, or which step failed and why. */
struct plan_result {
	uint32_t failed; /* 0 or 1 */
	uint32_t step;
	int32_t error;
};

#endif

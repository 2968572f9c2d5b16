/* wire/wire.h - the one request and the one reply between a login service and the helper. */
#ifndef CARREL_WIRE_H
#define CARREL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Pure encoding and decoding: nothing here does I/O, allocates, or trusts a length it has not
 * checked. Both sides carry the message in one SOCK_SEQPACKET datagram of at most WIRE_MAX or
 * WIRE_REQUEST_MAX bytes, with the descriptors that the message declares, in the declared order.
 */
#define WIRE_MAX         16384 /* of a reply */
#define WIRE_REQUEST_MAX 65536
#define WIRE_MAX_FDS     4
#define WIRE_NAME_MAX    256 /* user, service, tty, rhost, container: bytes without the NUL */
#define WIRE_TEXT_MAX    2048
#define WIRE_ENV_MAX     64
#define WIRE_MAGIC       0x4c525243u /* "CRRL" in memory order on little-endian machines */
#define WIRE_VERSION     3

/*
 * One request, one reply; before it may come any number of WIRE_WAIT, at least one a second, while
 * the container waits for its turn to be started.
 */

/* What the caller wants. */
enum wire_verb {
	WIRE_OPEN_SESSION = 1,  /* admit this login: a container, a session in it */
	WIRE_CHECK_ACCOUNT = 2, /* the same question without side effects */
	WIRE_ENTER = 3,         /* host root joins the container named in `container` */
	WIRE_PREPARE = 4,       /* as an admin: start the container of `user`, without a login */
};

struct wire_request {
	enum wire_verb verb;
	char user[WIRE_NAME_MAX + 1];
	char service[WIRE_NAME_MAX + 1];
	char tty[WIRE_NAME_MAX + 1];       /* as PAM_TTY has it, may be empty */
	char rhost[WIRE_NAME_MAX + 1];     /* as PAM_RHOST has it, may be empty */
	char container[WIRE_NAME_MAX + 1]; /* only for WIRE_ENTER, otherwise empty */
	/* What account_pack made of the user, borrowed; empty: whoever needs it has to look it up.
	 */
	const void *account;
	size_t account_length;
};

enum wire_action {
	WIRE_HOST = 1,    /* leave the login as it is */
	WIRE_CONTAIN = 2, /* join what the descriptors name */
	WIRE_DENY = 3,    /* refuse; user_text says so in one sentence */
	WIRE_WAIT = 4,    /* not yet: another reply follows; user_text may say why */
};

/* The descriptors of a CONTAIN reply, in this order. */
enum wire_fd {
	WIRE_FD_INIT = 0,    /* pidfd of the container's PID 1 */
	WIRE_FD_SECCOMP = 1, /* sealed memfd: an array of struct sock_filter */
	WIRE_FD_COUNT
};

#define WIRE_UMASK_UNSET 0xffffffffu

struct wire_reply {
	enum wire_action action;
	uint32_t failure_kind; /* enum failure_kind as a number, 0 when nothing failed */
	uint32_t fd_count;     /* WIRE_FD_COUNT for CONTAIN, otherwise 0 */
	uint32_t namespaces;   /* CLONE_NEW* bits to join, only for CONTAIN */
	uint32_t allow_root;   /* 1: no_new_privs is not set, for a policy with root = yes */
	uint32_t umask;        /* to set after the join, or WIRE_UMASK_UNSET */
	uint64_t bounding_set; /* capabilities that programs started inside may ever have */
	char container[WIRE_NAME_MAX + 1]; /* for CONTAIN, and of HOST after WIRE_PREPARE */
	char user_text[WIRE_TEXT_MAX + 1]; /* shown to the user: refusal or welcome; may be empty */
	char log_text[WIRE_TEXT_MAX + 1];  /* for the service's syslog; may be empty */
	uint32_t env_count;
	char env[WIRE_ENV_MAX][WIRE_NAME_MAX + 1]; /* "NAME=value" sets, "NAME" alone removes */
};

/*
 * Encode into `buffer`. Returns the length, or 0 when the message does not fit the rules
 * (a string too long, too many variables, an unknown verb or action).
 */
size_t wire_encode_request(const struct wire_request *request, void *buffer, size_t size);
size_t wire_encode_reply(const struct wire_reply *reply, void *buffer, size_t size);

/*
 * Decode a whole datagram. Strict: exact magic, version and length; no NUL inside a string; no
 * trailing bytes; every enumeration in range; fd_count fits the action. False leaves *out zeroed.
 * A request's account is in `data`, and may hold anything.
 */
bool wire_decode_request(const void *data, size_t length, struct wire_request *out);
bool wire_decode_reply(const void *data, size_t length, struct wire_reply *out);

#endif

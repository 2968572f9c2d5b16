/* helper/events/events.h - one line for every decision: syslog for people, JSON for programs. */
#ifndef CARREL_HELPER_EVENTS_H
#define CARREL_HELPER_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/failure.h"

/*
 * `event` is "login", "denied", "host", "start", "stop", "session_end", "limit", "admin", ... Any
 * pointer may be NULL: the field is then left out. Strings are any bytes; both outputs are safe.
 */
struct event {
	const char *event;
	const char *user, *service, *tty, *rhost, *container, *policy, *reason, *admin;
	uint64_t duration_seconds; /* UINT64_MAX: left out, as those below */
	uint64_t cpu_microseconds;
	uint64_t memory_peak_bytes;
	uint64_t read_bytes, written_bytes;
	uint64_t count; /* how often a limit was hit */
};
#define EVENT_NUMBER_UNSET UINT64_MAX
#define EVENT_INIT                                                                                 \
	{                                                                                          \
		.duration_seconds = EVENT_NUMBER_UNSET, .cpu_microseconds = EVENT_NUMBER_UNSET,    \
		.memory_peak_bytes = EVENT_NUMBER_UNSET, .read_bytes = EVENT_NUMBER_UNSET,         \
		.written_bytes = EVENT_NUMBER_UNSET, .count = EVENT_NUMBER_UNSET                   \
	}

/* Room for any event whose strings obey the wire's limits, every byte of them escaped. */
#define EVENT_LINE_MAX 32768

/*
 * Pure. One JSON object and a newline: "time" (UTC, RFC 3339 with milliseconds) first, then the
 * fields that are set. Control bytes, quotes and invalid UTF-8 are escaped (invalid bytes as
 * \ufffd), so a line is always one line and valid JSON. Returns the length, 0 when it does not fit.
 */
size_t event_format_json(const struct event *event, const struct timespec *now, char *out,
			 size_t size);

/*
 * Pure. One line for people, without a newline: "login user=alice service=sshd ...". Control
 * characters (also those that UTF-8 has above 0x7f, which terminals obey too), spaces, quotes and
 * bytes that are not UTF-8 are shown as \xNN. Returns the length, 0 when it does not fit.
 */
size_t event_format_text(const struct event *event, char *out, size_t size);

/*
 * Open /var/log/carrel/events.jsonl for appending. Directory and file are made 0750 and 0640 when
 * missing, whatever the umask. A directory that others than its owner, who is root, may write is
 * refused. -1 with *why on failure.
 */
int events_open(struct failure *why);

/*
 * Write to syslog (authpriv) and to the file (fd from events_open, or -1: syslog only). One
 * write(2) each. Never fails the login: trouble with the file is itself logged to syslog once. An
 * event that is larger than EVENT_LINE_MAX is written without its reason.
 */
void event_write(int fd, const struct event *event);

/*
 * Connect a SOCK_DGRAM socket to the host's /dev/log and send one message, without libc's syslog(),
 * which keeps state. -1 (errno) and false when nobody listens, or is too busy to. `text` is one
 * line; of more than 8 KiB the end is cut off.
 */
int syslog_connect(void);
bool syslog_send(int socket, int priority, const char *tag, const char *text);

/* A small JSON writer for the commands' --json: appends to a growing string. */
struct json {
	char *text; /* free with json_free */
	size_t length, size;
	bool failed; /* out of memory: text is then not to be used */
	bool comma;  /* the next value needs one before it */
};
void json_free(struct json *json);
void json_object_begin(struct json *json, const char *key); /* key NULL inside arrays and at top */
void json_object_end(struct json *json);
void json_array_begin(struct json *json, const char *key);
void json_array_end(struct json *json);
void json_string(struct json *json, const char *key, const char *value); /* NULL: null */
void json_number(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);

#endif

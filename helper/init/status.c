/* helper/init/status.c - what a container is told about itself, as text. */
#include "helper/init/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STATUS_FORMAT 1
/* Two numbers and four words of 64 bytes. */
#define SESSION_LINE_SIZE (24 + 4 * 66 + 24)

struct number {
	const char *key;
	size_t offset; /* of a uint64_t in struct container_status */
};

#define HELD(id) (offsetof(struct container_status, held) + (id) * sizeof(uint64_t))

/* Numbers that may be missing. */
static const struct number numbers[] = {
    {"started_at", offsetof(struct container_status, started_at)},
    {"idle_seconds", offsetof(struct container_status, idle_seconds)},
    {"cpu_day_left_microseconds", offsetof(struct container_status, cpu_day_left_microseconds)},
    {"memory_bytes", offsetof(struct container_status, in.memory_bytes)},
    {"memory_peak_bytes", offsetof(struct container_status, in.memory_peak_bytes)},
    {"memory_limit_bytes", HELD(LIMIT_MEMORY)},
    {"memory_kills", offsetof(struct container_status, in.memory_kills)},
    {"swap_bytes", offsetof(struct container_status, in.swap_bytes)},
    {"swap_limit_bytes", HELD(LIMIT_SWAP)},
    {"cpu_microseconds", offsetof(struct container_status, in.cpu_microseconds)},
    {"cpu_limit_hundredths", HELD(LIMIT_CPU)},
    {"processes", offsetof(struct container_status, in.pids)},
    {"process_limit", HELD(LIMIT_PIDS)},
    {"disk_bytes", offsetof(struct container_status, disk.disk_bytes)},
    {"disk_limit_bytes", offsetof(struct container_status, disk.disk_limit_bytes)},
    {"inodes", offsetof(struct container_status, disk.inodes)},
    {"inode_limit", offsetof(struct container_status, disk.inode_limit)},
    {"sessions", offsetof(struct container_status, session_count)},
    {"session_limit", offsetof(struct container_status, session_limit)},
};

static uint64_t *number_of(struct container_status *status, const struct number *number)
{
	return (uint64_t *)(void *)((char *)status + number->offset);
}

void status_clear(struct container_status *status)
{
	memset(status, 0, sizeof(*status));
	memset(&status->held, 0xff, sizeof(status->held)); /* LIMIT_UNSET */
	memset(&status->in, 0xff, sizeof(status->in));     /* UINT64_MAX: unknown */
	storage_usage_clear(&status->disk);
	status->started_at = status->idle_seconds = UINT64_MAX;
	status->session_count = status->session_limit = UINT64_MAX;
	status->cpu_day_left_microseconds = UINT64_MAX;
}

/* A comma separates the fields of a session. */
static void put_word(char *line, size_t size, const char *word)
{
	size_t used = strlen(line);

	(void)snprintf(line + used, size - used, ",%.64s", *word ? word : "-");
	for (char *at = line + used + 1; *at; at++)
		if (*at == ',')
			*at = '_';
}

static void put_session(struct record *text, const struct status_session *session)
{
	char line[SESSION_LINE_SIZE], left[24] = "-";

	(void)snprintf(line, sizeof(line), "%" PRIu64, session->since);
	put_word(line, sizeof(line), session->user);
	put_word(line, sizeof(line), session->service);
	put_word(line, sizeof(line), session->tty);
	put_word(line, sizeof(line), session->rhost);
	if (session->left_seconds != UINT64_MAX)
		(void)snprintf(left, sizeof(left), "%" PRIu64, session->left_seconds);
	put_word(line, sizeof(line), left);
	record_put(text, "session", line);
}

bool status_format(const struct container_status *status, struct record *text)
{
	struct container_status all = *status;

	memset(text, 0, sizeof(*text));
	record_put_number(text, "format", STATUS_FORMAT);
	record_put(text, "name", status->name);
	record_put(text, "policy", status->policy);
	record_put(text, "image", status->image);
	record_put(text, "state", status->state);
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
		uint64_t value = *number_of(&all, &numbers[i]);

		if (value < LIMIT_UNLIMITED)
			record_put_number(text, numbers[i].key, value);
	}
	if (text->failed)
		return false;
	for (size_t i = 0; i < status->session_room; i++) {
		size_t length = text->length;

		put_session(text, &status->sessions[i]);
		if (!text->failed)
			continue;
		text->failed = false;
		text->length = length;
		text->text[length] = '\0';
		break;
	}
	return true;
}

/* "SINCE,USER,SERVICE,TTY,RHOST,LEFT", with "-" for what is not known. */
static bool get_session(const char *line, struct status_session *session)
{
	session->left_seconds = UINT64_MAX;
	return sscanf(line, "%" SCNu64 ",%64[^,],%64[^,],%64[^,],%64[^,],%" SCNu64, &session->since,
		      session->user, session->service, session->tty, session->rhost,
		      &session->left_seconds) >= 5;
}

static void get_sessions(const struct record *text, struct container_status *status)
{
	static const char key[] = "session=";

	for (const char *line = text->text, *end; status->session_room < STATUS_SESSIONS_MAX;
	     line = end + 1) {
		struct record one = {0};
		char value[SESSION_LINE_SIZE];

		end = strchr(line, '\n');
		if (!end)
			break;
		if (strncmp(line, key, sizeof(key) - 1) != 0)
			continue;
		memcpy(one.text, line, (size_t)(end - line) + 1);
		record_get(&one, "session", value, sizeof(value));
		if (!one.failed && get_session(value, &status->sessions[status->session_room]))
			status->session_room++;
	}
}

bool status_parse(struct record *text, struct container_status *status)
{
	status_clear(status);
	text->failed = false;
	if (record_get_number(text, "format", STATUS_FORMAT) != STATUS_FORMAT)
		return false;
	record_get(text, "name", status->name, sizeof(status->name));
	record_get(text, "policy", status->policy, sizeof(status->policy));
	record_get(text, "image", status->image, sizeof(status->image));
	record_get(text, "state", status->state, sizeof(status->state));
	if (text->failed)
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
		uint64_t value = record_get_number(text, numbers[i].key, LIMIT_UNLIMITED - 1);

		*number_of(status, &numbers[i]) = text->failed ? UINT64_MAX : value;
		text->failed = false;
	}
	get_sessions(text, status);
	return true;
}

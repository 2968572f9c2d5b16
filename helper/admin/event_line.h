/* helper/admin/event_line.h - read one line of events.jsonl, purely. */
#ifndef CARREL_HELPER_ADMIN_EVENT_LINE_H
#define CARREL_HELPER_ADMIN_EVENT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/events/events.h"

#define EVENT_LINE_FIELDS 24

/* A flat JSON object: strings decoded, numbers and words as they stand. */
struct event_line {
	struct event_field {
		const char *key, *value; /* in text */
	} fields[EVENT_LINE_FIELDS];
	size_t count;
	size_t used;
	char text[EVENT_LINE_MAX];
};

/* False when the line is not one flat JSON object that fits. */
bool event_line_parse(const char *line, size_t length, struct event_line *out);

/* The value of a key, NULL when it is not there. */
const char *event_line_get(const struct event_line *line, const char *key);

/* "time" as seconds since the epoch, 0 when it is missing or malformed. */
uint64_t event_line_time(const struct event_line *line);

/*
 * For a person, one line without newline: local time, event, user, and what else is known. Safe for
 * a terminal whatever the fields hold.
 */
void event_line_describe(const struct event_line *line, char *out, size_t size);

/*
 * When a person says since: "1h30m" before now, "2025-11-24", "2025-11-24 17:06" or with seconds,
 * local time. Seconds since the epoch; false when it is none of these.
 */
bool event_since_parse(const char *text, uint64_t now, uint64_t *since);

#endif

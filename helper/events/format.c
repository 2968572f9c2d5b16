/* helper/events/format.c - an event as a JSON line, and as a line for people. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "helper/events/events.h"
#include "helper/events/text.h"

struct string_field {
	const char *name, *value;
};

struct number_field {
	const char *name;
	uint64_t value;
};

#define STRING_FIELDS 8
#define NUMBER_FIELDS 6

static void list_fields(const struct event *event, struct string_field strings[STRING_FIELDS],
			struct number_field numbers[NUMBER_FIELDS])
{
	const struct string_field all[STRING_FIELDS] = {
	    {"user", event->user},   {"service", event->service},     {"tty", event->tty},
	    {"rhost", event->rhost}, {"container", event->container}, {"policy", event->policy},
	    {"admin", event->admin}, {"reason", event->reason},
	};
	const struct number_field counts[NUMBER_FIELDS] = {
	    {"duration_seconds", event->duration_seconds},
	    {"cpu_microseconds", event->cpu_microseconds},
	    {"memory_peak_bytes", event->memory_peak_bytes},
	    {"read_bytes", event->read_bytes},
	    {"written_bytes", event->written_bytes},
	    {"count", event->count},
	};

	memcpy(strings, all, sizeof(all));
	memcpy(numbers, counts, sizeof(counts));
}

static void add_key(struct text *text, const char *name)
{
	text_string(text, ",\"");
	text_string(text, name);
	text_string(text, "\":");
}

static void add_time(struct text *text, const struct timespec *now)
{
	struct tm parts;
	char stamp[48];
	size_t length;

	if (!gmtime_r(&now->tv_sec, &parts)) {
		text->full = true;
		return;
	}
	length = strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &parts);
	(void)snprintf(stamp + length, sizeof(stamp) - length, ".%03ldZ", now->tv_nsec / 1000000);
	text_string(text, "{\"time\":");
	text_json(text, stamp);
}

size_t event_format_json(const struct event *event, const struct timespec *now, char *out,
			 size_t size)
{
	struct text text = {.out = out, .size = size};
	struct string_field strings[STRING_FIELDS];
	struct number_field numbers[NUMBER_FIELDS];

	list_fields(event, strings, numbers);
	add_time(&text, now);
	add_key(&text, "event");
	text_json(&text, event->event ? event->event : "");
	for (size_t i = 0; i < STRING_FIELDS; i++)
		if (strings[i].value) {
			add_key(&text, strings[i].name);
			text_json(&text, strings[i].value);
		}
	for (size_t i = 0; i < NUMBER_FIELDS; i++)
		if (numbers[i].value != EVENT_NUMBER_UNSET) {
			add_key(&text, numbers[i].name);
			text_number(&text, numbers[i].value);
		}
	text_string(&text, "}\n");
	return text.full ? 0 : text.used;
}

/* A reason is a sentence: quoted, so that its spaces can stay. */
static void add_sentence(struct text *text, const char *sentence)
{
	text_add(text, "\"", 1);
	text_plain(text, sentence, true);
	text_add(text, "\"", 1);
}

size_t event_format_text(const struct event *event, char *out, size_t size)
{
	struct text text = {.out = out, .size = size};
	struct string_field strings[STRING_FIELDS];
	struct number_field numbers[NUMBER_FIELDS];

	list_fields(event, strings, numbers);
	text_plain(&text, event->event ? event->event : "", false);
	for (size_t i = 0; i < STRING_FIELDS; i++) {
		if (!strings[i].value)
			continue;
		text_add(&text, " ", 1);
		text_string(&text, strings[i].name);
		text_add(&text, "=", 1);
		if (strcmp(strings[i].name, "reason") == 0)
			add_sentence(&text, strings[i].value);
		else
			text_plain(&text, strings[i].value, false);
	}
	for (size_t i = 0; i < NUMBER_FIELDS; i++) {
		if (numbers[i].value == EVENT_NUMBER_UNSET)
			continue;
		text_add(&text, " ", 1);
		text_string(&text, numbers[i].name);
		text_add(&text, "=", 1);
		text_number(&text, numbers[i].value);
	}
	return text.full ? 0 : text.used;
}

/* helper/admin/event_text.c - an event as one line for a person. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "helper/admin/event_line.h"
#include "helper/admin/table.h"

struct line {
	char *out;
	size_t size, used;
};

static _printf_(2, 3) void put(struct line *line, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line->out + line->used, line->size - line->used, format, arguments);
	va_end(arguments);
	if (length > 0)
		line->used += (size_t)length;
	if (line->used >= line->size)
		line->used = line->size - 1;
}

/* Where a person expects it, with a word before it. */
static const struct {
	const char *key, *before;
} details[] = {
    {"service", ""},       {"rhost", "from "}, {"tty", "on "}, {"container", "container "},
    {"policy", "policy "}, {"admin", "by "},
};

static void put_details(struct line *line, const struct event_line *event)
{
	for (size_t i = 0; i < ARRAY_LENGTH(details); i++) {
		const char *value = event_line_get(event, details[i].key);
		char safe[512];

		if (!value || !*value)
			continue;
		text_make_safe(value, safe, sizeof(safe));
		put(line, " %s%s", details[i].before, safe);
	}
}

static void put_numbers(struct line *line, const struct event_line *event)
{
	const char *duration = event_line_get(event, "duration_seconds");
	const char *cpu = event_line_get(event, "cpu_microseconds");
	const char *peak = event_line_get(event, "memory_peak_bytes");
	const char *written = event_line_get(event, "written_bytes");
	char text[32];

	if (duration) {
		format_clock(strtoull(duration, NULL, 10), text);
		put(line, ", lasted %s", text);
	}
	if (cpu) {
		format_clock(strtoull(cpu, NULL, 10) / 1000000, text);
		put(line, ", cpu %s", text);
	}
	if (peak) {
		format_bytes(strtoull(peak, NULL, 10), text);
		put(line, ", memory peak %s", text);
	}
	if (written) {
		format_bytes(strtoull(written, NULL, 10), text);
		put(line, ", written %s", text);
	}
}

void event_line_describe(const struct event_line *event, char *out, size_t size)
{
	struct line line = {.out = out, .size = size};
	time_t when = (time_t)event_line_time(event);
	const char *kind = event_line_get(event, "event"), *user = event_line_get(event, "user");
	const char *reason = event_line_get(event, "reason");
	char time_text[32] = "", safe[1024];
	struct tm local;

	if (when && localtime_r(&when, &local))
		(void)strftime(time_text, sizeof(time_text), "%Y-%m-%d %H:%M:%S", &local);
	text_make_safe(kind ? kind : "-", safe, sizeof(safe));
	put(&line, "%-19s  %-11s", time_text, safe);
	text_make_safe(user ? user : "-", safe, sizeof(safe));
	put(&line, " %-12s", safe);
	put_details(&line, event);
	put_numbers(&line, event);
	if (reason && *reason) {
		text_make_safe(reason, safe, sizeof(safe));
		put(&line, ": %s", safe);
	}
}

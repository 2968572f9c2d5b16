/* targets/event_line.c - lines of events.jsonl, whose fields users have chosen. */
/* Sources: helper/admin/event_line.c helper/admin/event_text.c helper/admin/text.c
 * helper/events/format.c helper/events/text.c policy/values.c base/failure.c
 */
#include "helper/admin/event_line.h"
#include "helper/admin/table.h"
#include "helper/events/text.h"
#include "tests/fuzz/targets/fuzz.h"

static void check_field(const struct event_line *line, const char *key, const char *was)
{
	const char *got = event_line_get(line, key);
	const char *at = was;

	MUST(got);
	while (*at && utf8_length(at))
		at += utf8_length(at);
	MUST(*at || strcmp(got, was) == 0); /* bytes that are not UTF-8 are replaced */
}

/* What is written is one line, and is read as it was. */
static void check_writing(const char *user, const char *reason)
{
	static struct event_line line;
	static char json[EVENT_LINE_MAX], text[EVENT_LINE_MAX];
	const struct timespec now = {1700000000, 0};
	struct event event = EVENT_INIT;
	size_t length;

	event.event = "login";
	event.user = event.tty = user;
	event.reason = reason;
	event.duration_seconds = 7;
	length = event_format_json(&event, &now, json, sizeof(json));
	if (!length)
		return;
	MUST(json[length - 1] == '\n' && memchr(json, '\n', length) == json + length - 1);
	MUST(event_line_parse(json, length, &line));
	check_field(&line, "user", user);
	check_field(&line, "tty", user);
	check_field(&line, "reason", reason);
	MUST(event_line_time(&line) == 1700000000);
	if (event_format_text(&event, text, sizeof(text)))
		MUST(fuzz_is_plain(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct event_line line;
	void *copy = fuzz_copy(data, size);
	char *first, *second, out[512], safe[64];
	uint64_t since;

	if (event_line_parse(copy, size, &line)) {
		MUST(line.count <= EVENT_LINE_FIELDS && line.used <= sizeof(line.text));
		for (size_t i = 0; i < line.count; i++)
			MUST(line.fields[i].value > line.fields[i].key &&
			     line.fields[i].value < line.text + line.used);
		event_line_describe(&line, out, sizeof(out));
		MUST(strlen(out) < sizeof(out) && fuzz_is_plain(out));
	}
	free(copy);
	first = fuzz_part(&data, &size);
	second = fuzz_part(&data, &size);
	check_writing(first, second);
	text_make_safe(first, safe, sizeof(safe));
	MUST(strlen(safe) < sizeof(safe) && fuzz_is_plain(safe));
	(void)text_width(safe);
	if (event_since_parse(first, 1700000000, &since))
		MUST(since < UINT64_C(1) << 50);
	free(first);
	free(second);
	return 0;
}

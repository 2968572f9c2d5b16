/* helper/admin/event_line.c - read one line of events.jsonl, purely. */
#include "helper/admin/event_line.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "helper/admin/table.h"
#include "policy/policy.h"

struct reader {
	const char *at, *end;
	struct event_line *out;
	bool failed;
};

static void skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && isspace((unsigned char)*reader->at))
		reader->at++;
}

static bool take(struct reader *reader, char wanted)
{
	skip_blanks(reader);
	if (reader->at == reader->end || *reader->at != wanted)
		return false;
	reader->at++;
	return true;
}

static void keep(struct reader *reader, char byte)
{
	if (reader->out->used == sizeof(reader->out->text)) {
		reader->failed = true;
		return;
	}
	reader->out->text[reader->out->used++] = byte;
}

/* A code point as UTF-8; what is none (a lone surrogate, NUL) as the replacement character. */
static void keep_point(struct reader *reader, uint32_t point)
{
	if (point == 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		point = 0xfffd;
	if (point < 0x80) {
		keep(reader, (char)point);
		return;
	}
	if (point < 0x800) {
		keep(reader, (char)(0xc0 | point >> 6));
	} else {
		if (point < 0x10000) {
			keep(reader, (char)(0xe0 | point >> 12));
		} else {
			keep(reader, (char)(0xf0 | point >> 18));
			keep(reader, (char)(0x80 | (point >> 12 & 0x3f)));
		}
		keep(reader, (char)(0x80 | (point >> 6 & 0x3f)));
	}
	keep(reader, (char)(0x80 | (point & 0x3f)));
}

static uint32_t take_hex(struct reader *reader)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = NULL;

		if (reader->at < reader->end && *reader->at)
			digit = strchr(digits, tolower((unsigned char)*reader->at));
		if (!digit) {
			reader->failed = true;
			return 0;
		}
		value = value << 4 | (uint32_t)(digit - digits);
		reader->at++;
	}
	return value;
}

static void take_unicode(struct reader *reader)
{
	uint32_t point = take_hex(reader);

	if (point >= 0xd800 && point < 0xdc00 && reader->end - reader->at > 6 &&
	    reader->at[0] == '\\' && reader->at[1] == 'u') {
		const char *second = reader->at;
		uint32_t low;

		reader->at += 2;
		low = take_hex(reader);
		if (low >= 0xdc00 && low < 0xe000)
			point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
		else
			reader->at = second; /* a character of its own */
	}
	keep_point(reader, point);
}

static void take_escape(struct reader *reader)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *letter;

	if (reader->at == reader->end || !*reader->at) {
		reader->failed = true;
		return;
	}
	if (*reader->at == 'u') {
		reader->at++;
		take_unicode(reader);
		return;
	}
	letter = strchr(letters, *reader->at++);
	if (letter)
		keep(reader, meanings[letter - letters]);
	else
		reader->failed = true;
}

/* After the opening quote. The decoded string, which stands in out->text. */
static const char *take_string(struct reader *reader)
{
	const char *start = reader->out->text + reader->out->used;

	while (!reader->failed) {
		char byte;

		if (reader->at == reader->end) {
			reader->failed = true;
			break;
		}
		byte = *reader->at++;
		if (byte == '"')
			break;
		if (byte == '\\')
			take_escape(reader);
		else if ((unsigned char)byte < 0x20)
			reader->failed = true;
		else
			keep(reader, byte);
	}
	keep(reader, '\0');
	return start;
}

/* A number, true, false or null, as it stands. */
static const char *take_word(struct reader *reader)
{
	const char *start = reader->out->text + reader->out->used;
	size_t before = reader->out->used;

	skip_blanks(reader);
	while (reader->at < reader->end &&
	       (isalnum((unsigned char)*reader->at) || memchr("+-.", *reader->at, 3)))
		keep(reader, *reader->at++);
	if (reader->out->used == before)
		reader->failed = true;
	keep(reader, '\0');
	return start;
}

static bool take_field(struct reader *reader)
{
	struct event_field field;

	if (!take(reader, '"'))
		return false;
	field.key = take_string(reader);
	if (reader->failed || !take(reader, ':'))
		return false;
	field.value = take(reader, '"') ? take_string(reader) : take_word(reader);
	if (reader->failed || reader->out->count == EVENT_LINE_FIELDS)
		return false;
	reader->out->fields[reader->out->count++] = field;
	return true;
}

bool event_line_parse(const char *line, size_t length, struct event_line *out)
{
	struct reader reader = {.at = line, .end = line + length, .out = out};

	out->count = 0;
	out->used = 0;
	if (!take(&reader, '{'))
		return false;
	if (!take(&reader, '}')) {
		do {
			if (!take_field(&reader))
				return false;
		} while (take(&reader, ','));
		if (!take(&reader, '}'))
			return false;
	}
	skip_blanks(&reader);
	return reader.at == reader.end;
}

const char *event_line_get(const struct event_line *line, const char *key)
{
	for (size_t i = 0; i < line->count; i++)
		if (strcmp(line->fields[i].key, key) == 0)
			return line->fields[i].value;
	return NULL;
}

uint64_t event_line_time(const struct event_line *line)
{
	const char *text = event_line_get(line, "time");
	struct tm when = {0};
	time_t seconds;

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%S", &when))
		return 0;
	seconds = timegm(&when);
	return seconds < 0 ? 0 : (uint64_t)seconds;
}

bool event_since_parse(const char *text, uint64_t now, uint64_t *since)
{
	static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
					      "%Y-%m-%dT%H:%M:%S"};
	struct failure ignored;
	uint64_t before;

	if (parse_duration(text, &before, &ignored)) {
		*since = before < now ? now - before : 0;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(formats); i++) {
		struct tm when = {.tm_isdst = -1};
		const char *rest = strptime(text, formats[i], &when);
		time_t seconds;

		if (!rest || *rest)
			continue;
		seconds = mktime(&when);
		*since = seconds < 0 ? 0 : (uint64_t)seconds;
		return true;
	}
	return false;
}

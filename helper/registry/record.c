/* helper/registry/record.c - write and read "key=value" lines, purely. */
#include "helper/registry/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append(struct record *record, const char *text, size_t length)
{
	if (record->failed || length >= sizeof(record->text) - record->length) {
		record->failed = true;
		return;
	}
	memcpy(record->text + record->length, text, length);
	record->length += length;
	record->text[record->length] = '\0';
}

void record_put(struct record *record, const char *key, const char *value)
{
	append(record, key, strlen(key));
	append(record, "=", 1);
	for (const unsigned char *byte = (const unsigned char *)value; *byte; byte++) {
		char escaped[4];

		if (*byte > 0x20 && *byte < 0x7f && *byte != '%') {
			append(record, (const char *)byte, 1);
			continue;
		}
		(void)snprintf(escaped, sizeof(escaped), "%%%02X", *byte);
		append(record, escaped, 3);
	}
	append(record, "\n", 1);
}

void record_put_number(struct record *record, const char *key, uint64_t value)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	record_put(record, key, digits);
}

/* The end of the line if it is of this key; a torn last line is not one. */
static const char *end_of(const char *line, const char *key, size_t key_length)
{
	return strncmp(line, key, key_length) == 0 && line[key_length] == '='
		   ? strchr(line + key_length, '\n')
		   : NULL;
}

/*
 * The value of `key`, not terminated, with its length; NULL when the key is not there. Keys are
 * asked for in the order in which they were written, nearly always: so the line after the last is
 * first.
 */
static const char *find_value(struct record *record, const char *key, size_t *length)
{
	size_t key_length = strlen(key);
	const char *line = record->text + record->next;
	const char *end = end_of(line, key, key_length);

	for (line = end ? line : record->text; !end && *line;) {
		const char *next = strchr(line, '\n');

		if (!next)
			return NULL;
		end = end_of(line, key, key_length);
		line = end ? line : next + 1;
	}
	if (!end)
		return NULL;
	*length = (size_t)(end - line) - key_length - 1;
	record->next = (size_t)(end + 1 - record->text);
	return line + key_length + 1;
}

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

void record_get(struct record *record, const char *key, char *out, size_t size)
{
	size_t length = 0, used = 0;
	const char *value = find_value(record, key, &length);

	out[0] = '\0';
	if (!value) {
		record->failed = true;
		return;
	}
	for (size_t i = 0; i < length; i++) {
		int byte = (unsigned char)value[i];

		if (byte == '%') {
			int high = length - i > 2 ? hex_digit(value[i + 1]) : -1;
			int low = high < 0 ? -1 : hex_digit(value[i + 2]);

			byte = low < 0 ? 0 : high * 16 + low;
			i += 2;
		}
		if (byte == 0 || used + 1 >= size) {
			record->failed = true;
			out[0] = '\0';
			return;
		}
		out[used++] = (char)byte;
	}
	out[used] = '\0';
}

uint64_t record_get_number(struct record *record, const char *key, uint64_t maximum)
{
	char digits[24], *end;
	unsigned long long number;

	record_get(record, key, digits, sizeof(digits));
	errno = 0;
	number = strtoull(digits, &end, 10);
	if (digits[0] < '0' || digits[0] > '9' || *end || errno || number > maximum) {
		record->failed = true;
		return 0;
	}
	return number;
}

/* helper/accounts/entry_lines.c - the lines of passwd and group files, as text. */
#include "helper/accounts/entry_lines.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void entry_add(struct entry_text *out, const char *bytes, size_t length)
{
	if (out->failed)
		return;
	if (length >= ENTRY_TEXT_MAX || out->length + length >= ENTRY_TEXT_MAX) {
		out->failed = true;
		return;
	}
	if (out->length + length + 1 > out->size) {
		size_t size = (out->length + length + 1) * 2;
		char *grown = realloc(out->text, size);

		if (!grown) {
			out->failed = true;
			return;
		}
		out->text = grown;
		out->size = size;
	}
	memcpy(out->text + out->length, bytes, length);
	out->length += length;
	out->text[out->length] = '\0';
}

void entry_add_string(struct entry_text *out, const char *string)
{
	entry_add(out, string, strlen(string));
}

void entry_add_number(struct entry_text *out, unsigned number)
{
	char digits[16];

	(void)snprintf(digits, sizeof(digits), "%u", number);
	entry_add_string(out, digits);
}

void entry_add_field(struct entry_text *out, const char *field)
{
	for (; *field; field++) {
		unsigned char byte = (unsigned char)*field;
		bool unsafe = byte < 0x20 || byte == 0x7f || byte == ':';

		entry_add(out, unsafe ? "_" : field, 1);
	}
}

char *entry_finish(struct entry_text *out)
{
	entry_add(out, "", 0); /* an empty text is a text */
	if (!out->failed)
		return out->text;
	free(out->text);
	return NULL;
}

const char *entry_next_line(const char **at, size_t *length)
{
	const char *line = *at;

	if (*line == '\0')
		return NULL;
	*length = strcspn(line, "\n");
	*at = line + *length + (line[*length] == '\n');
	return line;
}

const char *entry_field(const char *line, size_t length, unsigned index, size_t *field_length)
{
	const char *end = line + length;

	for (; index > 0; index--) {
		line = memchr(line, ':', (size_t)(end - line));
		if (!line)
			return NULL;
		line++;
	}
	*field_length = (size_t)(end - line);
	end = memchr(line, ':', *field_length);
	if (end)
		*field_length = (size_t)(end - line);
	return line;
}

bool entry_field_is(const char *line, size_t length, unsigned index, const char *value)
{
	size_t field_length;
	const char *field = entry_field(line, length, index, &field_length);

	return field && field_length == strlen(value) && memcmp(field, value, field_length) == 0;
}

bool entry_field_number(const char *line, size_t length, unsigned index, unsigned *number)
{
	size_t field_length;
	const char *field = entry_field(line, length, index, &field_length);
	unsigned long value = 0;

	if (!field || field_length == 0 || field_length > 10)
		return false;
	for (size_t i = 0; i < field_length; i++) {
		if (field[i] < '0' || field[i] > '9')
			return false;
		value = value * 10 + (unsigned long)(field[i] - '0');
	}
	*number = (unsigned)value;
	return value <= UINT_MAX;
}

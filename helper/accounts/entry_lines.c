/* helper/accounts/entry_lines.c - the lines of passwd and group files, as text. */
#include "helper/accounts/entry_lines.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

void entry_reserve(struct entry_text *out, size_t size)
{
	char *text = out->text ? NULL : malloc(size);

	if (!text)
		return; /* entry_add tells */
	*text = '\0';
	out->text = text;
	out->size = size;
}

void entry_add(struct entry_text *out, const char *bytes, size_t length)
{
	if (out->error)
		return;
	if (length > ENTRY_TEXT_MAX - out->length) {
		out->error = EFBIG;
		return;
	}
	if (out->length + length + 1 > out->size) {
		size_t size = (out->length + length + 1) * 2;
		char *grown = realloc(out->text, size);

		if (!grown) {
			out->error = ENOMEM;
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

size_t entry_digits(unsigned number, char digits[ENTRY_DIGITS])
{
	char *first = digits + ENTRY_DIGITS;
	size_t count;

	do
		*--first = (char)('0' + number % 10);
	while (number /= 10);
	count = (size_t)(digits + ENTRY_DIGITS - first);
	memmove(digits, first, count);
	return count;
}

void entry_add_number(struct entry_text *out, unsigned number)
{
	char digits[ENTRY_DIGITS];

	entry_add(out, digits, entry_digits(number, digits));
}

static char safe_in_field(char byte)
{
	unsigned char value = (unsigned char)byte;

	return value < 0x20 || value == 0x7f || value == ':' ? '_' : byte;
}

static char safe_in_members(char byte)
{
	return byte == ',' ? '_' : safe_in_field(byte);
}

static void add_safe(struct entry_text *out, const char *text, char (*safe)(char))
{
	while (*text) {
		size_t length = 0;

		while (text[length] && safe(text[length]) == text[length])
			length++;
		entry_add(out, text, length);
		text += length;
		if (*text)
			entry_add(out, &(char){safe(*text++)}, 1);
	}
}

void entry_add_field(struct entry_text *out, const char *field)
{
	add_safe(out, field, safe_in_field);
}

void entry_add_member(struct entry_text *out, const char *name)
{
	add_safe(out, name, safe_in_members);
}

static bool too_long(const char *what, struct failure *why)
{
	return fail(why, FAILURE_LIMIT, EFBIG, "the %s file would be larger than 1 MiB", what);
}

char *entry_finish(struct entry_text *out, const char *what, struct failure *why)
{
	entry_add(out, "", 0); /* an empty text is a text */
	if (!out->error)
		return out->text;
	free(out->text);
	if (out->error == EFBIG)
		(void)too_long(what, why);
	else
		(void)fail(why, FAILURE_SYSTEM, out->error, "cannot make the %s file", what);
	return NULL;
}

bool entry_text_fits(const char *text, const char *what, struct failure *why)
{
	return strnlen(text, ENTRY_TEXT_MAX + 1) <= ENTRY_TEXT_MAX || too_long(what, why);
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

	while (line < end && isspace((unsigned char)*line))
		line++; /* glibc skips them, too: they hide no name from us */
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

bool entry_is_value(const char *field, size_t field_length, const char *value)
{
	for (size_t i = 0; i < field_length; i++)
		if (value[i] == '\0' || field[i] != safe_in_field(value[i]))
			return false;
	return value[field_length] == '\0';
}

uint32_t entry_hash(const char *text, size_t length)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)safe_in_field(text[i])) * 16777619u;
	return hash;
}

bool entry_field_is(const char *line, size_t length, unsigned index, const char *value)
{
	size_t field_length;
	const char *field = entry_field(line, length, index, &field_length);

	return field && entry_is_value(field, field_length, value);
}

bool entry_field_number(const char *line, size_t length, unsigned index, unsigned *number)
{
	size_t field_length;
	const char *field = entry_field(line, length, index, &field_length);
	unsigned long value;
	char *end;

	if (!field || field_length == 0)
		return false;
	line += strspn(line, " \t\r\v\f");
	if (strchr("#+-", *line))
		return false; /* a comment, or a line of nsswitch's "compat": never an entry */
	errno = 0;
	value = strtoul(field, &end, 10); /* may look behind the field, but `end` tells */
	if (end != field + field_length || errno)
		return false;
	*number = (unsigned)value;
	return value <= UINT_MAX;
}

static bool is_member(const char *member, size_t length, const char *name)
{
	for (size_t i = 0; i < length; i++)
		if (name[i] == '\0' || member[i] != safe_in_members(name[i]))
			return false;
	return name[length] == '\0';
}

bool entry_has_member(const char *members, size_t length, const char *name)
{
	while (length > 0) {
		const char *comma = memchr(members, ',', length);
		size_t one = comma ? (size_t)(comma - members) : length;

		if (is_member(members, one, name))
			return true;
		if (!comma)
			return false;
		members += one + 1;
		length -= one + 1;
	}
	return false;
}

/* helper/events/text.c - put any bytes into a line of text that stays one line. */
#include "helper/events/text.h"

#include <stdio.h>
#include <string.h>

void text_add(struct text *text, const char *bytes, size_t length)
{
	if (text->full || length >= text->size - text->used) {
		text->full = true;
		return;
	}
	memcpy(text->out + text->used, bytes, length);
	text->used += length;
	text->out[text->used] = '\0';
}

void text_string(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void text_number(struct text *text, uint64_t number)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	text_string(text, digits);
}

static bool is_tail(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

size_t utf8_length(const char *at)
{
	const unsigned char *byte = (const unsigned char *)at;
	uint32_t code;
	size_t length;

	if (byte[0] < 0x80)
		return 1;
	length = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
	if (byte[0] < 0xc2 || byte[0] > 0xf4)
		return 0;
	code = byte[0] & (0xffu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if (!is_tail(byte[i])) /* also stops at the terminating NUL */
			return 0;
		code = code << 6 | (byte[i] & 0x3f);
	}
	if ((length == 3 && code < 0x800) || (length == 4 && (code < 0x10000 || code > 0x10ffff)))
		return 0;
	return code >= 0xd800 && code <= 0xdfff ? 0 : length;
}

/* U+0000 to U+001F, U+007F and, as 0xc2 and the code itself, U+0080 to U+009F. */
static bool is_control(const char *at)
{
	const unsigned char *byte = (const unsigned char *)at;

	return byte[0] < 0x20 || byte[0] == 0x7f ||
	       (byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] <= 0x9f);
}

void text_json(struct text *text, const char *string)
{
	text_add(text, "\"", 1);
	while (*string) {
		unsigned char byte = (unsigned char)*string;
		size_t length = utf8_length(string);
		char escape[8];

		if (length == 0) {
			text_string(text, "\\ufffd");
			length = 1;
		} else if (byte == '"' || byte == '\\') {
			text_add(text, "\\", 1);
			text_add(text, string, 1);
		} else if (is_control(string)) {
			unsigned code = length == 1 ? byte : (unsigned char)string[1];

			(void)snprintf(escape, sizeof(escape), "\\u%04x", code);
			text_string(text, escape);
		} else {
			text_add(text, string, length);
		}
		string += length;
	}
	text_add(text, "\"", 1);
}

static void text_hexadecimal(struct text *text, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char escape[8];

		(void)snprintf(escape, sizeof(escape), "\\x%02x", (unsigned char)bytes[i]);
		text_string(text, escape);
	}
}

void text_plain(struct text *text, const char *string, bool with_spaces)
{
	while (*string) {
		size_t length = utf8_length(string);
		bool shown = length > 0 && !is_control(string) && !strchr("\\\"", *string) &&
			     (*string != ' ' || with_spaces);

		if (length == 0)
			length = 1;
		if (shown)
			text_add(text, string, length);
		else
			text_hexadecimal(text, string, length);
		string += length;
	}
}

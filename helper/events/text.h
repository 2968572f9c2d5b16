/* helper/events/text.h - put any bytes into a line of text that stays one line. */
#ifndef CARREL_HELPER_EVENTS_TEXT_H
#define CARREL_HELPER_EVENTS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A buffer of fixed size; once something did not fit, `full` is set and nothing more is added. */
struct text {
	char *out;
	size_t used, size;
	bool full;
};

void text_add(struct text *text, const char *bytes, size_t length);
void text_string(struct text *text, const char *string);
void text_number(struct text *text, uint64_t number);

/* A JSON string with its quotes: control bytes and quotes escaped, invalid UTF-8 as \ufffd. */
void text_json(struct text *text, const char *string);

/*
 * For people: control characters, quotes, backslashes, bytes that are not UTF-8 and, unless
 * `with_spaces`, spaces as \xNN, the rest as it is.
 */
void text_plain(struct text *text, const char *string, bool with_spaces);

/* Length of the UTF-8 sequence at `at`, 0 if invalid (RFC 3629: also overlong, surrogates). */
size_t utf8_length(const char *at);

#endif

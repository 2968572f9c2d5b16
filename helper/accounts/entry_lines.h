/* helper/accounts/entry_lines.h - the lines of passwd and group files, as text. */
#ifndef CARREL_HELPER_ACCOUNTS_ENTRY_LINES_H
#define CARREL_HELPER_ACCOUNTS_ENTRY_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

#define ENTRY_TEXT_MAX (1024 * 1024)

/* Text that grows; `error` is ENOMEM, or EFBIG beyond ENTRY_TEXT_MAX, and then nothing is added. */
struct entry_text {
	char *text;
	size_t length, size;
	int error;
};

/* Room for a text that is going to be about so long, at least one byte. */
void entry_reserve(struct entry_text *out, size_t size);

void entry_add(struct entry_text *out, const char *bytes, size_t length);
void entry_add_string(struct entry_text *out, const char *string);
void entry_add_number(struct entry_text *out, unsigned number);

/* The digits of a number, without a NUL; how many. */
#define ENTRY_DIGITS 10
size_t entry_digits(unsigned number, char digits[ENTRY_DIGITS]);

/* A field of our own making: ':', newlines and control bytes become '_'. */
void entry_add_field(struct entry_text *out, const char *field);

/* The same for a name in a group's list of members, where ',' would begin another member. */
void entry_add_member(struct entry_text *out, const char *name);

/* The finished text (caller frees); after an error NULL with *why, where `what` names the file. */
char *entry_finish(struct entry_text *out, const char *what, struct failure *why);

/* False with *why filled when a text is longer than ENTRY_TEXT_MAX. */
bool entry_text_fits(const char *text, const char *what, struct failure *why);

/* The next line without its newline; NULL at the end. Moves *at on. */
const char *entry_next_line(const char **at, size_t *length);

/* Field number `index` of a line, split at ':'; NULL when there are not that many. */
const char *entry_field(const char *line, size_t length, unsigned index, size_t *field_length);

/* Is the field `value`, as entry_add_field writes it? */
bool entry_field_is(const char *line, size_t length, unsigned index, const char *value);
/* The same for a field at hand. */
bool entry_is_value(const char *field, size_t field_length, const char *value);
/* For tables: the same number for a value and for the field that is it. */
uint32_t entry_hash(const char *text, size_t length);

/*
 * A decimal field as glibc reads it, with blanks, a sign and zeros in front; false when it is none,
 * or the line no entry (a comment, "+" or "-" for nsswitch's "compat").
 * The line is part of a text that ends in a NUL.
 */
bool entry_field_number(const char *line, size_t length, unsigned index, unsigned *number);

/* Is `name`, as entry_add_member writes it, in a list that is separated by commas? */
bool entry_has_member(const char *members, size_t length, const char *name);

#endif

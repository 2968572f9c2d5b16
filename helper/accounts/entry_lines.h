/* helper/accounts/entry_lines.h - the lines of passwd and group files, as text. */
#ifndef CARREL_HELPER_ACCOUNTS_ENTRY_LINES_H
#define CARREL_HELPER_ACCOUNTS_ENTRY_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define ENTRY_TEXT_MAX (1024 * 1024)

/* Text that grows; `failed` is set when memory or ENTRY_TEXT_MAX runs out. */
struct entry_text {
	char *text;
	size_t length, size;
	bool failed;
};

void entry_add(struct entry_text *out, const char *bytes, size_t length);
void entry_add_string(struct entry_text *out, const char *string);
void entry_add_number(struct entry_text *out, unsigned number);

/* A field of our own making: ':', ',' (for names), newlines and control bytes become '_'. */
void entry_add_field(struct entry_text *out, const char *field);

/* The finished text (caller frees), or NULL after freeing. */
char *entry_finish(struct entry_text *out);

/* The next line without its newline; NULL at the end. Moves *at on. */
const char *entry_next_line(const char **at, size_t *length);

/* Field number `index` of a line, split at ':'; NULL when there are not that many. */
const char *entry_field(const char *line, size_t length, unsigned index, size_t *field_length);

bool entry_field_is(const char *line, size_t length, unsigned index, const char *value);

/* A decimal field; false when it is not one. */
bool entry_field_number(const char *line, size_t length, unsigned index, unsigned *number);

#endif

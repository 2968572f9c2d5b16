/* helper/admin/table.h - output that a person reads: aligned columns, short numbers, little colour.
 */
#ifndef CARREL_HELPER_ADMIN_TABLE_H
#define CARREL_HELPER_ADMIN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct table_column {
	const char *title;
	bool right; /* numbers stand at the right edge of their column */
};

struct table {
	const struct table_column *columns; /* not owned */
	size_t column_count;
	char **cells; /* row after row, owned */
	size_t cell_count, cell_size;
	bool failed; /* out of memory */
};

void table_init(struct table *table, const struct table_column *columns, size_t column_count);
/* The texts of one row, as many as there are columns; copied. NULL is shown as "-". */
void table_add(struct table *table, const char *const *texts);
/* False, with nothing printed, when memory ran out while it was filled. */
bool table_print(const struct table *table, FILE *out, bool with_header);
void table_free(struct table *table);

/*
 * A text that may come from a user, safe for a terminal: control bytes (C0, DEL, C1) and invalid
 * UTF-8 become \xNN. Always terminated; cut at a whole character when it does not fit.
 */
void text_make_safe(const char *text, char *out, size_t size);
/* How many columns a safe text takes, one for each character. */
size_t text_width(const char *safe_text);

/* "1.5G", "512M", "0"; "-" for UINT64_MAX. */
void format_bytes(uint64_t bytes, char out[16]);
/* Processor time or a duration of that many seconds: "0:07", "12:05", "3:12:05"; "-" for
 * UINT64_MAX. */
void format_clock(uint64_t seconds, char out[32]);
/* Local time "2025-11-24 17:06"; "-" for 0. */
void format_time(uint64_t seconds_since_epoch, char out[32]);

/* Is `out` a terminal on which colour is welcome? NO_COLOR (no-color.org) and TERM=dumb say no. */
bool colour_wanted(FILE *out);

#endif

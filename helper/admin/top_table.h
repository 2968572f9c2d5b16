/* helper/admin/top_table.h - which rows and columns `carrel top` shows, in which order. Pure. */
#ifndef CARREL_HELPER_ADMIN_TOP_TABLE_H
#define CARREL_HELPER_ADMIN_TOP_TABLE_H

#include "helper/admin/top_rows.h"

enum top_column {
	TOP_NAME,
	TOP_USER,
	TOP_POLICY,
	TOP_SESSIONS,
	TOP_PROCESSES,
	TOP_CPU,
	TOP_MEMORY,
	TOP_MEMORY_BAR,
	TOP_DISK,
	TOP_DISK_BAR,
	TOP_IO,
	TOP_IDLE,
	TOP_COLUMNS
};

struct top_order {
	enum top_column by;
	bool reversed; /* from the other end than where one looks first */
};

const char *top_title(enum top_column column);
const char *top_sort_name(enum top_column column); /* NULL: one does not sort by it */
bool top_is_right(enum top_column column);         /* numbers stand at the right edge */

/* The column that a key sorts by; TOP_COLUMNS: none. */
enum top_column top_column_of_key(int key);

/* The column of that top_sort_name, in any case of letters; TOP_COLUMNS: none. */
enum top_column top_column_of_name(const char *name);

/*
 * The most first where it is a number, the alphabet where it is a text, who has been idle for
 * longest; what is not known last, and what is equal by name. Rows whose name, user and policy all
 * lack `filter` (in any case of letters; NULL or "": none) are left out. `shown` has room for all;
 * returns how many.
 */
size_t top_arrange(const struct top_look *look, const struct top_order *order, const char *filter,
		   const struct top_row **shown);

/* How many characters wide each column is, with a blank between two; 0: left out. */
struct top_widths {
	unsigned of[TOP_COLUMNS];
};

/*
 * Make the most of a line of so many characters: columns go in the order of how much they are
 * missed, then texts that are cut off get what is left, then come the bars.
 */
void top_fit(const struct top_row *const *rows, size_t count, unsigned columns,
	     struct top_widths *widths);

#define TOP_CELL 1024

/*
 * What stands in one field: safe for a terminal, as wide as it wants. A bar is `width` characters
 * wide, of blocks or of plain signs.
 */
void top_cell(const struct top_row *row, enum top_column column, uint64_t now, unsigned width,
	      bool blocks, char out[TOP_CELL]);

/* How full: the percentage that decides about the colour of a field, 0 where nothing is full. */
unsigned top_percent(const struct top_row *row, enum top_column column);

/* A line of fields, cut or filled up to their widths; `row` NULL: the titles. */
void top_line(const struct top_row *row, const struct top_widths *widths, uint64_t now, bool blocks,
	      char *out, size_t size);

#endif

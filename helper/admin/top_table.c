/* helper/admin/top_table.c - which rows and columns `carrel top` shows, in which order. */
#include "helper/admin/top_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "helper/admin/quota_view.h"
#include "helper/admin/table.h"

#define BAR_LEAST 10

/* The name is never left out; of the others the one with the highest number goes first. */
static const struct column {
	const char *title;
	const char *name; /* for --sort; NULL: one does not sort by it */
	unsigned least;
	unsigned missed; /* 0: most */
	char key;
	bool right, text, bar;
} columns[TOP_COLUMNS] = {
    [TOP_NAME] = {"NAME", "name", 12, 0, 'N', false, true, false},
    [TOP_USER] = {"USER", "user", 8, 8, 'U', false, true, false},
    [TOP_POLICY] = {"POLICY", "policy", 8, 9, 'P', false, true, false},
    [TOP_SESSIONS] = {"SESS", "sessions", 4, 5, 'S', true, false, false},
    [TOP_PROCESSES] = {"PROC", "processes", 4, 4, 'R', true, false, false},
    [TOP_CPU] = {"CPU%", "cpu", 6, 1, 'C', true, false, false},
    [TOP_MEMORY] = {"MEMORY", "memory", 11, 2, 'M', true, false, false},
    [TOP_MEMORY_BAR] = {"MEMORY USED", NULL, 15, 10, '\0', false, false, true},
    [TOP_DISK] = {"DISK", "disk", 11, 6, 'D', true, false, false},
    [TOP_DISK_BAR] = {"DISK USED", NULL, 15, 11, '\0', false, false, true},
    [TOP_IO] = {"IO/S", "io", 5, 7, 'I', true, false, false},
    [TOP_IDLE] = {"IDLE", "idle", 9, 3, 'L', false, false, false},
};

const char *top_title(enum top_column column)
{
	return columns[column].title;
}

const char *top_sort_name(enum top_column column)
{
	return columns[column].name;
}

bool top_is_right(enum top_column column)
{
	return columns[column].right;
}

enum top_column top_column_of_key(int key)
{
	enum top_column column = 0;

	while (column < TOP_COLUMNS && (!columns[column].key || columns[column].key != key))
		column++;
	return column;
}

enum top_column top_column_of_name(const char *name)
{
	enum top_column column = 0;

	while (column < TOP_COLUMNS &&
	       (!columns[column].name || strcasecmp(columns[column].name, name) != 0))
		column++;
	return column;
}

static uint64_t number_of(const struct top_row *row, enum top_column column)
{
	switch (column) {
	case TOP_SESSIONS:
		return row->sessions;
	case TOP_PROCESSES:
		return row->processes;
	case TOP_CPU:
		return row->cpu_permille;
	case TOP_MEMORY:
	case TOP_MEMORY_BAR:
		return row->memory_bytes;
	case TOP_DISK:
	case TOP_DISK_BAR:
		return row->disk_bytes;
	case TOP_IO:
		return row->io_rate;
	default:
		/* Since earlier is more. */
		return row->idle_since ? UINT64_MAX - 1 - row->idle_since : 0;
	}
}

static int compare_texts(const struct top_row *a, const struct top_row *b, enum top_column column)
{
	if (column == TOP_USER)
		return strcmp(a->user, b->user);
	return column == TOP_POLICY ? strcmp(a->policy, b->policy) : 0;
}

static int compare(const void *left, const void *right, void *data)
{
	const struct top_row *a = *(const struct top_row *const *)left,
			     *b = *(const struct top_row *const *)right;
	const struct top_order *order = data;
	int result = 0;

	if (columns[order->by].text) {
		result = compare_texts(a, b, order->by);
		if (result == 0 && order->by == TOP_NAME)
			result = strcmp(a->name, b->name);
	} else {
		uint64_t x = number_of(a, order->by), y = number_of(b, order->by);

		if ((x == UINT64_MAX) != (y == UINT64_MAX))
			return x == UINT64_MAX ? 1 : -1;
		result = (x < y) - (x > y);
	}
	if (order->reversed)
		result = -result;
	return result ? result : strcmp(a->name, b->name);
}

static bool passes(const struct top_row *row, const char *filter)
{
	return !filter || !*filter || strcasestr(row->name, filter) ||
	       strcasestr(row->user, filter) || strcasestr(row->policy, filter);
}

size_t top_arrange(const struct top_look *look, const struct top_order *order, const char *filter,
		   const struct top_row **shown)
{
	struct top_order by = *order;
	size_t count = 0;

	for (size_t i = 0; i < look->count; i++)
		if (passes(&look->rows[i], filter))
			shown[count++] = &look->rows[i];
	qsort_r(shown, count, sizeof(const struct top_row *), compare, &by);
	return count;
}

static unsigned total(const struct top_widths *widths)
{
	unsigned sum = 0;

	for (enum top_column i = 0; i < TOP_COLUMNS; i++)
		if (widths->of[i])
			sum += widths->of[i] + 1;
	return sum ? sum - 1 : 0;
}

/* What the texts of a column would take to stand there whole. */
static unsigned wanted(const struct top_row *const *rows, size_t count, enum top_column column)
{
	size_t most = columns[column].least;

	for (size_t i = 0; i < count; i++) {
		char text[TOP_CELL];
		size_t width;

		top_cell(rows[i], column, 0, 0, false, text);
		width = text_width(text);
		if (width > most)
			most = width;
	}
	return (unsigned)most;
}

/* The column that comes next in the order of how much it is missed. */
static enum top_column ranked(unsigned missed)
{
	enum top_column column = 0;

	while (column < TOP_COLUMNS && columns[column].missed != missed)
		column++;
	return column;
}

void top_fit(const struct top_row *const *rows, size_t count, unsigned line,
	     struct top_widths *widths)
{
	*widths = (struct top_widths){0};
	for (unsigned missed = 0; missed < TOP_COLUMNS; missed++) {
		enum top_column column = ranked(missed);

		/* Whole names are worth more than bars. */
		if (columns[column].bar)
			break;
		widths->of[column] = columns[column].least;
		if (missed > 0 && total(widths) > line) {
			widths->of[column] = 0;
			break;
		}
	}
	for (enum top_column i = 0; i < TOP_COLUMNS; i++) {
		unsigned room = line > total(widths) ? line - total(widths) : 0, more;

		if (!columns[i].text || !widths->of[i])
			continue;
		more = wanted(rows, count, i) - widths->of[i];
		widths->of[i] += more < room ? more : room;
	}
	for (enum top_column i = 0; i < TOP_COLUMNS; i++)
		if (columns[i].bar && widths->of[TOP_POLICY] &&
		    total(widths) + 1 + columns[i].least <= line)
			widths->of[i] = columns[i].least;
	if (widths->of[TOP_NAME] > line)
		widths->of[TOP_NAME] = line;
}

static void put_number(uint64_t value, char out[TOP_CELL])
{
	if (value == UINT64_MAX)
		(void)snprintf(out, TOP_CELL, "-");
	else
		(void)snprintf(out, TOP_CELL, "%" PRIu64, value);
}

static void put_of(uint64_t used, uint64_t limit, char out[TOP_CELL])
{
	char a[16], b[16];

	format_bytes(used, a);
	format_bytes(limit, b);
	(void)snprintf(out, TOP_CELL, limit == UINT64_MAX ? "%s" : "%s/%s", a, b);
}

static void put_bar(uint64_t used, uint64_t limit, unsigned width, bool blocks, char out[TOP_CELL])
{
	if (used == UINT64_MAX || limit == UINT64_MAX || width > TOP_CELL / 4)
		*out = '\0';
	else
		quota_bar(quota_percent(used, limit), width, blocks, out);
}

/* "5s", "12m", "3h", "4d": how long is all that matters. */
static void put_idle(const struct top_row *row, uint64_t now, char out[TOP_CELL])
{
	uint64_t seconds = now > row->idle_since ? now - row->idle_since : 0;

	if (strcmp(row->state, "running") != 0)
		(void)snprintf(out, TOP_CELL, "%s", row->state);
	else if (!row->idle_since)
		(void)snprintf(out, TOP_CELL, "-");
	else if (seconds < 60)
		(void)snprintf(out, TOP_CELL, "%" PRIu64 "s", seconds);
	else if (seconds < 3600)
		(void)snprintf(out, TOP_CELL, "%" PRIu64 "m", seconds / 60);
	else if (seconds < 86400)
		(void)snprintf(out, TOP_CELL, "%" PRIu64 "h", seconds / 3600);
	else
		(void)snprintf(out, TOP_CELL, "%" PRIu64 "d", seconds / 86400);
}

void top_cell(const struct top_row *row, enum top_column column, uint64_t now, unsigned width,
	      bool blocks, char out[TOP_CELL])
{
	switch (column) {
	case TOP_NAME:
		text_make_safe(row->name, out, TOP_CELL);
		break;
	case TOP_USER:
		text_make_safe(row->user, out, TOP_CELL);
		break;
	case TOP_POLICY:
		text_make_safe(row->policy, out, TOP_CELL);
		break;
	case TOP_CPU:
		if (row->cpu_permille == UINT64_MAX)
			put_number(UINT64_MAX, out);
		else
			(void)snprintf(out, TOP_CELL, "%.1f", (double)row->cpu_permille / 10);
		break;
	case TOP_MEMORY:
		put_of(row->memory_bytes, row->memory_limit, out);
		break;
	case TOP_DISK:
		put_of(row->disk_bytes, row->disk_limit, out);
		break;
	case TOP_MEMORY_BAR:
		put_bar(row->memory_bytes, row->memory_limit, width, blocks, out);
		break;
	case TOP_DISK_BAR:
		put_bar(row->disk_bytes, row->disk_limit, width, blocks, out);
		break;
	case TOP_IO: {
		char rate[16];

		format_bytes(row->io_rate, rate);
		(void)snprintf(out, TOP_CELL, "%s", rate);
		break;
	}
	case TOP_IDLE:
		put_idle(row, now, out);
		break;
	default:
		put_number(number_of(row, column), out);
	}
}

unsigned top_percent(const struct top_row *row, enum top_column column)
{
	bool disk = column == TOP_DISK || column == TOP_DISK_BAR;
	bool memory = column == TOP_MEMORY || column == TOP_MEMORY_BAR;
	uint64_t used = disk ? row->disk_bytes : row->memory_bytes;
	uint64_t limit = disk ? row->disk_limit : row->memory_limit;

	if ((!disk && !memory) || used == UINT64_MAX || limit == UINT64_MAX)
		return 0;
	return quota_percent(used, limit);
}

/* Characters, of which some are several bytes; whoever sees '+' knows that there is more. */
static void put_field(const char *text, unsigned width, bool right, char *out, size_t size)
{
	size_t used = text_width(text), blanks = used < width ? width - used : 0;
	const char *end = text;

	if (used <= width) {
		(void)snprintf(out, size, "%*s%s%*s", right ? (int)blanks : 0, "", text,
			       right ? 0 : (int)blanks, "");
		return;
	}
	for (unsigned i = 0; i + 1 < width; i++)
		do
			end++;
		while (((unsigned char)*end & 0xc0) == 0x80);
	(void)snprintf(out, size, "%.*s+", (int)(end - text), text);
}

void top_line(const struct top_row *row, const struct top_widths *widths, uint64_t now, bool blocks,
	      char *out, size_t size)
{
	size_t used = 0;

	*out = '\0';
	for (enum top_column i = 0; i < TOP_COLUMNS; i++) {
		char text[TOP_CELL], field[2 * TOP_CELL];
		int length;

		if (!widths->of[i])
			continue;
		if (row)
			top_cell(row, i, now, widths->of[i], blocks, text);
		put_field(row ? text : columns[i].title, widths->of[i], columns[i].right, field,
			  sizeof(field));
		length = snprintf(out + used, size - used, "%s%s", used ? " " : "", field);
		if (length < 0 || (size_t)length >= size - used)
			return;
		used += (size_t)length;
	}
}

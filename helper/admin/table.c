/* helper/admin/table.c - lay rows of text out in columns that are as wide as they must be. */
#include "helper/admin/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void table_init(struct table *table, const struct table_column *columns, size_t column_count)
{
	*table = (struct table){.columns = columns, .column_count = column_count};
}

static bool make_room(struct table *table)
{
	size_t size = table->cell_size ? table->cell_size * 2 : 16 * table->column_count;
	char **cells;

	if (table->cell_count + table->column_count <= table->cell_size)
		return true;
	cells = reallocarray(table->cells, size, sizeof(*cells));
	if (!cells)
		return false;
	table->cells = cells;
	table->cell_size = size;
	return true;
}

static char *safe_copy(const char *text)
{
	size_t size = strlen(text) * 4 + 1;
	char *copy = malloc(size);

	if (copy)
		text_make_safe(text, copy, size);
	return copy;
}

void table_add(struct table *table, const char *const *texts)
{
	if (table->failed || !make_room(table)) {
		table->failed = true;
		return;
	}
	for (size_t i = 0; i < table->column_count; i++) {
		char *copy = safe_copy(texts[i] ? texts[i] : "-");

		if (!copy)
			table->failed = true;
		table->cells[table->cell_count++] = copy;
	}
}

static void print_row(const struct table *table, FILE *out, char *const *cells,
		      const size_t *widths)
{
	size_t last = table->column_count;

	/* Nothing after the last text, so that no line ends in blanks. */
	while (last > 1 && !*(cells ? cells[last - 1] : table->columns[last - 1].title))
		last--;
	for (size_t i = 0; i < last; i++) {
		const char *text = cells ? cells[i] : table->columns[i].title;
		int padding = (int)(widths[i] - text_width(text));

		if (table->columns[i].right)
			(void)fprintf(out, "%*s%s", padding, "", text);
		else
			(void)fprintf(out, "%s%*s", text, i + 1 == last ? 0 : padding, "");
		(void)fputs(i + 1 == last ? "\n" : "  ", out);
	}
}

bool table_print(const struct table *table, FILE *out, bool with_header)
{
	_cleanup_free_ size_t *widths = calloc(table->column_count, sizeof(*widths));

	if (table->failed || !widths)
		return false;
	for (size_t i = 0; with_header && i < table->column_count; i++)
		widths[i] = text_width(table->columns[i].title);
	for (size_t i = 0; i < table->cell_count; i++) {
		size_t width = text_width(table->cells[i]);

		if (width > widths[i % table->column_count])
			widths[i % table->column_count] = width;
	}
	if (with_header) {
		bool colour = colour_wanted(out);

		(void)fputs(colour ? "\033[1m" : "", out);
		print_row(table, out, NULL, widths);
		(void)fputs(colour ? "\033[0m" : "", out);
	}
	for (size_t i = 0; i < table->cell_count; i += table->column_count)
		print_row(table, out, table->cells + i, widths);
	return true;
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){0};
}

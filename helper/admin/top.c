/* helper/admin/top.c - `carrel top`: the containers that run, again and again; here the command
 * line, and the table for scripts. */
#include "helper/admin/top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helper/admin/commands.h"
#include "helper/admin/framing.h"
#include "helper/admin/table.h"

#define DELAY_SECONDS 2
#define DELAY_MAX     3600
#define ROUNDS_MAX    1000000000

static void sleep_seconds(uint64_t seconds)
{
	const struct timespec pause = {.tv_sec = (time_t)seconds};

	(void)nanosleep(&pause, NULL);
}

/* Every column but the bars, which say nothing that the numbers do not. */
static const enum top_column batch_columns[] = {TOP_NAME,      TOP_USER, TOP_POLICY, TOP_SESSIONS,
						TOP_PROCESSES, TOP_CPU,  TOP_MEMORY, TOP_DISK,
						TOP_IO,        TOP_IDLE};
#define BATCH_COLUMNS ARRAY_LENGTH(batch_columns)

static int print_look(const struct top_look *look, const struct top_settings *settings)
{
	_cleanup_free_ const struct top_row **shown =
	    calloc(look->count + 1, sizeof(struct top_row *));
	struct table_column columns[BATCH_COLUMNS];
	struct table table;
	size_t count;
	bool printed;

	if (!shown)
		return complain("out of memory");
	for (size_t i = 0; i < BATCH_COLUMNS; i++)
		columns[i] = (struct table_column){top_title(batch_columns[i]),
						   top_is_right(batch_columns[i])};
	count = top_arrange(look, &settings->order, settings->filter, shown);
	table_init(&table, columns, BATCH_COLUMNS);
	for (size_t i = 0; i < count; i++) {
		char cells[BATCH_COLUMNS][TOP_CELL];
		const char *texts[BATCH_COLUMNS];

		for (size_t j = 0; j < BATCH_COLUMNS; j++) {
			top_cell(shown[i], batch_columns[j], look->taken_at, 0, false, cells[j]);
			texts[j] = cells[j];
		}
		table_add(&table, texts);
	}
	printed = table_print(&table, stdout, true);
	table_free(&table);
	return printed ? output_status(STATUS_OK) : complain("out of memory");
}

/* Rates need two looks: the first table comes a second after the start. */
static int run_batch(const struct context *context, const struct top_settings *settings)
{
	struct top_look before = {0}, now;
	int status = STATUS_OK;

	if (!top_look_take(context, &before))
		return STATUS_FAILED;
	for (uint64_t i = 0; i < settings->rounds && status == STATUS_OK; i++) {
		sleep_seconds(i == 0 ? 1 : settings->delay_seconds);
		if (!top_look_take(context, &now)) {
			status = STATUS_FAILED;
			break;
		}
		top_look_rates(&before, &now);
		if (i > 0)
			(void)putchar('\n');
		status = print_look(&now, settings);
		top_look_free(&before);
		before = now;
	}
	top_look_free(&before);
	return status;
}

struct top_command {
	struct top_settings settings;
	bool batch;
};

static int work(const struct context *context, const struct operands *operands, void *data)
{
	const struct top_command *it = data;

	(void)operands;
	return it->batch ? run_batch(context, &it->settings) : top_screen(context, &it->settings);
}

static int unknown_column(const struct command *command, const char *name)
{
	char known[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < BATCH_COLUMNS; i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "",
					 top_sort_name(batch_columns[i]));
	return usage_error(command, "--sort: there is no column '%s': say one of %s", name, known);
}

int run_top(const struct command *command, int argc, char **argv)
{
	const char *count = NULL, *delay = NULL, *sort = NULL;
	struct top_command it = {.settings = {.delay_seconds = DELAY_SECONDS,
					      .rounds = UINT64_MAX,
					      .order = {.by = TOP_CPU}}};
	const struct option_spec specs[] = {
	    {.name = "batch", .letter = 'b', .flag = &it.batch},
	    {.name = "count", .letter = 'n', .value = &count},
	    {.name = "delay", .letter = 'd', .value = &delay},
	    {.name = "filter", .letter = 'f', .value = &it.settings.filter},
	    {.name = "reverse", .letter = 'r', .flag = &it.settings.order.reversed},
	    {.name = "sort", .letter = 's', .value = &sort},
	};
	struct operands none;
	struct failure why;
	int status = options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 0, 0, &none);

	if (status != STATUS_GO_ON)
		return status;
	if (delay && !parse_count(delay, 1, DELAY_MAX, &it.settings.delay_seconds, &why))
		return usage_error(command, "--delay: %s", why.text);
	if (count && !parse_count(count, 1, ROUNDS_MAX, &it.settings.rounds, &why))
		return usage_error(command, "--count: %s", why.text);
	if (count && !it.batch)
		return usage_error(command, "--count is for --batch");
	if (sort) {
		it.settings.order.by = top_column_of_name(sort);
		if (it.settings.order.by == TOP_COLUMNS)
			return unknown_column(command, sort);
	}
	if (!it.batch && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return complain("top: this is not a terminal: say 'carrel top --batch', or "
				"'carrel list'");
	return command_work_on(&none, work, &it);
}

/* helper/admin/top_draw.c - draw the screen of `carrel top`. */
#include <curses.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "helper/admin/table.h"
#include "helper/admin/top_screen.h"

#define HEAD_LINES   4 /* two of sums, one to ask and tell, the titles */
#define FOOT_LINES   1
#define LINE_BYTES   8192
#define NEAR_PERCENT 80
#define FULL_PERCENT 95

static const char *const help[] = {
    "up, down, PgUp, PgDn, Home, End   choose a container",
    "/                                 show only names, users and policies with a text in it",
    "C M D I   sort by CPU, memory, disk, what is read and written",
    "N U P     sort by name, user, policy",
    "S R L     sort by sessions, processes, how long it is idle",
    "r         the other way round",
    "f t       freeze the container, thaw it",
    "s         stop it",
    "m         write a message to its terminals",
    "blank     look again now",
    "q         end",
    "",
    "MEMORY and DISK are what is used of the limit. CPU% is of one processor. IO/S is",
    "what reaches a disk. IDLE is since when nobody is logged in.",
};

size_t top_page(void)
{
	return LINES > HEAD_LINES + FOOT_LINES ? (size_t)(LINES - HEAD_LINES - FOOT_LINES) : 1;
}

/* A line of any length, cut off at the edge; a long one would go on on the next. */
static void put_line(int y, const char *text)
{
	const char *end = text;

	for (int i = 0; i < COLS && *end; i++)
		do
			end++;
		while (((unsigned char)*end & 0xc0) == 0x80);
	(void)mvaddnstr(y, 0, text, (int)(end - text));
}

static uint64_t plus(uint64_t sum, uint64_t more)
{
	return more == UINT64_MAX ? sum : sum + more;
}

static void draw_sums(const struct top_screen *screen)
{
	uint64_t sessions = 0, processes = 0, cpu = 0, memory = 0, io = 0;
	size_t frozen = 0;
	char line[LINE_BYTES], bytes[16], rate[16], stamp[16] = "";
	time_t now = (time_t)screen->look.taken_at;
	struct tm local;

	for (size_t i = 0; i < screen->look.count; i++) {
		const struct top_row *row = &screen->look.rows[i];

		sessions = plus(sessions, row->sessions);
		processes = plus(processes, row->processes);
		cpu = plus(cpu, row->cpu_permille);
		memory = plus(memory, row->memory_bytes);
		io = plus(io, row->io_rate);
		frozen += strcmp(row->state, "frozen") == 0;
	}
	if (localtime_r(&now, &local))
		(void)strftime(stamp, sizeof(stamp), "%H:%M:%S", &local);
	format_bytes(memory, bytes);
	format_bytes(io, rate);
	(void)snprintf(line, sizeof(line),
		       "carrel top  %s  %zu running, %zu frozen, %" PRIu64 " sessions, %" PRIu64
		       " processes",
		       stamp, screen->look.count, frozen, sessions, processes);
	put_line(0, line);
	(void)snprintf(line, sizeof(line), "cpu %.1f%%, memory %s, io %s/s; by %s%s%s%s%s",
		       (double)cpu / 10, bytes, rate, top_sort_name(screen->order.by),
		       screen->order.reversed ? ", reversed" : "",
		       screen->filter[0] ? "; only '" : "", screen->filter,
		       screen->filter[0] ? "'" : "");
	put_line(1, line);
}

/* What is asked, else what was said last. */
static void draw_talk(const struct top_screen *screen)
{
	static const struct {
		const char *before, *after;
	} questions[] = {
	    [TOP_FREEZE] = {"Freeze ", ": hold all that runs in it?"},
	    [TOP_THAW] = {"Let ", " go on?"},
	    [TOP_STOP] = {"Stop ", ", and all that runs in it?"},
	};
	char line[LINE_BYTES];

	switch (screen->mode) {
	case TOP_FILTERING:
		(void)snprintf(line, sizeof(line), "/%s_", screen->filter);
		break;
	case TOP_WRITING:
		(void)snprintf(line, sizeof(line), "Message to %s (Enter sends, Esc does not): %s_",
			       screen->target, screen->text);
		break;
	case TOP_ASKING:
		(void)snprintf(line, sizeof(line), "%s%s%s [y/N] ",
			       questions[screen->action].before, screen->target,
			       questions[screen->action].after);
		break;
	default:
		(void)snprintf(line, sizeof(line), "%s", screen->said);
	}
	(void)attron(A_BOLD);
	put_line(2, line);
	(void)attroff(A_BOLD);
}

static void colour_field(int y, unsigned x, unsigned width, unsigned percent)
{
	if (percent >= NEAR_PERCENT)
		(void)mvchgat(y, (int)x, (int)width, A_BOLD, percent >= FULL_PERCENT ? 2 : 1, NULL);
}

static void draw_row(const struct top_screen *screen, const struct top_widths *widths, size_t index,
		     int y)
{
	const struct top_row *row = screen->shown[index];
	char line[LINE_BYTES];
	unsigned x = 0;

	top_line(row, widths, screen->look.taken_at, screen->blocks, line, sizeof(line));
	put_line(y, line);
	for (enum top_column i = 0; screen->colour && i < TOP_COLUMNS; i++) {
		if (!widths->of[i])
			continue;
		colour_field(y, x, widths->of[i], top_percent(row, i));
		x += widths->of[i] + 1;
	}
	if (index == screen->cursor)
		(void)mvchgat(y, 0, -1, A_REVERSE, 0, NULL);
}

static void draw_table(struct top_screen *screen)
{
	size_t page = top_page();
	struct top_widths widths;
	char line[LINE_BYTES];

	if (screen->cursor < screen->top)
		screen->top = screen->cursor;
	if (screen->cursor >= screen->top + page)
		screen->top = screen->cursor - page + 1;
	if (screen->top + page > screen->shown_count)
		screen->top = screen->shown_count > page ? screen->shown_count - page : 0;
	top_fit(screen->shown, screen->shown_count, (unsigned)COLS, &widths);
	top_line(NULL, &widths, 0, screen->blocks, line, sizeof(line));
	put_line(HEAD_LINES - 1, line);
	(void)mvchgat(HEAD_LINES - 1, 0, -1, A_REVERSE, 0, NULL);
	for (size_t i = 0; i < page && screen->top + i < screen->shown_count; i++)
		draw_row(screen, &widths, screen->top + i, (int)i + HEAD_LINES);
	if (screen->shown_count == 0)
		put_line(HEAD_LINES, screen->look.count ? "none of them has the text of the filter"
							: "no container is running");
}

static void draw_help(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(help); i++)
		put_line(HEAD_LINES - 1 + (int)i, help[i]);
}

void top_draw(struct top_screen *screen)
{
	(void)erase();
	draw_sums(screen);
	draw_talk(screen);
	if (screen->mode == TOP_READING)
		draw_help();
	else
		draw_table(screen);
	put_line(LINES - 1, screen->mode == TOP_READING
				? "any key: back"
				: "? help  / filter  CMDINUPSRL sort  f freeze  t thaw  s stop  "
				  "m message  q end");
	(void)refresh();
}

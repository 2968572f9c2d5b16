/* helper/admin/top_keys.c - what the keys of `carrel top` do. */
#include <ctype.h>
#include <curses.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "helper/admin/top_screen.h"

#define ESCAPE 27
#define RUBOUT 127

static void act(struct top_screen *screen, const char *text)
{
	if (top_act(screen->action, screen->target, text, screen->telling) < 0)
		(void)snprintf(screen->said, sizeof(screen->said), "cannot start a process: %s",
			       strerror(errno));
	else
		screen->said[0] = '\0';
}

/* Put a typed byte at the end of the line, or take a character away. */
static void edit(char *line, size_t size, int key)
{
	size_t length = strlen(line);

	if (key == KEY_BACKSPACE || key == RUBOUT || key == '\b') {
		while (length > 0 && ((unsigned char)line[--length] & 0xc0) == 0x80)
			;
		line[length] = '\0';
	} else if (key == ('u' & 0x1f)) {
		*line = '\0';
	} else if (key >= ' ' && key <= 0xff && length + 1 < size) {
		line[length] = (char)key;
		line[length + 1] = '\0';
	}
}

static bool is_enter(int key)
{
	return key == '\n' || key == '\r' || key == KEY_ENTER;
}

static void filter_key(struct top_screen *screen, int key)
{
	if (key == ESCAPE)
		screen->filter[0] = '\0';
	if (key == ESCAPE || is_enter(key))
		screen->mode = TOP_BROWSE;
	else
		edit(screen->filter, sizeof(screen->filter), key);
	(void)top_rearrange(screen);
}

static void message_key(struct top_screen *screen, int key)
{
	if (is_enter(key) && screen->text[0])
		act(screen, screen->text);
	if (is_enter(key) || key == ESCAPE)
		screen->mode = TOP_BROWSE;
	else
		edit(screen->text, sizeof(screen->text), key);
}

static void ask(struct top_screen *screen, enum top_action action)
{
	if (screen->shown_count == 0)
		return;
	screen->action = action;
	(void)snprintf(screen->target, sizeof(screen->target), "%s",
		       screen->shown[screen->cursor]->name);
	screen->text[0] = '\0';
	screen->mode = action == TOP_MESSAGE ? TOP_WRITING : TOP_ASKING;
}

static void move_cursor(struct top_screen *screen, int key)
{
	size_t last = screen->shown_count ? screen->shown_count - 1 : 0, page = top_page();
	size_t at = screen->cursor;

	if (key == KEY_UP || key == 'k')
		at = at > 0 ? at - 1 : 0;
	else if (key == KEY_DOWN || key == 'j')
		at++;
	else if (key == KEY_PPAGE)
		at = at > page ? at - page : 0;
	else if (key == KEY_NPAGE)
		at += page;
	else if (key == KEY_HOME)
		at = 0;
	else if (key == KEY_END)
		at = last;
	else
		return;
	screen->cursor = at < last ? at : last;
	/* From now on it is this container that is followed, wherever it is sorted to. */
	if (screen->shown_count)
		(void)snprintf(screen->chosen, sizeof(screen->chosen), "%s",
			       screen->shown[screen->cursor]->name);
}

static void browse_key(struct top_screen *screen, int key)
{
	static const struct {
		int key;
		enum top_action action;
	} actions[] = {{'f', TOP_FREEZE}, {'t', TOP_THAW}, {'s', TOP_STOP}, {'m', TOP_MESSAGE}};
	enum top_column column = top_column_of_key(key);

	for (size_t i = 0; i < ARRAY_LENGTH(actions); i++)
		if (actions[i].key == key)
			ask(screen, actions[i].action);
	if (key == 'q' || key == 'Q')
		screen->over = true;
	else if (key == '?' || key == 'h')
		screen->mode = TOP_READING;
	else if (key == ' ')
		screen->again = true;
	else if (key == '/')
		screen->mode = TOP_FILTERING;
	else if (column != TOP_COLUMNS)
		screen->order = (struct top_order){.by = column};
	else if (key == 'r')
		screen->order.reversed = !screen->order.reversed;
	else
		move_cursor(screen, key);
	if (column != TOP_COLUMNS || key == 'r')
		(void)top_rearrange(screen);
}

void top_key(struct top_screen *screen, int key)
{
	if (key == KEY_RESIZE) {
		(void)clearok(curscr, TRUE);
		return;
	}
	switch (screen->mode) {
	case TOP_FILTERING:
		filter_key(screen, key);
		break;
	case TOP_WRITING:
		message_key(screen, key);
		break;
	case TOP_ASKING:
		screen->mode = TOP_BROWSE;
		if (key == 'y' || key == 'Y')
			act(screen, NULL);
		break;
	case TOP_READING:
		screen->mode = TOP_BROWSE;
		break;
	default:
		browse_key(screen, key);
	}
}

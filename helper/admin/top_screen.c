/* helper/admin/top_screen.c - the screen of `carrel top`: look, draw, wait for a key, again. */
#include "helper/admin/top_screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper/admin/admin.h"
#include "helper/admin/table.h"

#define SECOND_MS 1000

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool top_rearrange(struct top_screen *screen)
{
	const struct top_row **shown = calloc(screen->look.count + 1, sizeof(struct top_row *));

	if (!shown)
		return false;
	free(screen->shown);
	screen->shown = shown;
	screen->shown_count =
	    top_arrange(&screen->look, &screen->order, screen->filter, screen->shown);
	for (size_t i = 0; i < screen->shown_count; i++)
		if (strcmp(shown[i]->name, screen->chosen) == 0)
			screen->cursor = i;
	if (screen->cursor >= screen->shown_count)
		screen->cursor = screen->shown_count ? screen->shown_count - 1 : 0;
	return true;
}

static bool look_again(struct top_screen *screen)
{
	struct top_look now;

	if (!top_look_take(screen->context, &now))
		return false;
	top_look_rates(&screen->look, &now);
	/* `shown` points into the old one until it is made anew. */
	screen->shown_count = 0;
	top_look_free(&screen->look);
	screen->look = now;
	return top_rearrange(screen);
}

/* The last line is what counts; a command writes its lines whole. */
static void hear(struct top_screen *screen)
{
	char text[1024], *line;
	ssize_t got = read(screen->told, text, sizeof(text) - 1);

	if (got <= 0)
		return;
	while (got > 0 && text[got - 1] == '\n')
		got--;
	text[got] = '\0';
	line = strrchr(text, '\n');
	text_make_safe(line ? line + 1 : text, screen->said, sizeof(screen->said));
}

/* Until the time of the next look; a resize interrupts poll, and ncurses makes a key of it. */
static void wait_until(struct top_screen *screen, uint64_t deadline)
{
	while (!screen->over) {
		struct pollfd watches[] = {{.fd = STDIN_FILENO, .events = POLLIN},
					   {.fd = screen->told, .events = POLLIN}};
		uint64_t now = now_ms();
		int key;

		if (now >= deadline || screen->again)
			return;
		if (poll(watches, ARRAY_LENGTH(watches), (int)(deadline - now)) < 0 &&
		    errno != EINTR)
			return;
		while (!screen->over && (key = getch()) != ERR)
			top_key(screen, key);
		if (watches[0].revents & (POLLHUP | POLLERR))
			screen->over = true; /* nobody is there any more */
		if (watches[1].revents & POLLIN)
			hear(screen);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			screen->again = true; /* show what has become of it */
		top_draw(screen);
	}
}

/* A teletype is a terminal, too. */
static bool can_move(void)
{
	const char *cup = tigetstr("cup");

	return cup && cup != (const char *)-1;
}

static bool begin(struct top_screen *screen, SCREEN **terminal)
{
	const char *kind = getenv("TERM");

	*terminal = newterm(NULL, stdout, stdin);
	if (*terminal && !can_move()) {
		(void)endwin();
		delscreen(*terminal);
		*terminal = NULL;
	}
	if (!*terminal) {
		(void)complain("top: a terminal of kind '%s' cannot be drawn on: set TERM to what "
			       "it is, or say 'carrel top --batch'",
			       kind ? kind : "");
		return false;
	}
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)nodelay(stdscr, TRUE);
	(void)keypad(stdscr, TRUE);
	(void)set_escdelay(50);
	(void)curs_set(0);
	if (screen->colour && has_colors()) {
		(void)start_color();
		(void)use_default_colors();
		(void)init_pair(1, COLOR_YELLOW, -1);
		(void)init_pair(2, COLOR_RED, -1);
	} else {
		screen->colour = false;
	}
	return true;
}

static int serve(struct top_screen *screen)
{
	/* Rates need two looks: the second one comes soon. */
	uint64_t delay_ms = screen->delay_ms < SECOND_MS ? screen->delay_ms : SECOND_MS;

	while (!screen->over) {
		uint64_t deadline = now_ms() + delay_ms;

		screen->again = false;
		top_draw(screen);
		wait_until(screen, deadline);
		if (!screen->over && !look_again(screen))
			return STATUS_FAILED;
		delay_ms = screen->delay_ms;
	}
	return STATUS_OK;
}

/* What is complained about while the screen is there goes where the commands' words go. */
static int open_screen(struct top_screen *screen)
{
	_cleanup_close_ int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	SCREEN *terminal;
	int status;

	if (before < 0 || !begin(screen, &terminal))
		return STATUS_FAILED;
	(void)dup2(screen->telling, STDERR_FILENO);
	status = serve(screen);
	(void)endwin();
	delscreen(terminal);
	(void)dup2(before, STDERR_FILENO);
	return status;
}

int top_screen(const struct context *context, const struct top_settings *settings)
{
	struct top_screen screen = {
	    .context = context,
	    .delay_ms = settings->delay_seconds * 1000,
	    .order = settings->order,
	    .blocks = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	    .colour = colour_wanted(stdout),
	};
	int ends[2], status = STATUS_FAILED;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return complain("top: cannot make a pipe: %m");
	screen.told = ends[0];
	screen.telling = ends[1];
	(void)snprintf(screen.filter, sizeof(screen.filter), "%s",
		       settings->filter ? settings->filter : "");
	if (look_again(&screen))
		status = open_screen(&screen);
	if (status != STATUS_OK && screen.said[0])
		(void)complain("%s", screen.said);
	free(screen.shown);
	top_look_free(&screen.look);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return status;
}

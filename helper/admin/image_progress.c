/* helper/admin/image_progress.c - show how far a long piece of work is, and stop it when asked to.
 */
#include "helper/admin/image_progress.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "helper/admin/table.h"

#define BAR_WIDTH   24
#define REDRAW_MS   100
#define COLUMNS_MAX 200

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool progress_begin(struct progress *progress, unsigned steps, struct failure *why)
{
	const char *kind = getenv("TERM");
	sigset_t wanted;

	*progress = (struct progress){.steps = steps, .signals = -1};
	progress->terminal = isatty(STDOUT_FILENO) && kind && strcmp(kind, "dumb") != 0;
	(void)sigemptyset(&wanted);
	(void)sigaddset(&wanted, SIGINT);
	(void)sigaddset(&wanted, SIGTERM);
	(void)sigaddset(&wanted, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &wanted, &progress->before) < 0 ||
	    (progress->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot watch for signals");
	return true;
}

void progress_clear(struct progress *progress)
{
	if (progress->drawn)
		(void)fputs("\r\033[K", stdout);
	progress->drawn = false;
	(void)fflush(stdout);
}

void progress_end(struct progress *progress)
{
	struct signalfd_siginfo taken;

	progress_clear(progress);
	if (progress->signals < 0)
		return;
	/* What arrived has been acted upon, and must not end us now. */
	while (read(progress->signals, &taken, sizeof(taken)) == (ssize_t)sizeof(taken))
		;
	cleanup_close(&progress->signals);
	(void)sigprocmask(SIG_SETMASK, &progress->before, NULL);
}

static size_t terminal_width(void)
{
	struct winsize window = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_col < 20)
		return 79;
	return window.ws_col <= COLUMNS_MAX ? window.ws_col - 1u : COLUMNS_MAX;
}

static void draw(struct progress *progress, uint64_t done, uint64_t total, const char *detail)
{
	uint64_t part = done < total ? done : total;
	int filled = total ? (int)((double)part / (double)total * BAR_WIDTH) : 0;
	char line[1024], safe[COLUMNS_MAX + 1], bar[64] = "";

	if (total)
		(void)snprintf(bar, sizeof(bar), " [%.*s%*s] %3u%%", filled,
			       "########################", BAR_WIDTH - filled, "",
			       (unsigned)(part * 100 / total));
	(void)snprintf(line, sizeof(line), "[%u/%u] %.60s%s %.800s", progress->step,
		       progress->steps, progress->what, bar, detail ? detail : "");
	text_make_safe(line, safe, terminal_width() + 1);
	(void)printf("\r\033[K%s", safe);
	(void)fflush(stdout);
	progress->drawn = true;
	progress->drawn_at = now_ms();
}

void progress_step(struct progress *progress, const char *what)
{
	progress_clear(progress);
	progress->step++;
	progress->what = what;
	progress->drawn_at = 0;
	if (progress->terminal)
		draw(progress, 0, 0, NULL);
	else
		(void)printf("[%u/%u] %s\n", progress->step, progress->steps, what);
	(void)fflush(stdout);
}

bool progress_stopped(struct progress *progress, struct failure *why)
{
	struct pollfd signals = {.fd = progress->signals, .events = POLLIN};

	if (poll(&signals, 1, 0) != 1)
		return false;
	(void)fail(why, FAILURE_BUSY, 0, "interrupted; nothing has been changed");
	return true;
}

bool progress_tell(struct progress *progress, uint64_t done, uint64_t total, const char *detail,
		   struct failure *why)
{
	if (progress->terminal && now_ms() >= progress->drawn_at + REDRAW_MS)
		draw(progress, done, total, detail);
	return !progress_stopped(progress, why);
}

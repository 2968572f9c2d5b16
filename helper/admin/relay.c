/* helper/admin/relay.c - carry bytes between the admin's terminal and the container. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/admin/enter.h"

/* After the program's end: a process in the background may hold its terminal open for ever. */
#define DRAIN_MS 200

static bool is_open(const struct relay *relay)
{
	return relay->from >= 0 || relay->used > relay->sent;
}

static void end_relay(struct relay *relay)
{
	relay->from = -1;
	relay->used = relay->sent = 0;
	if (relay->close_to && relay->to >= 0)
		cleanup_close(&relay->to);
	relay->to = -1;
}

static void fill(struct relay *relay)
{
	ssize_t got = read(relay->from, relay->buffer, sizeof(relay->buffer));

	relay->sent = 0;
	relay->used = got > 0 ? (size_t)got : 0;
	/* EIO: nobody has the other side of a terminal open any more. */
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		end_relay(relay);
}

static void drain(struct relay *relay)
{
	ssize_t sent = write(relay->to, relay->buffer + relay->sent, relay->used - relay->sent);

	if (sent > 0)
		relay->sent += (size_t)sent;
	else if (errno != EAGAIN && errno != EINTR)
		end_relay(relay);
}

static struct pollfd watch(const struct relay *relay)
{
	if (relay->used > relay->sent)
		return (struct pollfd){.fd = relay->to, .events = POLLOUT};
	return (struct pollfd){.fd = relay->from, .events = POLLIN};
}

static void copy_size(int master)
{
	struct winsize size;

	if (master >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		(void)ioctl(master, TIOCSWINSZ, &size);
}

/* True when inner has ended; *status is then its wait status. */
static bool take_signals(int signals, int master, pid_t inner, int *status)
{
	struct signalfd_siginfo info;
	bool ended = false;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGWINCH)
			copy_size(master);
		else if (info.ssi_signo == SIGCHLD)
			ended = waitpid(inner, status, WNOHANG) == inner || ended;
		else
			(void)kill(inner, (int)info.ssi_signo);
	}
	return ended;
}

static bool any_output_left(const struct relay *relays, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!relays[i].to_container && is_open(&relays[i]))
			return true;
	return false;
}

/* What is typed from now on is not for the container. */
static void end_input(struct relay *relays, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (relays[i].to_container)
			end_relay(&relays[i]);
}

static void move_bytes(struct relay *relays, const struct pollfd *watches, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!watches[i].revents || watches[i].fd < 0)
			continue;
		if (watches[i].events == POLLOUT)
			drain(&relays[i]);
		else
			fill(&relays[i]);
	}
}

int relay_until_end(struct relay *relays, size_t count, int master, pid_t inner)
{
	struct pollfd watches[RELAYS_MAX + 1];
	_cleanup_close_ int signals = -1;
	bool ended = false;
	int status = 0;
	sigset_t wanted;

	(void)sigprocmask(SIG_SETMASK, NULL, &wanted); /* entry_run has blocked them */
	signals = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
	copy_size(master);
	while (!ended || any_output_left(relays, count)) {
		int ready;

		for (size_t i = 0; i < count; i++)
			watches[i] = watch(&relays[i]);
		watches[count] = (struct pollfd){.fd = signals, .events = POLLIN};
		ready = poll(watches, count + 1, ended ? DRAIN_MS : -1);
		if (ended && ready == 0)
			break;
		if (ready < 0)
			continue;
		move_bytes(relays, watches, count);
		if (watches[count].revents && take_signals(signals, master, inner, &status)) {
			ended = true;
			end_input(relays, count);
		}
	}
	return status;
}

/* helper/init/serve.c - the life of PID 1: reap, watch the sessions, answer, end when idle. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/init/room.h"

enum { WATCH_CONTROL, WATCH_SIGNALS, WATCH_LOG, WATCH_STATUS, WATCH_SESSIONS };

/*
 * SIGTERM from outside (its sender has no pid in this namespace, pid_namespaces(7)) is how the
 * host's service manager asks for a tidy end. One from inside is not for the inside to send.
 */
static void take_signals(struct room *room)
{
	struct signalfd_siginfo signal;

	while (read(room->signals, &signal, sizeof(signal)) == (ssize_t)sizeof(signal))
		if (signal.ssi_signo == SIGTERM && signal.ssi_pid == 0)
			room_stop(room, room->settings.stop_seconds,
				  "the service manager asked for it");
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

void room_stop(struct room *room, uint64_t seconds, const char *reason)
{
	if (room->stopping)
		return;
	room->stopping = true;
	room->stop_reason = reason;
	/* Whole seconds: the one that has begun is not counted, so nobody gets less than promised.
	 */
	room->stop_deadline = boottime_seconds() + seconds + (seconds ? 1 : 0);
	/* Interactive shells ignore SIGTERM but end on SIGHUP; stopped jobs need to wake to end. */
	(void)kill(-1, SIGHUP);
	(void)kill(-1, SIGTERM);
	(void)kill(-1, SIGCONT);
}

/* kill(2) with pid -1 reaches all but the caller: ESRCH means that PID 1 is alone. */
static bool alone(void)
{
	return kill(-1, 0) < 0 && errno == ESRCH;
}

/* Milliseconds until something is due; -1 when nothing is. */
static int patience(const struct room *room)
{
	uint64_t now = boottime_seconds(), due;

	if (room->stopping)
		return 50;
	if (room->relay.dropped)
		return 1000;
	if (room->sessions.count || room->settings.idle_seconds == UINT64_MAX)
		return -1;
	due = room->sessions.idle_since + room->settings.idle_seconds;
	if (due <= now)
		return 0;
	return due - now > 3600 ? 3600 * 1000 : (int)(due - now) * 1000;
}

static void check_idle(struct room *room)
{
	if (room->sessions.count == 0 && room->settings.idle_seconds != UINT64_MAX &&
	    boottime_seconds() >= room->sessions.idle_since + room->settings.idle_seconds)
		room_stop(room, room->settings.stop_seconds, "idle");
}

static void accept_client(struct room *room)
{
	int client = accept4(room->control, NULL, NULL, SOCK_CLOEXEC);

	if (client < 0)
		return;
	room_answer(room, client);
	(void)close(client);
}

static size_t fill_watches(const struct room *room, struct pollfd *watches)
{
	watches[WATCH_CONTROL] = (struct pollfd){.fd = room->control, .events = POLLIN};
	watches[WATCH_SIGNALS] = (struct pollfd){.fd = room->signals, .events = POLLIN};
	watches[WATCH_LOG] = (struct pollfd){.fd = room->plan.log, .events = POLLIN};
	watches[WATCH_STATUS] = (struct pollfd){.fd = room->plan.status, .events = POLLIN};
	for (size_t i = 0; i < room->sessions.count; i++)
		watches[WATCH_SESSIONS + i] =
		    (struct pollfd){.fd = room->sessions.items[i]->login_service, .events = POLLIN};
	return WATCH_SESSIONS + room->sessions.count;
}

static void serve_once(struct room *room)
{
	struct pollfd watches[WATCH_SESSIONS + SESSIONS_MAX];
	size_t count = fill_watches(room, watches);

	if (poll(watches, count, patience(room)) < 0)
		return;
	if (watches[WATCH_SIGNALS].revents)
		take_signals(room);
	/* From the end: session_end moves the last one into the gap. */
	for (size_t i = count; i-- > WATCH_SESSIONS;)
		if (watches[i].revents)
			session_end(&room->sessions, i - WATCH_SESSIONS, room->settings.name,
				    room->events);
	if (watches[WATCH_LOG].revents || room->relay.dropped)
		log_relay_take(&room->relay, room->plan.log);
	if (watches[WATCH_CONTROL].revents)
		accept_client(room);
	/* One at a time and last: who floods it delays nothing else by more than one answer. */
	if (watches[WATCH_STATUS].revents)
		room_tell_status(room);
	check_idle(room);
}

static void tell_stop(const struct room *room)
{
	struct event event = EVENT_INIT;

	event.event = "stop";
	event.container = room->settings.name;
	event.policy = room->settings.policy;
	event.reason = room->stop_reason;
	event_append(room->events, &event);
}

void room_serve(struct room *room)
{
	while (!room->stopping || (boottime_seconds() < room->stop_deadline && !alone()))
		serve_once(room);
	while (room->sessions.count)
		session_end(&room->sessions, 0, room->settings.name, room->events);
	tell_stop(room);
}

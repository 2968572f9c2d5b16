/* helper/init/serve.c - the life of PID 1: reap, watch the sessions, answer, end when idle. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/init/give_back.h"
#include "helper/init/hits.h"
#include "helper/init/room.h"
#include "helper/init/times.h"

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

/* kill(2) with pid -1 reaches all but the caller: ESRCH means that PID 1 is alone. */
static bool alone(void)
{
	return kill(-1, 0) < 0 && errno == ESRCH;
}

void room_stop(struct room *room, uint64_t seconds, const char *reason)
{
	if (room->stopping)
		return;
	room->stopping = true;
	room->stop_reason = reason;
	room->stop_deadline = boottime_ms() + seconds * 1000;
	/* The kernel looks at every process of the machine each time: not when there is nobody. */
	if (alone())
		return;
	/* Interactive shells ignore SIGTERM but end on SIGHUP; stopped jobs need to wake to end. */
	(void)kill(-1, SIGHUP);
	(void)kill(-1, SIGTERM);
	(void)kill(-1, SIGCONT);
}

/* Milliseconds to wait at most for what no descriptor tells; -1: for ever. */
static int patience(const struct room *room)
{
	if (room->stopping)
		return 50;
	if (room->relay.dropped)
		return 1000;
	return room->sessions.count ? stuck_patience(&room->stuck) : -1;
}

static void accept_client(struct room *room)
{
	int client = accept4(room->control, NULL, NULL, SOCK_CLOEXEC);

	if (client < 0)
		return;
	room_answer(room, client);
	(void)close(client);
}

static size_t fill_watches(struct room *room)
{
	struct pollfd *watches = room->watches;

	watches[WATCH_CONTROL] = (struct pollfd){.fd = room->control, .events = POLLIN};
	watches[WATCH_SIGNALS] = (struct pollfd){.fd = room->signals, .events = POLLIN};
	watches[WATCH_LOG] = (struct pollfd){.fd = room->plan.log, .events = POLLIN};
	watches[WATCH_STATUS] = (struct pollfd){.fd = room->plan.status, .events = POLLIN};
	watches[WATCH_TIMER] = (struct pollfd){.fd = room->timer, .events = POLLIN};
	watches[WATCH_WALL] = (struct pollfd){.fd = room->wall, .events = POLLIN};
	for (size_t i = 0; i < room->sessions.count; i++)
		watches[WATCH_SESSIONS + i] =
		    (struct pollfd){.fd = room->sessions.items[i]->login_service, .events = POLLIN};
	return WATCH_SESSIONS + room->sessions.count;
}

/* After the login was answered, which does not wait for it. */
static void note_beginnings(struct room *room)
{
	struct cgroup_usage usage;
	bool has_usage = false;

	for (size_t i = 0; i < room->sessions.count; i++) {
		struct session *session = room->sessions.items[i];

		if (session->has_before)
			continue;
		if (!has_usage)
			cgroup_usage_spent(&room->layout, &room->cgroup, &usage);
		session->before = usage;
		session->has_before = has_usage = true;
	}
}

void room_session_end(struct room *room, size_t index)
{
	struct cgroup_usage usage;

	cgroup_usage_spent(&room->layout, &room->cgroup, &usage);
	session_end(&room->sessions, index, room->settings.name, &usage, room->events);
}

/* What is being ended is over when its processes are, which times_check looks at. */
static void login_service_ended(struct room *room, size_t index)
{
	struct session *session = room->sessions.items[index];

	if (session->ending) {
		cleanup_close(&session->login_service);
		session->login_service = -1;
	} else {
		hits_tell(room); /* while it is known whose session it was */
		room_session_end(room, index);
		room->used_next = 0;
	}
}

static void serve_once(struct room *room)
{
	const struct pollfd *watches = room->watches;
	size_t count = fill_watches(room);

	give_back_stack();
	if (poll(room->watches, count, patience(room)) < 0)
		return;
	if (watches[WATCH_SIGNALS].revents)
		take_signals(room);
	/* From the end: session_end moves the last one into the gap. */
	for (size_t i = count; i-- > WATCH_SESSIONS;)
		if (watches[i].revents)
			login_service_ended(room, i - WATCH_SESSIONS);
	if (watches[WATCH_TIMER].revents || watches[WATCH_WALL].revents)
		times_take(room);
	if (watches[WATCH_LOG].revents || room->relay.dropped)
		log_relay_take(&room->relay, room->plan.log);
	if (watches[WATCH_CONTROL].revents) {
		accept_client(room);
		note_beginnings(room);
	}
	if (watches[WATCH_CONTROL].revents || watches[WATCH_TIMER].revents)
		hits_tell(room);
	/* One at a time and last: who floods it delays nothing else by more than one answer. */
	if (watches[WATCH_STATUS].revents)
		room_tell_status(room);
	times_check(room);
	stuck_look(&room->stuck, &room->sessions);
	room_note(room);
}

static void wait_for_services(struct room *room, uint64_t seconds)
{
	uint64_t deadline = boottime_seconds() + seconds;

	while (room->sessions.count && boottime_seconds() < deadline)
		serve_once(room);
}

/*
 * Once everything inside is dead the login services come to their end, too, unless they hang; that
 * would keep this process from ending.
 */
static void end_sessions(struct room *room)
{
	(void)kill(-1, SIGKILL);
	wait_for_services(room, STUCK_SECONDS);
	stuck_end(&room->sessions);
	wait_for_services(room, 1);
	while (room->sessions.count)
		room_session_end(room, 0);
}

static void tell_stop(const struct room *room)
{
	struct event event = EVENT_INIT;
	struct cgroup_usage usage;

	cgroup_usage_read(&room->layout, &room->cgroup, &usage);

	event.event = "stop";
	event.container = room->settings.name;
	event.policy = room->settings.policy;
	event.reason = room->stop_reason;
	event.duration_seconds = (boottime_ms() - room->begun_ms) / 1000;
	event.cpu_microseconds = usage.cpu_microseconds;
	event.memory_peak_bytes = usage.memory_peak_bytes;
	event.read_bytes = usage.read_bytes;
	event.written_bytes = usage.written_bytes;
	event_append(room->events, &event);
}

void room_serve(struct room *room)
{
	room->begun_ms = boottime_ms();
	hits_begin(room);
	room_note(room);
	times_check(room);
	while (!room->stopping || (boottime_ms() < room->stop_deadline && !alone()))
		serve_once(room);
	end_sessions(room);
	times_end(room);
	hits_tell(room);
	tell_stop(room);
}

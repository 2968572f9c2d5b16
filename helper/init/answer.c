/* helper/init/answer.c - answer the helper and the admin's command on the control socket. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/init/plan_load.h"
#include "helper/init/room.h"
#include "helper/init/terminals.h"
#include "helper/init/times.h"

struct call {
	struct control_request request;
	int fds[CHANNEL_MAX_FDS];
	size_t fd_count;
};

static void trouble(struct control_answer *answer, const char *text)
{
	answer->result = CONTROL_TROUBLE;
	(void)snprintf(answer->text, sizeof(answer->text), "%s", text);
}

/* What the session is watched and ended by; the newest descriptors of the budget win. */
static size_t take_handles(struct room *room, struct call *call, struct session_handles *handles,
			   size_t at)
{
	const struct control_request *request = &call->request;
	struct scope *scope = &handles->scope;

	handles->login_service = take_fd(&call->fds[0]);
	handles->leash.pull = take_fd(&call->fds[2]);
	handles->leash.armed = take_fd(&call->fds[3]);
	if (request->has_tty)
		handles->tty = take_fd(&call->fds[at++]);

	scope->kill_is_v1 = request->kill_is_v1;
	scope->cpu_is_v1 = request->cpu_is_v1;
	for (size_t i = 0; request->has_scope && i < SESSION_FILE_COUNT; i++)
		scope->files[i] = take_fd(&call->fds[at++]);
	if (request->has_budget) {
		cleanup_close(&room->budget.counter);
		cleanup_close(&room->budget.record);
		room->budget.counter = take_fd(&call->fds[at++]);
		room->budget.record = take_fd(&call->fds[at++]);
		room->budget.counter_is_v1 = request->cpu_is_v1;
	}
	return at;
}

/* The newest descriptors to the host's logs win: a restarted syslogd or a rotated file is followed.
 */
static size_t take_logs(struct room *room, struct call *call)
{
	size_t at = 4;

	if (call->request.has_log) {
		cleanup_close(&room->relay.host);
		room->relay.host = take_fd(&call->fds[at++]);
	}
	if (call->request.has_events) {
		cleanup_close(&room->events);
		room->events = take_fd(&call->fds[at++]);
	}
	return at;
}

/* The policy of today, as the helper or an admin has it. */
static void take_settings(struct room *room, const struct control_request *request)
{
	room->settings.idle_seconds = request->idle_seconds;
	room->settings.stop_seconds = request->stop_seconds;
	room->settings.session_limit = request->session_limit;
}

static void answer_session(struct room *room, struct call *call, struct control_answer *answer)
{
	const struct control_request *request = &call->request;
	struct session_handles handles = {-1, -1, LEASH_NONE, SCOPE_NONE};
	struct session *session;
	char what[160];
	size_t plan_fds;

	if (room->stopping) {
		answer->result = CONTROL_STOPPING;
		return;
	}
	answer->session_count = (uint32_t)room->sessions.count;
	if (request->session_limit && room->sessions.count >= request->session_limit) {
		answer->result = CONTROL_FULL;
		return;
	}
	plan_fds = take_handles(room, call, &handles, take_logs(room, call));
	if (!plan_carry_out(call->fds[1], call->fds + plan_fds, call->fd_count - plan_fds,
			    &room->plan, what, sizeof(what), NULL)) {
		session_handles_close(&handles);
		trouble(answer, what);
		return;
	}
	session = session_add(&room->sessions, request, &handles);
	if (!session) {
		trouble(answer, "there are too many sessions");
		return;
	}
	times_begin(room, session);
	take_settings(room, request);
	room_disk(room, &answer->disk);
	answer->session_id = session->public.id;
	answer->session_count = (uint32_t)room->sessions.count;
}

/* An admin expects a user: what a login would do here, and the time of idling begins anew. */
static void answer_prepare(struct room *room, struct call *call, struct control_answer *answer)
{
	char what[160];

	if (room->stopping) {
		answer->result = CONTROL_STOPPING;
		return;
	}
	if (!plan_carry_out(call->fds[0], call->fds + 1, call->fd_count - 1, &room->plan, what,
			    sizeof(what), NULL)) {
		trouble(answer, what);
		return;
	}
	if (room->sessions.count == 0)
		room->sessions.idle_since = boottime_ms();
}

/* Terminals are /dev/pts/N of the container and the host's terminals that were bound in. */
static void answer_message(struct room *room, struct call *call, struct control_answer *answer)
{
	_cleanup_closedir_ DIR *terminals = opendir("/dev/pts");
	char text[sizeof(call->request.text) + 8];
	struct dirent *entry;

	for (char *byte = call->request.text; *byte; byte++)
		if ((*byte > 0 && *byte < ' ' && *byte != '\n') || *byte == 0x7f)
			*byte = ' ';
	(void)snprintf(text, sizeof(text), "\r\n%s\r\n", call->request.text);
	while (terminals && (entry = readdir(terminals))) {
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			(void)terminal_write_number(atoi(entry->d_name), text);
	}
	for (size_t i = 0; i < room->sessions.count; i++)
		(void)terminal_write(room->sessions.items[i]->tty, text);
	answer->session_count = (uint32_t)room->sessions.count;
}

static uint64_t idle_since(const struct room *room)
{
	if (room->sessions.count)
		return 0;
	return (uint64_t)time(NULL) - (boottime_ms() - room->sessions.idle_since) / 1000;
}

void room_note(struct room *room)
{
	struct note note = {.version = NOTE_VERSION,
			    .session_count = (uint32_t)room->sessions.count,
			    .stopping = room->stopping,
			    .idle_since = room->noted.idle_since};

	if (note.session_count)
		note.idle_since = 0;
	else if (!note.idle_since)
		note.idle_since = idle_since(room);
	/* Without it the list shows that this container does not answer, which is then so. */
	if (memcmp(&note, &room->noted, sizeof(note)) != 0 && note_write(room->note, &note))
		room->noted = note;
}

static void answer_status(const struct room *room, struct control_answer *answer)
{
	answer->session_count = (uint32_t)room->sessions.count;
	room_disk(room, &answer->disk);
	if (room->stopping)
		answer->result = CONTROL_STOPPING;
	answer->cpu_day_left_microseconds = times_cpu_left(room);
	answer->idle_since = idle_since(room);
}

/*
 * The answer with the sessions behind it. Not on the stack, whose pages PID 1 would keep for the
 * life of the container.
 */
static void send_status(const struct room *room, int client, const struct control_answer *answer)
{
	size_t count = room->sessions.count;
	size_t shown = count < CONTROL_SESSIONS_MAX ? count : CONTROL_SESSIONS_MAX;
	size_t size = sizeof(*answer) + shown * sizeof(struct control_session);
	_cleanup_free_ char *reply = malloc(size);

	if (!reply)
		return; /* the client is told by the end of the connection */
	memcpy(reply, answer, sizeof(*answer));
	for (size_t i = 0; i < shown; i++) {
		struct session *session = room->sessions.items[i];

		session->public.left_seconds = times_left(session);
		memcpy(reply + sizeof(*answer) + i * sizeof(struct control_session),
		       &session->public, sizeof(struct control_session));
	}
	(void)channel_send(client, reply, size, NULL, 0);
}

static bool receive_call(int client, struct call *call)
{
	/* Only the host's root can connect; the limit is for one that was killed or stopped midway.
	 */
	const struct timeval limit = {.tv_sec = 2};
	long length;

	(void)setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	call->fd_count = CHANNEL_MAX_FDS;
	length = channel_receive(client, &call->request, sizeof(call->request), call->fds,
				 &call->fd_count);
	return length > 0 &&
	       control_request_is_sound(&call->request, (size_t)length, call->fd_count);
}

static void carry_out(struct room *room, struct call *call, struct control_answer *answer)
{
	switch (call->request.verb) {
	case CONTROL_SESSION:
		answer_session(room, call, answer);
		break;
	case CONTROL_PREPARE:
		answer_prepare(room, call, answer);
		break;
	case CONTROL_MESSAGE:
		answer_message(room, call, answer);
		break;
	case CONTROL_STOP:
		room_stop(room, call->request.stop_seconds, "an admin asked for it");
		break;
	case CONTROL_SETTINGS:
		take_settings(room, &call->request);
		room_disk(room, &answer->disk);
		break;
	case CONTROL_STATUS:
	case CONTROL_COUNT:
		answer_status(room, answer);
		break;
	default:
		answer->result = CONTROL_BAD;
	}
}

void room_answer(struct room *room, int client)
{
	struct control_answer answer = {.version = CONTROL_VERSION, .result = CONTROL_OK};
	struct call call = {0};

	storage_usage_clear(&answer.disk);
	if (receive_call(client, &call))
		carry_out(room, &call, &answer);
	else
		answer.result = CONTROL_BAD;
	room_note(room); /* before anybody can know of it and look */
	/* From the end: a leash that was not taken over must not be pulled by this. */
	for (size_t i = call.fd_count; i-- > 0;)
		cleanup_close(&call.fds[i]);
	if (answer.result != CONTROL_BAD && call.request.verb == CONTROL_STATUS)
		send_status(room, client, &answer);
	else
		(void)channel_send(client, &answer, sizeof(answer), NULL, 0);
}

/* helper/init/status_answer.c - tell anyone in the container how it stands with it, and no more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "helper/init/room.h"
#include "helper/init/times.h"
#include "helper/limits/usage_limits.h"

/* However often it is asked, PID 1 looks at the kernel's files no oftener than this. */
#define FRESH_MS 100

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void copy_sessions(const struct sessions *sessions, struct container_status *status)
{
	status->session_count = sessions->count;
	for (size_t i = 0; i < sessions->count && i < STATUS_SESSIONS_MAX; i++) {
		const struct session *session = sessions->items[i];
		const struct control_session *from = &session->public;
		struct status_session *to = &status->sessions[status->session_room++];

		to->since = from->since;
		to->left_seconds = times_left(session);
		(void)snprintf(to->user, sizeof(to->user), "%.64s", from->user);
		(void)snprintf(to->service, sizeof(to->service), "%.64s", from->service);
		(void)snprintf(to->tty, sizeof(to->tty), "%.64s", from->tty);
		(void)snprintf(to->rhost, sizeof(to->rhost), "%.64s", from->rhost);
	}
}

static void gather(const struct room *room, struct container_status *status)
{
	const struct channel_settings *settings = &room->settings;

	status_clear(status);
	memcpy(status->name, settings->name, sizeof(status->name));
	memcpy(status->policy, settings->policy, sizeof(status->policy));
	memcpy(status->image, settings->image, sizeof(status->image));
	(void)snprintf(status->state, sizeof(status->state), "%s",
		       room->stopping ? "stopping" : "running");
	status->started_at = room->started_at;
	status->idle_seconds = settings->idle_seconds;
	status->cpu_day_left_microseconds = times_cpu_left(room);
	if (settings->session_limit)
		status->session_limit = settings->session_limit;
	copy_sessions(&room->sessions, status);
	room_disk(room, &status->disk);
	cgroup_usage_read(&room->layout, &room->cgroup, &status->in);
	cgroup_limits_read(&room->layout, &room->cgroup, NULL, &status->held);
}

void room_disk(const struct room *room, struct storage_usage *disk)
{
	if (room->settings.bounded_disk)
		(void)storage_usage_mounted(room->plan.layer, disk);
	else
		storage_usage_clear(disk);
}

/*
 * Not on the stack, whose pages PID 1 would keep for the life of the container; this it keeps only
 * where somebody asks.
 */
static bool refresh(struct room *room)
{
	struct container_status *status;
	bool made;

	if (!room->status)
		room->status = calloc(1, sizeof(*room->status));
	if (!room->status)
		return false;
	if (room->status->text.length && now_ms() - room->status->made_ms < FRESH_MS &&
	    room->status->session_id == room->sessions.next_id &&
	    room->status->session_count == room->sessions.count)
		return true;
	status = malloc(sizeof(*status));
	if (!status)
		return false;
	gather(room, status);
	made = status_format(status, &room->status->text);
	free(status);
	room->status->made_ms = now_ms();
	room->status->session_id = room->sessions.next_id;
	room->status->session_count = room->sessions.count;
	return made;
}

void room_tell_status(struct room *room)
{
	int client = accept4(room->plan.status, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (client < 0)
		return;
	/* Nothing is read, so nothing that is sent can matter; the answer fits an empty socket. */
	if (refresh(room) && send(client, room->status->text.text, room->status->text.length,
				  MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		(void)shutdown(client, SHUT_RDWR);
	(void)close(client);
}

/* helper/init/sessions.c - the logins that are in this container, and what happens at their end. */
#include "helper/init/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/kernel_calls.h"

uint64_t boottime_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec;
}

uint64_t boottime_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void session_handles_close(struct session_handles *handles)
{
	cleanup_close(&handles->login_service);
	cleanup_close(&handles->tty);
	leash_close(&handles->leash);
	scope_close(&handles->scope);
	handles->login_service = handles->tty = -1;
}

struct session *session_add(struct sessions *sessions, const struct control_request *request,
			    struct session_handles *handles)
{
	struct session *session;

	session = sessions->count < SESSIONS_MAX ? calloc(1, sizeof(*session)) : NULL;
	if (!session) {
		session_handles_close(handles);
		return NULL;
	}
	session->public.id = ++sessions->next_id;
	session->public.pid = request->pid;
	session->public.since = (uint64_t)time(NULL);
	memcpy(session->public.user, request->user, sizeof(session->public.user));
	memcpy(session->public.service, request->service, sizeof(session->public.service));
	memcpy(session->public.tty, request->tty, sizeof(session->public.tty));
	memcpy(session->public.rhost, request->rhost, sizeof(session->public.rhost));
	memcpy(session->tty_path, request->tty_path, sizeof(session->tty_path));
	memcpy(session->policy, request->policy, sizeof(session->policy));
	session->login_service = handles->login_service;
	session->tty = handles->tty;
	session->leash = handles->leash;
	session->scope = handles->scope;
	session->rules = request->rules;
	session->started = boottime_ms();
	sessions->items[sessions->count++] = session;
	return session;
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

void event_append(int events, const struct event *event)
{
	struct timespec now;
	char line[EVENT_LINE_MAX];
	size_t length;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	length = event_format_json(event, &now, line, sizeof(line));
	/* One write to a descriptor opened for appending: lines of many writers never mix. */
	if (length && events >= 0 && write(events, line, length) < 0)
		return; /* a full disk loses the line: the log of the host is not ours to hold up */
}

/* A disk that nobody has used yet is not in the kernel's table: what is unknown before was 0. */
static uint64_t used_since(uint64_t now, uint64_t before)
{
	if (now == UINT64_MAX)
		return EVENT_NUMBER_UNSET;
	return before == UINT64_MAX || now < before ? now : now - before;
}

static void put_usage(const struct session *session, const struct cgroup_usage *now,
		      struct event *event)
{
	const struct cgroup_usage *before = &session->before;

	event->cpu_microseconds = scope_cpu(&session->scope);
	event->memory_peak_bytes = now->memory_peak_bytes;
	if (!session->has_before)
		return;
	if (event->cpu_microseconds == EVENT_NUMBER_UNSET)
		event->cpu_microseconds =
		    used_since(now->cpu_microseconds, before->cpu_microseconds);
	event->read_bytes = used_since(now->read_bytes, before->read_bytes);
	event->written_bytes = used_since(now->written_bytes, before->written_bytes);
}

static void tell_end(const struct session *session, const char *container,
		     const struct cgroup_usage *now, int events)
{
	struct event event = EVENT_INIT;

	event.event = "session_end";
	event.user = session->public.user;
	event.service = or_null(session->public.service);
	event.tty = or_null(session->public.tty);
	event.rhost = or_null(session->public.rhost);
	event.container = container;
	event.policy = or_null(session->policy);
	event.reason =
	    session->was_stuck ? "the login service hung and was ended" : session->ending;
	event.duration_seconds = (boottime_ms() - session->started) / 1000;
	put_usage(session, now, &event);
	event_append(events, &event);
}

static bool tty_in_use(const struct sessions *sessions, const char *path)
{
	for (size_t i = 0; i < sessions->count; i++)
		if (strcmp(sessions->items[i]->tty_path, path) == 0)
			return true;
	return false;
}

void session_end(struct sessions *sessions, size_t index, const char *container,
		 const struct cgroup_usage *now, int events)
{
	struct session *session = sessions->items[index];

	sessions->items[index] = sessions->items[--sessions->count];
	tell_end(session, container, now, events);
	cleanup_close(&session->login_service);
	cleanup_close(&session->tty);
	leash_close(&session->leash);
	if (session->tty_path[0] && !tty_in_use(sessions, session->tty_path)) {
		(void)umount2(session->tty_path, MNT_DETACH | UMOUNT_NOFOLLOW);
		(void)unlink(session->tty_path);
	}
	sessions->last_rules = session->rules;
	scope_close(&session->scope);
	free(session);
	if (sessions->count == 0)
		sessions->idle_since = boottime_ms();
}

/* helper/init/scope.c - signal, end, count and tell the processes of one session. */
#include "helper/init/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/kernel_calls.h"
#include "helper/init/budget.h"
#include "helper/init/terminals.h"
#include "helper/limits/control_file.h"

/* Far more text than the processes of a session have; only what is used takes memory. */
#define PROCS_TEXT (1u << 20)

#define BATCH        64
#define MEMBERS_MAX  4096
#define FREEZE_TRIES 500 /* of a millisecond */
#define PTYS         256 /* as many as a container has, helper/container/common.c */

bool scope_is_there(const struct scope *scope)
{
	return scope->files[SESSION_FILE_PROCS] >= 0;
}

void scope_close(struct scope *scope)
{
	for (size_t i = 0; i < SESSION_FILE_COUNT; i++) {
		cleanup_close(&scope->files[i]);
		scope->files[i] = -1;
	}
}

size_t scope_members(const struct scope *scope, pid_t *pids, size_t room)
{
	_cleanup_free_ char *text = scope_is_there(scope) ? malloc(PROCS_TEXT) : NULL;
	size_t count = 0;
	char *end;

	if (!text || !control_read_fd(scope->files[SESSION_FILE_PROCS], text, PROCS_TEXT))
		return 0;
	for (const char *line = text; *line && count < room; line = *end ? end + 1 : end) {
		long pid = strtol(line, &end, 10);

		if (end == line)
			break;
		/* Whoever is in no namespace of ours is listed as 0, or on v1 not at all. */
		if (pid > 0)
			pids[count++] = (pid_t)pid;
	}
	return count;
}

static bool is_among(const pid_t *pids, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/* A pid may have gone to another session's process: hold on to who has it, then look again. */
static void signal_batch(const struct scope *scope, const pid_t *pids, size_t count,
			 int signal_number)
{
	_cleanup_free_ pid_t *again = calloc(MEMBERS_MAX, sizeof(*again));
	int held[BATCH];
	size_t there;

	for (size_t i = 0; i < count; i++)
		held[i] = pidfd_open(pids[i], 0);
	there = again ? scope_members(scope, again, MEMBERS_MAX) : 0;
	for (size_t i = 0; i < count; i++) {
		if (held[i] >= 0 && is_among(again, there, pids[i]))
			(void)pidfd_send_signal(held[i], signal_number, NULL, 0);
		cleanup_close(&held[i]);
	}
}

void scope_signal(const struct scope *scope, int signal_number)
{
	_cleanup_free_ pid_t *pids = calloc(MEMBERS_MAX, sizeof(*pids));
	size_t count = pids ? scope_members(scope, pids, MEMBERS_MAX) : 0;

	for (size_t i = 0; i < count; i += BATCH)
		signal_batch(scope, pids + i, count - i < BATCH ? count - i : BATCH, signal_number);
}

static bool put(const struct scope *scope, const char *text)
{
	return pwrite(scope->files[SESSION_FILE_KILL], text, strlen(text), 0) ==
	       (ssize_t)strlen(text);
}

static bool is_frozen(const struct scope *scope)
{
	char state[32];

	return control_read_fd(scope->files[SESSION_FILE_KILL], state, sizeof(state)) &&
	       strcmp(state, "FROZEN\n") == 0;
}

/* Frozen processes cannot fork: what is listed after all are frozen is all there is. */
static bool kill_freezing(const struct scope *scope)
{
	const struct timespec millisecond = {.tv_nsec = 1000000};
	_cleanup_free_ pid_t *pids = calloc(MEMBERS_MAX, sizeof(*pids));

	for (int i = 0; pids && i < FREEZE_TRIES; i++) {
		bool frozen = is_frozen(scope);
		size_t count = scope_members(scope, pids, MEMBERS_MAX);

		for (size_t j = 0; j < count; j++)
			(void)kill(pids[j], SIGKILL);
		if (frozen)
			return count < MEMBERS_MAX;
		(void)nanosleep(&millisecond, NULL);
	}
	return false;
}

bool scope_kill(const struct scope *scope)
{
	bool killed;

	if (!scope_is_there(scope))
		return false;
	if (!scope->kill_is_v1)
		return put(scope, "1");
	if (!put(scope, "FROZEN"))
		return false;
	killed = kill_freezing(scope);
	return put(scope, "THAWED") && killed;
}

uint64_t scope_cpu(const struct scope *scope)
{
	return budget_counter(scope->files[SESSION_FILE_CPU], scope->cpu_is_v1);
}

size_t scope_tell(const struct scope *scope, const char *text, int but)
{
	_cleanup_free_ pid_t *pids = calloc(MEMBERS_MAX, sizeof(*pids));
	size_t count = pids ? scope_members(scope, pids, MEMBERS_MAX) : 0;
	bool seen[PTYS] = {false};
	size_t told = 0;

	for (size_t i = 0; i < count; i++) {
		int number = terminal_of(pids[i]);

		if (number < 0 || number >= PTYS || number == but || seen[number])
			continue;
		seen[number] = true;
		told += terminal_write_number(number, text);
	}
	return told;
}

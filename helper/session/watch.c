/* helper/session/watch.c - leave somebody on the host who stands for the login. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "base/paths.h"
#include "helper/session/session.h"

#define SERVICE_FD 3

/*
 * These switch users within a login that is recorded already, or run jobs in which nobody is logged
 * in: without Carrel they leave no record either.
 */
static bool is_login(const char *service)
{
	static const char *const others[] = {"su",    "su-l",   "runuser",  "runuser-l",
					     "sudo",  "sudo-i", "doas",     "cron",
					     "crond", "atd",    "polkit-1", "systemd-user"};

	for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
		if (strcmp(service, others[i]) == 0)
			return false;
	return true;
}

static int spawn(int service, char *const arguments[])
{
	char *const environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int error = posix_spawn_file_actions_init(&actions);

	if (error)
		return error;
	/* Not the channel: the module takes its closing for the helper's end. */
	if ((error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 2, 0)) == 0 &&
	    (error = posix_spawn_file_actions_adddup2(&actions, service, SERVICE_FD)) == 0 &&
	    (error = close_at_exec_from(SERVICE_FD + 1)) == 0)
		error = posix_spawn(&pid, CARREL_WATCH, &actions, NULL, arguments, environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	return error;
}

bool session_watch(const struct session_request *request, struct failure *why)
{
	char user[WIRE_NAME_MAX + 1], host[WIRE_NAME_MAX + 1], tty[WIRE_NAME_MAX + 1], pid[16];
	char *arguments[] = {
	    (char[]){"carrel-watch"}, user, host, (char *)request->tty_name, tty, pid, NULL};
	int error;

	if (!is_login(request->wire.service))
		return true;
	(void)snprintf(user, sizeof(user), "%s", request->wire.user);
	(void)snprintf(host, sizeof(host), "%s", request->wire.rhost);
	(void)snprintf(tty, sizeof(tty), "%s", request->wire.tty);
	(void)snprintf(pid, sizeof(pid), "%d", request->caller.pid);
	/* It stays, unlike us, and must not have the -1000 that sshd gives itself. */
	(void)file_write_at(AT_FDCWD, "/proc/self/oom_score_adj", "0");
	error = spawn(request->caller.pidfd, arguments);
	return error == 0 ||
	       fail(why, FAILURE_SYSTEM, error,
		    "cannot start " CARREL_WATCH ", so that who and loginctl do not show '%s': "
		    "reinstall Carrel",
		    user);
}

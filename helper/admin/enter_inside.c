/* helper/admin/enter_inside.c - the process that joins the container and starts the program in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/admin/enter.h"
#include "helper/admin/enter_ask.h"
#include "helper/init/channel.h"
#include "helper/limits/limits.h"
#include "join/join.h"

#define TTY_GID 5 /* as the container's devpts is mounted, helper/container/common.c */

#define CHANNEL 3 /* to the outer process: the first descriptor after the standard ones */

static _Noreturn void give_up(const struct failure *why)
{
	struct entry_message message = {.ready = false};

	(void)snprintf(message.text, sizeof(message.text), "%s", why->text);
	(void)channel_send(CHANNEL, &message, sizeof(message), NULL, 0);
	_exit(1);
}

/*
 * Let go of everything of the host: of the admin's terminal, as descriptors and as the controlling
 * one, and of whatever else was open.
 */
static bool let_go(const struct entry *entry, int channel, const int pipes[3])
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || setsid() < 0)
		return false;
	for (int fd = 0; fd < 3; fd++)
		if (entry->is_terminal[fd] && dup2(pipes[fd] >= 0 ? pipes[fd] : null, fd) < 0)
			return false;
	null = -1; /* closed with all the others */
	return (channel == CHANNEL || dup3(channel, CHANNEL, O_CLOEXEC) == CHANNEL) &&
	       close_range(CHANNEL + 1, ~0U, 0) == 0;
}

/* The user's groups before the join, which keeps those that the container maps to themselves. */
static bool take_groups(const struct account *account, struct failure *why)
{
	_cleanup_free_ gid_t *groups = calloc(account->group_count + 1, sizeof(*groups));

	for (size_t i = 0; groups && i < account->group_count; i++)
		groups[i] = account->groups[i].gid;
	if (!groups || setgroups(account->group_count, groups) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot take the groups of %s",
			    account->name);
	return true;
}

/* The resource limits of the policy; the container's root is not held to them, only to its cgroup.
 */
static bool take_limits(const struct entry *entry, struct failure *why)
{
	return !entry->limits || entry->account->uid == 0 ||
	       rlimits_apply(getpid(), entry->limits, why);
}

static bool join(const struct entry *entry, struct wire_reply *reply, struct failure *why)
{
	struct wire_request request = {.verb = WIRE_ENTER};
	int fds[WIRE_FD_COUNT] = {-1, -1};
	struct join_plan plan;
	bool joined;

	(void)snprintf(request.container, sizeof(request.container), "%s", entry->container);
	(void)snprintf(request.user, sizeof(request.user), "%s", entry->account->name);
	(void)snprintf(request.service, sizeof(request.service), "carrel");
	if (!enter_ask(&request, reply, fds, why))
		return false;
	plan = (struct join_plan){
	    .init = fds[WIRE_FD_INIT],
	    .seccomp = fds[WIRE_FD_SECCOMP],
	    .namespaces = reply->namespaces,
	    .allow_root = reply->allow_root != 0,
	    .bounding_set = reply->bounding_set,
	    .umask = reply->umask == WIRE_UMASK_UNSET ? JOIN_UMASK_UNSET : (mode_t)reply->umask,
	};
	/* Only now: neither the user's limits nor the user's groups are for the helper. */
	joined = take_limits(entry, why) && take_groups(entry->account, why) &&
		 join_container(&plan, why);
	for (size_t i = 0; i < WIRE_FD_COUNT; i++)
		cleanup_close(&fds[i]);
	return joined;
}

/*
 * A terminal of the container. With root = yes somebody inside may have put anything in the place
 * of /dev/pts: what is opened is asked whether it is the multiplexer of a devpts.
 */
static bool open_terminal(const struct account *account, int *master, int *terminal,
			  struct failure *why)
{
	struct statfs system;
	int unlock = 0;

	*master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (*master < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open a terminal in the container");
	if (fstatfs(*master, &system) < 0 || system.f_type != DEVPTS_SUPER_MAGIC)
		return fail(why, FAILURE_DATA, 0, "/dev/pts of the container is not a devpts");
	if (ioctl(*master, TIOCSPTLCK, &unlock) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot unlock a terminal");
	*terminal = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*terminal < 0 || fchown(*terminal, account->uid, TTY_GID) < 0 ||
	    fchmod(*terminal, 0620) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot prepare a terminal");
	return true;
}

/* Only what a login would have: nothing of the admin's own environment but the kind of terminal. */
static char **make_environment(const struct entry *entry, const struct wire_reply *reply)
{
	const struct account *account = entry->account;
	const char *kind = getenv("TERM");
	char **environment = calloc(reply->env_count + 8, sizeof(*environment));
	bool failed = environment == NULL;
	size_t count = 0;

	if (failed)
		return NULL;
	failed |= asprintf(&environment[count++], "HOME=%s", account->home) < 0;
	failed |= asprintf(&environment[count++], "USER=%s", account->name) < 0;
	failed |= asprintf(&environment[count++], "LOGNAME=%s", account->name) < 0;
	failed |= asprintf(&environment[count++], "SHELL=%s",
			   *account->shell ? account->shell : "/bin/sh") < 0;
	failed |= asprintf(&environment[count++], "PATH=%s",
			   account->uid == 0 ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
					       "/sbin:/bin"
					     : "/usr/local/bin:/usr/bin:/bin") < 0;
	if (kind && *kind)
		failed |= asprintf(&environment[count++], "TERM=%s", kind) < 0;
	for (uint32_t i = 0; i < reply->env_count; i++)
		if (strchr(reply->env[i], '='))
			failed |= (environment[count++] = strdup(reply->env[i])) == NULL;
	return failed ? NULL : environment;
}

/* Pass on what the outer process sends until the program has ended; its status becomes ours. */
static _Noreturn void wait_for_program(pid_t program)
{
	sigset_t signals;
	int status;

	(void)sigfillset(&signals);
	for (;;) {
		int number = sigwaitinfo(&signals, NULL);

		if (number == SIGCHLD && waitpid(program, &status, WNOHANG) == program)
			break;
		if (number == SIGTERM || number == SIGHUP || number == SIGINT || number == SIGQUIT)
			(void)kill(-program, number);
	}
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static bool enter(const struct entry *entry, struct wire_reply *reply, pid_t outer,
		  struct failure *why)
{
	if (!join(entry, reply, why))
		return false;
	/* After the join: a change of ids forgets it (prctl(2)). */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != outer)
		return fail(why, FAILURE_SYSTEM, 0, "carrel was ended meanwhile");
	return true;
}

_Noreturn void entry_inside(const struct entry *entry, int channel, const int pipes[3], pid_t outer)
{
	struct entry_message message = {.ready = true};
	int master = -1, terminal = -1;
	struct wire_reply reply;
	char **environment = NULL;
	struct failure why;
	sigset_t all;
	pid_t program;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	if (!let_go(entry, channel, pipes))
		_exit(1);
	if (!enter(entry, &reply, outer, &why) ||
	    (entry->use_terminal && !open_terminal(entry->account, &master, &terminal, &why)))
		give_up(&why);
	environment = make_environment(entry, &reply);
	program = environment ? fork() : -1;
	if (program == 0)
		entry_exec(entry, terminal, environment);
	if (program < 0) {
		(void)fail(&why, FAILURE_LIMIT, errno,
			   "cannot start a process in the container: are its pids used up?");
		give_up(&why);
	}
	(void)channel_send(CHANNEL, &message, sizeof(message), &master, master >= 0);
	/* The other ends must see the end of the program, and not ours. */
	(void)close_range(0, ~0U, 0);
	wait_for_program(program);
}

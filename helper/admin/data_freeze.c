/* helper/admin/data_freeze.c - hold the processes of a container, for no longer than we live. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/data.h"
#include "helper/container/thaw.h"

/*
 * Waits for the end of the pipe: our own, or that of this process, and lets the container go. It
 * keeps the container's lock until then. Of a terminal's signals it hears nothing.
 */
static _Noreturn void watch(const struct data *data, int lifeline)
{
	struct failure why;
	sigset_t all;
	char byte;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)setsid();
	while (read(lifeline, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(container_thaw(&data->context->registry, &data->context->layout, data->name,
			     data->running.pool, &why)
		  ? 0
		  : 1);
}

static bool set_mark(const struct data *data, struct failure *why)
{
	_cleanup_close_ int dir =
	    dir_open_at(data->context->registry.run_containers, data->name, true);

	return (dir >= 0 && file_replace_at(dir, FROZEN_MARK, "", 0, 0600, false, why)) ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot mark the container as being held");
}

static bool start_guard(const struct data *data, struct hold *hold, struct failure *why)
{
	int both[2];

	if (pipe2(both, O_CLOEXEC) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make a pipe");
	hold->guard = fork();
	if (hold->guard == 0) {
		(void)close(both[1]);
		watch(data, both[0]);
	}
	(void)close(both[0]);
	hold->lifeline = both[1];
	if (hold->guard > 0)
		return true;
	data_release(hold);
	return fail(why, FAILURE_SYSTEM, errno, "cannot fork");
}

bool data_hold(const struct data *data, struct hold *hold, struct failure *why)
{
	const char *pool = *data->running.pool ? data->running.pool : NULL;
	struct cgroup cgroup;
	bool held;

	*hold = (struct hold){.lifeline = -1, .guard = -1};
	if (data->init < 0)
		return true;
	if (!data->context->has_layout) {
		*why = data->context->layout_trouble;
		return false;
	}
	if (!set_mark(data, why) || !start_guard(data, hold, why))
		return false;
	held = cgroup_open(&data->context->layout, data->name, pool, &cgroup, why);
	if (held) {
		held = cgroup_freeze(&data->context->layout, &cgroup, why);
		cgroup_close(&cgroup);
	}
	if (!held)
		data_release(hold);
	return held;
}

void data_release(struct hold *hold)
{
	cleanup_close(&hold->lifeline);
	hold->lifeline = -1;
	if (hold->guard > 0)
		(void)waitpid(hold->guard, NULL, 0);
	hold->guard = -1;
}

/* helper/session/tether.c - prepare the descriptors by which PID 1 watches and ends a session. */
#include "helper/session/tether.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "helper/init/budget.h"

static uint64_t or_none(uint64_t seconds)
{
	return seconds == TIME_UNSET || seconds == TIME_NEVER ? UINT64_MAX : seconds;
}

bool tether_is_wanted(const struct policy *policy)
{
	const struct time_rules *time = &policy->time;

	return or_none(time->session_seconds) != UINT64_MAX ||
	       or_none(time->cpu_day_seconds) != UINT64_MAX || time->hours.count > 0;
}

static int open_record(const struct registry *registry, const char *name, int flags,
		       struct failure *why)
{
	_cleanup_close_ int dir = registry_state_dir(registry, name, false, why);
	_cleanup_close_ int file = -1;
	struct stat status;

	if (dir < 0)
		return -1;
	file = openat(dir, BUDGET_FILE, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (file < 0 || fstat(file, &status) < 0)
		return fail_fd(why, errno == ENOENT ? FAILURE_MISSING : FAILURE_SYSTEM, errno,
			       "cannot open the record of the processor time of '%s'", name);
	if (!S_ISREG(status.st_mode))
		return fail_fd(
		    why, FAILURE_DATA, 0,
		    "the record of the processor time of '%s' is no regular file: remove "
		    "it (" BUDGET_FILE " beside its record 'stored')",
		    name);
	return take_fd(&file);
}

/*
 * PID 1 may have been killed before it wrote the last of it down: the counter of the cgroup, which
 * stays until the container starts in a new one, still knows.
 */
static bool open_budget(const struct tether_subject *subject, struct tether *tether,
			struct failure *why)
{
	struct budget_record record;
	uint64_t counter;

	tether->counter =
	    cgroup_open_cpu(subject->layout, subject->container, &tether->counter_is_v1, why);
	if (tether->counter < 0)
		return false;
	tether->record = open_record(subject->registry, subject->name, O_RDWR | O_CREAT, why);
	if (tether->record < 0)
		return false;
	counter = budget_counter(tether->counter, tether->counter_is_v1);
	if (counter == UINT64_MAX)
		return fail(why, FAILURE_SYSTEM, errno,
			    "cannot read the processor time of container '%s'", subject->name);
	budget_read(tether->record, &record);
	budget_account(&record, budget_day(time(NULL)), counter);
	tether->has_budget = true;
	return budget_write(tether->record, &record) ||
	       fail(why, FAILURE_SYSTEM, errno,
		    "cannot write the record of the processor time of '%s'", subject->name);
}

/* PID 1 could not open it: it belongs to an id that is none of the container's. */
static int open_terminal(const struct login_tty *tty)
{
	char path[48];

	if (tty->fd < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", tty->fd);
	return open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

bool tether_open(const struct tether_subject *subject, struct tether *tether, struct failure *why)
{
	const struct time_rules *time = &subject->policy->time;

	*tether = (struct tether)TETHER_NONE;
	tether->tty = open_terminal(subject->tty);
	if (!tether_is_wanted(subject->policy))
		return true;
	if (!session_cgroup_make(subject->layout, subject->container, subject->pid,
				 &tether->session, why)) {
		tether_close(tether);
		return false;
	}
	tether->has_scope = true;
	if (or_none(time->cpu_day_seconds) == UINT64_MAX || open_budget(subject, tether, why))
		return true;
	tether_close(tether);
	return false;
}

void tether_close(struct tether *tether)
{
	cleanup_close(&tether->tty);
	session_cgroup_close(&tether->session);
	cleanup_close(&tether->counter);
	cleanup_close(&tether->record);
	*tether = (struct tether)TETHER_NONE;
}

size_t tether_announce(const struct tether *tether, const struct policy *policy,
		       struct control_request *request, int *fds)
{
	size_t count = 0;

	request->rules = (struct session_rules){
	    .session_seconds = or_none(policy->time.session_seconds),
	    .warn_seconds = or_none(policy->time.warn_seconds),
	    .cpu_day_seconds = or_none(policy->time.cpu_day_seconds),
	    .hours = policy->time.hours,
	};
	request->has_tty = tether->tty >= 0;
	request->has_scope = tether->has_scope;
	request->has_budget = tether->has_budget;
	request->kill_is_v1 = tether->session.kill_is_v1;
	request->cpu_is_v1 = tether->session.cpu_is_v1;
	if (request->has_tty)
		fds[count++] = tether->tty;
	for (size_t i = 0; tether->has_scope && i < SESSION_FILE_COUNT; i++)
		fds[count++] = tether->session.files[i];
	if (tether->has_budget) {
		fds[count++] = tether->counter;
		fds[count++] = tether->record;
	}
	return count;
}

uint64_t tether_used_today(const struct registry *registry, const char *name, time_t now)
{
	struct failure ignored;
	_cleanup_close_ int file = open_record(registry, name, O_RDONLY, &ignored);
	struct budget_record record;

	if (file < 0)
		return 0;
	budget_read(file, &record);
	return record.day == budget_day(now) ? record.used_microseconds : 0;
}

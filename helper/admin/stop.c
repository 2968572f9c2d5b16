/* helper/admin/stop.c - `carrel stop`: end containers in good order, or by force when that fails.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>

#include "helper/admin/commands.h"
#include "helper/admin/containers.h"
#include "helper/admin/framing.h"
#include "helper/admin/freeze.h"

#define GRACE_SECONDS    5 /* after the time that PID 1 gives: it ends stuck login services then */
#define DEFAULT_SECONDS  10
#define KILL_PATIENCE_MS 5000
#define TIMEOUT_MAX      3600

struct stopping {
	const char *name; /* borrowed */
	int init;         /* pidfd, -1: does not run (any more) */
	uint64_t seconds;
	char user[257], pool[65];
	bool failed;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool wait_for_end(int init, uint64_t deadline)
{
	struct pollfd ended = {.fd = init, .events = POLLIN};

	for (;;) {
		uint64_t now = now_ms();
		int ready = poll(&ended, 1, now < deadline ? (int)(deadline - now) : 0);

		if (ready >= 0 || errno != EINTR)
			return ready == 1;
	}
}

static uint64_t seconds_of(const struct context *context, const struct running_record *record,
			   const uint64_t *seconds)
{
	const struct policy *policy = policy_by_name(context->config, record->policy);

	if (seconds)
		return *seconds;
	if (policy && policy->time.stop_seconds <= TIMEOUT_MAX)
		return policy->time.stop_seconds;
	return DEFAULT_SECONDS;
}

/* Ask PID 1 to end its processes. When it does not listen, the end comes by force in finish(). */
static void begin(const struct context *context, struct stopping *it, const uint64_t *seconds)
{
	struct control_request request = {.version = CONTROL_VERSION, .verb = CONTROL_STOP};
	struct running_record record;
	struct control_answer answer;
	struct failure why;

	if (!registry_running(&context->registry, it->name, &record, &it->init, &why)) {
		it->failed = complain("%s: %s", it->name, why.text) != STATUS_OK;
		return;
	}
	if (it->init < 0)
		return;
	memcpy(it->user, record.user, sizeof(it->user));
	memcpy(it->pool, record.pool, sizeof(it->pool));
	it->seconds = seconds_of(context, &record, seconds);
	request.stop_seconds = (uint32_t)it->seconds;
	if (!container_let_go(context, it->name, &record, &why))
		(void)complain("%s: %s", it->name, why.text);
	if (control_call(&context->registry, it->name, &request, &answer, NULL, NULL, &why))
		return;
	(void)complain("%s: %s; ending it by force", it->name, why.text);
	it->seconds = 0;
}

static bool end_by_force(const struct context *context, struct stopping *it, struct failure *why)
{
	if (pidfd_send_signal(it->init, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return fail(why, FAILURE_SYSTEM, errno, "cannot kill its PID 1");
	if (wait_for_end(it->init, now_ms() + GRACE_SECONDS * 1000))
		return true;
	container_kill(context, it->name, it->pool);
	if (!wait_for_end(it->init, now_ms() + KILL_PATIENCE_MS))
		return fail(why, FAILURE_BUSY, 0,
			    "its PID 1 does not end: a process in it hangs in the kernel, for "
			    "example on a file server that does not answer");
	return true;
}

static void finish(const struct context *context, struct stopping *it, uint64_t begun)
{
	uint64_t deadline = begun + it->seconds * 1000 + (it->seconds ? GRACE_SECONDS * 1000 : 0);
	struct failure why;
	bool cleared, forced = false;

	if (it->init < 0) {
		if (!it->failed)
			(void)printf("%s: is not running\n", it->name);
		return;
	}
	if (!wait_for_end(it->init, deadline)) {
		forced = true;
		it->failed = !end_by_force(context, it, &why);
	}
	if (!it->failed)
		it->failed = !container_clear(context, it->name, false, &cleared, &why);
	if (it->failed) {
		(void)complain("%s: %s", it->name, why.text);
	} else {
		(void)printf("%s: stopped%s\n", it->name, forced ? " by force" : "");
		admin_event(it->name, it->user, "stop%s", forced ? " by force" : "");
	}
}

/* All at once, then all waited for: a hundred containers take no longer than one. */
static bool stop_together(const struct context *context, struct stopping *all, char *const *names,
			  size_t count, const uint64_t *seconds)
{
	uint64_t begun = now_ms();
	bool stopped = true;

	for (size_t i = 0; i < count; i++) {
		all[i] = (struct stopping){.name = names[i], .init = -1};
		begin(context, &all[i], seconds);
	}
	for (size_t i = 0; i < count; i++) {
		finish(context, &all[i], begun);
		cleanup_close(&all[i].init);
		stopped = stopped && !all[i].failed;
	}
	return stopped;
}

int containers_stop(const struct context *context, char *const *names, size_t count,
		    const uint64_t *seconds)
{
	size_t most = containers_files_at_once();
	_cleanup_free_ struct stopping *all = calloc(count < most ? count + 1 : most, sizeof(*all));
	int status = STATUS_OK;

	if (!all)
		return complain("out of memory");
	for (size_t i = 0; i < count; i += most)
		if (!stop_together(context, all, names + i, count - i < most ? count - i : most,
				   seconds))
			status = STATUS_FAILED;
	return output_status(status);
}

static int stop_all(const struct context *context, const struct name_set *set, void *data)
{
	return containers_stop(context, set->items, set->count, data);
}

int run_stop(const struct command *command, int argc, char **argv)
{
	const char *timeout = NULL;
	struct selector selector = {0};
	const struct option_spec specs[] = {
	    {.name = "timeout", .letter = 't', .value = &timeout},
	    SELECT_GROUP(&selector),
	    SELECT_POLICY(&selector),
	    SELECT_ALL(&selector),
	};
	const struct syntax syntax = {specs, ARRAY_LENGTH(specs), 0, OPERANDS_ANY};
	struct operands names;
	struct failure why;
	uint64_t seconds = 0;
	int status = selection_parse(command, argc, argv, &syntax, &selector, &names);

	if (status != STATUS_GO_ON)
		return status;
	if (timeout && !parse_count(timeout, 0, TIMEOUT_MAX, &seconds, &why))
		return usage_error(command, "--timeout: %s", why.text);
	return selection_work_on(&selector, &names, SELECT_RUNNING, stop_all,
				 timeout ? &seconds : NULL);
}

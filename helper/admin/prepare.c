/* helper/admin/prepare.c - have the containers of users made ready, several at a time. */
#include "helper/admin/prepare.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper/admin/helper_call.h"
#include "helper/init/channel.h"
#include "wire/wire.h"

/* Without a sign from a helper: as the PAM module waits (pam_carrel(8), timeout=). */
#define PATIENCE_SECONDS 60

struct job {
	size_t person; /* its index */
	int channel;
	pid_t helper;
	time_t deadline;
};

struct work {
	const struct people *people;
	struct prepared *results;
	prepare_tell *tell;
	void *data;
	struct job jobs[JOBS_MAX];
	size_t job_count, next, done;
	bool ended; /* by a signal */
};

size_t jobs_default(void)
{
	cpu_set_t ours;

	if (sched_getaffinity(0, sizeof(ours), &ours) < 0 || CPU_COUNT(&ours) > JOBS_MAX)
		return JOBS_MAX;
	return (size_t)CPU_COUNT(&ours);
}

static time_t seconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void settle(struct work *work, size_t person, int how, const char *text)
{
	struct prepared *result = &work->results[person];

	result->how = how;
	(void)snprintf(result->text, sizeof(result->text), "%s", text);
	work->tell(&work->people->items[person], result, ++work->done, work->data);
}

static void end_job(struct work *work, struct job *job, int how, const char *text)
{
	struct job ended = *job;

	*job = work->jobs[--work->job_count];
	cleanup_close(&ended.channel);
	if (how == PREPARED_FAILED)
		(void)kill(ended.helper, SIGKILL); /* not yet reaped: the pid is its own */
	(void)waitpid(ended.helper, NULL, 0);
	settle(work, ended.person, how, text);
}

static bool send_request(int channel, const struct person *person, struct failure *why)
{
	struct wire_request request = {.verb = WIRE_PREPARE, .service = "sshd"};
	char data[WIRE_MAX];
	size_t length;

	(void)snprintf(request.user, sizeof(request.user), "%s", person->user);
	length = wire_encode_request(&request, data, sizeof(data));
	return (length && channel_send(channel, data, length, NULL, 0)) ||
	       fail(why, FAILURE_SYSTEM, length ? errno : 0, "cannot ask carrel-helper");
}

static void begin_next(struct work *work)
{
	size_t index = work->next++;
	const struct person *person = &work->people->items[index];
	struct job *job = &work->jobs[work->job_count];
	struct failure why;

	if (!person->policy)
		return;
	*job = (struct job){.person = index, .deadline = seconds_now() + PATIENCE_SECONDS};
	if (!helper_spawn("start", &job->channel, &job->helper, &why)) {
		settle(work, index, PREPARED_FAILED, why.text);
		return;
	}
	work->job_count++;
	if (!send_request(job->channel, person, &why))
		end_job(work, job, PREPARED_FAILED, why.text);
}

static void take_reply(struct work *work, struct job *job)
{
	static const char no_answer[] = "carrel-helper gave no answer; see the log (authpriv)";
	struct wire_reply reply;
	char data[WIRE_MAX];
	size_t no_fds = 0;
	long length = channel_receive(job->channel, data, sizeof(data), NULL, &no_fds);

	if (length <= 0 || !wire_decode_reply(data, (size_t)length, &reply))
		end_job(work, job, PREPARED_FAILED, no_answer);
	else if (reply.action == WIRE_WAIT)
		job->deadline = seconds_now() + PATIENCE_SECONDS;
	else if (reply.action == WIRE_HOST && reply.container[0])
		end_job(work, job,
			strcmp(reply.log_text, "started") == 0 ? PREPARED_STARTED
							       : PREPARED_RUNNING,
			"");
	else
		end_job(work, job, PREPARED_FAILED,
			reply.log_text[0] ? reply.log_text : "the policies changed meanwhile");
}

/* Wait for the next reply, signal or deadline, and take what has come. */
static void step(struct work *work, int signals)
{
	struct pollfd watches[JOBS_MAX + 1];
	struct signalfd_siginfo signal;

	for (size_t i = 0; i < work->job_count; i++)
		watches[i] = (struct pollfd){.fd = work->jobs[i].channel, .events = POLLIN};
	watches[work->job_count] = (struct pollfd){.fd = signals, .events = POLLIN};
	if (poll(watches, work->job_count + 1, 1000) < 0)
		return;
	if (watches[work->job_count].revents &&
	    read(signals, &signal, sizeof(signal)) == (ssize_t)sizeof(signal))
		work->ended = true;
	/* From the end: the last one moves into the place of one that has ended. */
	for (size_t i = work->job_count; i-- > 0;) {
		if (watches[i].revents)
			take_reply(work, &work->jobs[i]);
		else if (seconds_now() >= work->jobs[i].deadline)
			end_job(work, &work->jobs[i], PREPARED_FAILED,
				"timed out waiting for carrel-helper");
	}
}

bool people_prepare(const struct people *people, size_t jobs, struct prepared *results,
		    prepare_tell *tell, void *data)
{
	struct work work = {.people = people, .results = results, .tell = tell, .data = data};
	_cleanup_close_ int signals = -1;
	sigset_t taken, before;

	memset(results, 0, people->count * sizeof(*results));
	(void)sigemptyset(&taken);
	(void)sigaddset(&taken, SIGINT);
	(void)sigaddset(&taken, SIGTERM);
	(void)sigaddset(&taken, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &taken, &before);
	signals = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
	while (work.job_count || (work.next < people->count && !work.ended)) {
		while (work.job_count < jobs && work.next < people->count && !work.ended)
			begin_next(&work);
		if (work.job_count)
			step(&work, signals);
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return !work.ended;
}

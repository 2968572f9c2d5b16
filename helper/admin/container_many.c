/* helper/admin/container_many.c - what is known of many containers, asking all PID 1s at once. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "helper/admin/admin.h"
#include "helper/admin/container_parts.h"
#include "helper/init/channel.h"

#define PATIENCE_MS 2000 /* for all together */
#define OTHER_FILES 64   /* that are open besides the questions */

/* Most of the time goes into system calls, which processors can do side by side. */
#define THREADS_MAX  4
#define THREAD_LEAST 128 /* containers: below it is not worth one */

struct question {
	struct container_info info;
	int channel; /* -1: not asked, or answered */
	bool is_there;
};

/* The share of one thread. */
struct round {
	const struct context *context;
	enum container_detail detail;
	char *const *names;
	struct question *all;
	size_t count;
	size_t open, open_max; /* questions that wait for an answer */
	size_t oldest;         /* everything before has been answered or given up */
	uint64_t deadline_ms;
	int status;
	pthread_t thread;
	bool has_thread;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

size_t containers_files_at_once(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return OTHER_FILES;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur <= 2 * OTHER_FILES)
		return OTHER_FILES;
	return files.rlim_cur - OTHER_FILES;
}

static void ask(struct round *round, struct question *question)
{
	static const struct control_request request = {.version = CONTROL_VERSION,
						       .verb = CONTROL_COUNT};

	if (question->channel < 0)
		return;
	question->info.frozen = registry_is_frozen(&round->context->registry, question->info.name);
	if (!question->info.frozen &&
	    channel_send(question->channel, &request, sizeof(request), NULL, 0)) {
		round->open++;
		return;
	}
	cleanup_close(&question->channel);
	question->channel = -1;
}

/* Files alone: nobody is asked and nobody waited for. */
static void glance(struct round *round, struct question *question, const char *name)
{
	struct container_info *info = &question->info;
	struct failure why;
	struct note note;

	question->channel = -1;
	question->is_there = registry_glance(&round->context->registry, name, &info->running,
					     &info->runs, &info->answers, &note, &why) &&
			     container_read_stored(round->context, info, &why);
	if (!question->is_there) {
		if (why.kind != FAILURE_MISSING)
			round->status = complain("%s: %s", name, why.text);
		return;
	}
	if (info->answers) {
		info->stopping = note.stopping;
		info->session_count = note.session_count;
		info->idle_since = note.idle_since;
	}
	if (!info->runs)
		return;
	info->frozen = registry_is_frozen(&round->context->registry, name);
	container_read_usage(round->context, info, DETAIL_LIST);
}

static void begin(struct round *round, struct question *question, const char *name)
{
	struct container_info *info = &question->info;
	struct failure why;

	container_unknown(name, info);
	if (round->detail == DETAIL_LIST) {
		glance(round, question, name);
		return;
	}
	question->is_there = registry_reach(&round->context->registry, name, &info->running,
					    &info->runs, &question->channel, &why);
	/* First the question, then the files: PID 1 has time to answer meanwhile. */
	ask(round, question);
	question->is_there =
	    question->is_there && container_read_stored(round->context, info, &why);
	if (!question->is_there) {
		if (why.kind != FAILURE_MISSING)
			round->status = complain("%s: %s", name, why.text);
	} else if (info->runs) {
		container_read_usage(round->context, info, DETAIL_ALL);
	} else {
		container_read_disk(round->context, info);
	}
}

/* Wait for its answer until the deadline; after that only what has come already counts. */
static void collect(struct round *round, struct question *question, uint64_t patience_ms)
{
	struct pollfd answered = {.fd = question->channel, .events = POLLIN};
	struct control_answer answer;
	ssize_t length;

	if (question->channel < 0)
		return;
	length = recv(question->channel, &answer, sizeof(answer), MSG_DONTWAIT);
	if (length < 0 && errno == EAGAIN && patience_ms &&
	    poll(&answered, 1, (int)patience_ms) == 1)
		length = recv(question->channel, &answer, sizeof(answer), MSG_DONTWAIT);
	if (length == (ssize_t)sizeof(answer) && answer.version == CONTROL_VERSION &&
	    (answer.result == CONTROL_OK || answer.result == CONTROL_STOPPING))
		container_answered(&question->info, &answer);
	container_read_disk(round->context, &question->info);
	cleanup_close(&question->channel);
	question->channel = -1;
	round->open--;
}

static void collect_oldest(struct round *round)
{
	uint64_t now = now_ms();

	collect(round, &round->all[round->oldest++],
		now < round->deadline_ms ? round->deadline_ms - now : 0);
}

static void *run_round(void *argument)
{
	struct round *round = argument;

	for (size_t i = 0; i < round->count; i++) {
		while (round->open >= round->open_max)
			collect_oldest(round);
		begin(round, &round->all[i], round->names[i]);
	}
	while (round->oldest < round->count)
		collect_oldest(round);
	return NULL;
}

static size_t threads_for(size_t count)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t threads = count / THREAD_LEAST + 1;

	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	return processors > 0 && threads > (size_t)processors ? (size_t)processors : threads;
}

/* Shares of the same size; where there is no thread to be had, one after the other. */
static int run_rounds(const struct round *whole)
{
	struct round rounds[THREADS_MAX];
	size_t threads = threads_for(whole->count), at = 0;
	int status = STATUS_OK;

	for (size_t i = 0; i < threads; i++) {
		struct round *round = &rounds[i];

		*round = *whole;
		round->names = whole->names + at;
		round->all = whole->all + at;
		round->count = (whole->count - at) / (threads - i);
		round->open_max = whole->open_max / threads;
		at += round->count;
		round->has_thread =
		    i + 1 < threads && pthread_create(&round->thread, NULL, run_round, round) == 0;
		if (!round->has_thread)
			(void)run_round(round);
	}
	for (size_t i = 0; i < threads; i++) {
		if (rounds[i].has_thread)
			(void)pthread_join(rounds[i].thread, NULL);
		if (rounds[i].status != STATUS_OK)
			status = STATUS_FAILED;
	}
	return status;
}

int containers_load(const struct context *context, char *const *names, size_t count,
		    enum container_detail detail,
		    void (*take)(const struct container_info *info, void *data), void *data)
{
	_cleanup_free_ struct question *all = calloc(count + 1, sizeof(*all));
	const struct round whole = {.context = context,
				    .detail = detail,
				    .names = names,
				    .all = all,
				    .count = count,
				    .open_max = containers_files_at_once(),
				    .deadline_ms = now_ms() + PATIENCE_MS,
				    .status = STATUS_OK};
	int status;

	if (!all)
		return complain("out of memory");
	if (context->has_layout)
		cgroup_usage_prepare(&context->layout);
	status = run_rounds(&whole);
	for (size_t i = 0; i < count; i++)
		if (all[i].is_there)
			take(&all[i].info, data);
	return status;
}

/* helper/admin/start.c - `carrel start`: containers that are ready before their users come. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/admin/commands.h"
#include "helper/admin/framing.h"
#include "helper/admin/prepare.h"

#define BAR_WIDTH 30

/* What is shown while it goes on: a bar on a terminal, otherwise a line for each. */
struct show {
	size_t total;
	bool has_bar;
};

static void draw_bar(const struct show *show, size_t done)
{
	char bar[BAR_WIDTH + 1];
	size_t full = done * BAR_WIDTH / show->total;

	memset(bar, '.', BAR_WIDTH);
	memset(bar, '#', full);
	bar[BAR_WIDTH] = '\0';
	(void)printf("\r[%s] %zu of %zu", bar, done, show->total);
	(void)fflush(stdout);
}

static void erase_bar(const struct show *show)
{
	if (show->has_bar)
		(void)printf("\r\033[K");
}

static void tell(const struct person *person, const struct prepared *prepared, size_t done,
		 void *data)
{
	const struct show *show = data;

	if (show->has_bar)
		draw_bar(show, done);
	else if (prepared->how == PREPARED_STARTED)
		(void)printf("%s: started\n", person->container);
	else if (prepared->how == PREPARED_RUNNING)
		(void)printf("%s: is running already\n", person->container);
	(void)fflush(stdout);
}

/* Failures last, where they are seen. */
static int summarize(const struct people *people, const struct prepared *results)
{
	size_t counts[PREPARED_STARTED + 1] = {0}, left_out = 0;
	int status = STATUS_OK;

	for (size_t i = 0; i < people->count; i++) {
		if (people->items[i].policy)
			counts[results[i].how]++;
		else
			left_out++;
	}
	(void)printf("%zu started, %zu running already, %zu failed", counts[PREPARED_STARTED],
		     counts[PREPARED_RUNNING], counts[PREPARED_FAILED]);
	if (counts[PREPARED_NOT])
		(void)printf(", %zu not begun", counts[PREPARED_NOT]);
	(void)printf("\n");
	for (size_t i = 0; i < people->count && left_out; i++)
		if (!people->items[i].policy)
			(void)printf("%s: left out: %s\n", people->items[i].user,
				     people->items[i].reason);
	for (size_t i = 0; i < people->count; i++)
		if (results[i].how == PREPARED_FAILED)
			status = complain("%s: %s", people->items[i].user, results[i].text);
	return status;
}

static int start(const struct people *people, size_t jobs)
{
	_cleanup_free_ struct prepared *results = calloc(people->count + 1, sizeof(*results));
	struct show show = {.has_bar = isatty(STDOUT_FILENO) == 1};
	bool whole;
	int status;

	if (!results)
		return complain("out of memory");
	if (people->count == 0)
		(void)puts("nobody to start a container for");
	for (size_t i = 0; i < people->count; i++)
		show.total += people->items[i].policy != NULL;
	whole = people_prepare(people, jobs, results, tell, &show);
	erase_bar(&show);
	status = people->count ? summarize(people, results) : STATUS_OK;
	for (size_t i = 0; i < people->count; i++)
		if (results[i].how == PREPARED_STARTED)
			admin_event(people->items[i].container, people->items[i].user, "start");
	if (!whole)
		status = complain("start: interrupted; those that were begun are complete");
	return output_status(status);
}

int run_start(const struct command *command, int argc, char **argv)
{
	const char *jobs_text = NULL;
	struct selector selector = {0};
	const struct option_spec specs[] = {
	    {.name = "jobs", .letter = 'j', .value = &jobs_text},
	    SELECT_GROUP(&selector),
	    SELECT_POLICY(&selector),
	    SELECT_ALL(&selector),
	};
	_cleanup_people_ struct people people = {0};
	uint64_t jobs = jobs_default();
	struct context context;
	const struct syntax syntax = {specs, ARRAY_LENGTH(specs), 0, OPERANDS_ANY};
	struct operands names;
	struct failure why;
	int status = selection_parse(command, argc, argv, &syntax, &selector, &names);

	if (status != STATUS_GO_ON)
		return status;
	if (jobs_text && !parse_count(jobs_text, 1, JOBS_MAX, &jobs, &why))
		return usage_error(command, "--jobs: %s", why.text);
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	status = select_people(&context, &selector, &names, &people);
	if (status == STATUS_GO_ON)
		status = start(&people, (size_t)jobs);
	context_close(&context);
	return status;
}

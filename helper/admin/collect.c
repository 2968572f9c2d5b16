/* helper/admin/collect.c - `carrel collect`: the same file of every student into one folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/admin/collect_one.h"
#include "helper/admin/commands.h"
#include "helper/admin/prepare.h"

#define MAX_SIZE_DEFAULT (100ull << 20)
#define SECONDS_DEFAULT  120
#define SECONDS_MAX      3600

struct outcome {
	enum collected got;
	char reason[512];
};

static const char *const words[] = {
    [COLLECTED_ALL] = "collected", [COLLECTED_PART] = "incomplete", [COLLECTED_NOT] = "failed"};

static void ignore(const struct person *person, const struct prepared *prepared, size_t done,
		   void *data)
{
	(void)person;
	(void)prepared;
	(void)done;
	(void)data;
}

static void collect_person(const struct collecting *what, const struct person *person,
			   const struct prepared *prepared, struct outcome *outcome)
{
	*outcome = (struct outcome){.got = COLLECTED_NOT};
	if (!person->policy)
		(void)snprintf(outcome->reason, sizeof(outcome->reason), "has no container: %s",
			       person->reason);
	else if (prepared->how == PREPARED_NOT)
		(void)snprintf(outcome->reason, sizeof(outcome->reason), "interrupted");
	else if (prepared->how == PREPARED_FAILED)
		(void)snprintf(outcome->reason, sizeof(outcome->reason), "%.500s", prepared->text);
	else
		outcome->got = collect_one(what, person, outcome->reason, sizeof(outcome->reason));
}

static void print_outcome(const struct person *person, const struct outcome *outcome)
{
	(void)printf("%s: %s%s%s\n", person->user, words[outcome->got],
		     *outcome->reason ? ": " : "", outcome->reason);
	(void)fflush(stdout);
}

static void write_outcome(struct json *json, const struct person *person,
			  const struct outcome *outcome)
{
	json_object_begin(json, NULL);
	json_string(json, "user", person->user);
	json_string(json, "container", *person->container ? person->container : NULL);
	json_string(json, "result", words[outcome->got]);
	json_string(json, "reason", *outcome->reason ? outcome->reason : NULL);
	json_object_end(json);
}

static int collect_all(const struct collecting *what, const struct people *people, bool as_json)
{
	_cleanup_free_ struct prepared *prepared = calloc(people->count + 1, sizeof(*prepared));
	size_t counts[COLLECTED_NOT + 1] = {0}, left_out = 0;
	struct json json = {0};
	int status;

	if (!prepared)
		return complain("out of memory");
	(void)people_prepare(people, jobs_default(), prepared, ignore, NULL);
	json_array_begin(&json, NULL);
	for (size_t i = 0; i < people->count; i++) {
		struct outcome outcome;

		collect_person(what, &people->items[i], &prepared[i], &outcome);
		if (as_json)
			write_outcome(&json, &people->items[i], &outcome);
		else
			print_outcome(&people->items[i], &outcome);
		if (people->items[i].policy)
			counts[outcome.got]++;
		else
			left_out++;
	}
	json_array_end(&json);
	status = counts[COLLECTED_PART] || counts[COLLECTED_NOT] ? STATUS_FAILED : STATUS_OK;
	if (as_json && json_print(&json) != STATUS_OK)
		status = STATUS_FAILED;
	json_free(&json);
	if (!as_json)
		(void)printf("%zu collected, %zu incomplete, %zu failed, %zu without a container\n",
			     counts[COLLECTED_ALL], counts[COLLECTED_PART], counts[COLLECTED_NOT],
			     left_out);
	return output_status(status);
}

/* The admin named it: it is theirs to choose. Made when missing, for nobody else to read. */
static int open_target(const char *path)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int collect(struct collecting *what, const struct selector *selector,
		   const struct operands *names, const char *directory, bool as_json)
{
	_cleanup_people_ struct people people = {0};
	_cleanup_close_ int target = -1;
	struct context context;
	struct failure why;
	int status;

	if (!context_open(&context, &why))
		return complain("%s", why.text);
	what->context = &context;
	status = select_people(&context, selector, names, &people);
	if (status == STATUS_GO_ON) {
		target = open_target(directory);
		what->target = target;
		status = target < 0 ? complain("%s: %s", directory, strerror(errno))
				    : collect_all(what, &people, as_json);
	}
	context_close(&context);
	what->context = NULL;
	return status;
}

int run_collect(const struct command *command, int argc, char **argv)
{
	struct collecting what = {.max_bytes = MAX_SIZE_DEFAULT, .seconds = SECONDS_DEFAULT};
	const char *max_size = NULL, *timeout = NULL;
	struct selector selector = {0};
	bool as_json = false;
	const struct option_spec specs[] = {
	    {.name = "max-size", .letter = 'm', .value = &max_size},
	    {.name = "timeout", .letter = 't', .value = &timeout},
	    {.name = "json", .letter = 'j', .flag = &as_json},
	    SELECT_GROUP(&selector),
	    SELECT_POLICY(&selector),
	    SELECT_ALL(&selector),
	};
	_cleanup_names_ struct name_set named = {0};
	struct operands operands;
	struct failure why;
	size_t first;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 2, 3, &operands);

	if (status != STATUS_GO_ON)
		return status;
	first = operands.count - 2;
	if (!selector_is_sound(&selector, first))
		return usage_error(command, "give users with commas between them, --group, "
					    "--policy or --all, and only one of them");
	if (max_size && !parse_size(max_size, &what.max_bytes, &why))
		return usage_error(command, "--max-size: %s", why.text);
	if (timeout && !parse_count(timeout, 1, SECONDS_MAX, &what.seconds, &why))
		return usage_error(command, "--timeout: %s", why.text);
	if (first && !name_set_split(&named, operands.items[0]))
		return complain("out of memory");
	what.path = operands.items[first];
	return collect(&what, &selector,
		       &(struct operands){.count = named.count, .items = named.items},
		       operands.items[first + 1], as_json);
}

/* helper/admin/events.c - `carrel events`: read events.jsonl, and go on reading while it grows. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/paths.h"
#include "helper/admin/commands.h"
#include "helper/admin/event_line.h"

#define EVENTS_PATH      CARREL_EVENTS_DIR "/" CARREL_EVENTS_FILE
#define FIRST_LINES      10 /* shown by --follow before it waits, as tail(1) does */
#define POLL_NANOSECONDS 250000000
#define ROTATED_MAX      100

struct filter {
	const char *user, *container; /* NULL: all */
	uint64_t since;
	bool as_json;
};

struct follower {
	int file; /* -1 while there is none */
	size_t used;
	char buffer[2 * EVENT_LINE_MAX];
	size_t damaged; /* lines that are no events */
	struct filter filter;
};

static bool is_meant(const char *value, const char *wanted)
{
	return !wanted || (value && strcmp(value, wanted) == 0);
}

static void print_line(struct follower *follower, const char *text, size_t length)
{
	const struct filter *filter = &follower->filter;
	struct event_line line;
	char description[4096];

	if (length == 0)
		return;
	if (!event_line_parse(text, length, &line)) {
		follower->damaged++;
		return;
	}
	if (!is_meant(event_line_get(&line, "user"), filter->user) ||
	    !is_meant(event_line_get(&line, "container"), filter->container) ||
	    event_line_time(&line) < filter->since)
		return;
	if (filter->as_json) {
		(void)fwrite(text, 1, length, stdout);
	} else {
		event_line_describe(&line, description, sizeof(description));
		(void)fputs(description, stdout);
	}
	(void)fputc('\n', stdout);
}

/* Print the whole lines in the buffer and keep the beginning of the next one. */
static void print_lines(struct follower *follower)
{
	char *start = follower->buffer, *newline;
	size_t left = follower->used;

	while ((newline = memchr(start, '\n', left))) {
		print_line(follower, start, (size_t)(newline - start));
		left -= (size_t)(newline + 1 - start);
		start = newline + 1;
	}
	if (left == sizeof(follower->buffer)) { /* far too long for one of ours */
		follower->damaged++;
		left = 0;
	}
	memmove(follower->buffer, start, left);
	follower->used = left;
}

static void read_rest(struct follower *follower)
{
	ssize_t got;

	while (follower->file >= 0 && (got = read(follower->file, follower->buffer + follower->used,
						  sizeof(follower->buffer) - follower->used)) > 0) {
		follower->used += (size_t)got;
		print_lines(follower);
	}
}

/* Go to where the last lines of the file begin. */
static void seek_last_lines(int file, size_t lines)
{
	char chunk[4096];
	off_t at = lseek(file, 0, SEEK_END);

	if (at > 0)
		at--; /* the newline that ends the last line is not one before it */
	while (at > 0) {
		off_t start = at > (off_t)sizeof(chunk) ? at - (off_t)sizeof(chunk) : 0;
		ssize_t got = pread(file, chunk, (size_t)(at - start), start);

		for (ssize_t i = got; i-- > 0;)
			if (chunk[i] == '\n' && --lines == 0) {
				(void)lseek(file, start + i + 1, SEEK_SET);
				return;
			}
		at = start;
	}
	(void)lseek(file, 0, SEEK_SET);
}

/* Another file under the name, or the same one cut short: logrotate(8) does either. */
static bool was_rotated(int file)
{
	struct stat here, there;

	if (file < 0)
		return access(EVENTS_PATH, F_OK) == 0;
	if (fstat(file, &here) < 0 || stat(EVENTS_PATH, &there) < 0)
		return false; /* renamed away, and nobody has written since: stay with the old one
			       */
	return here.st_ino != there.st_ino || here.st_dev != there.st_dev ||
	       there.st_size < lseek(file, 0, SEEK_CUR);
}

static void reopen(struct follower *follower)
{
	read_rest(follower); /* what came between the last look and the rotation */
	cleanup_close(&follower->file);
	follower->file = open(EVENTS_PATH, O_RDONLY | O_CLOEXEC);
	follower->used = 0;
}

/* Until a signal ends us or nobody reads any more. */
static int follow(struct follower *follower)
{
	const struct timespec pause = {.tv_nsec = POLL_NANOSECONDS};

	for (;;) {
		if (was_rotated(follower->file))
			reopen(follower);
		read_rest(follower);
		if (output_status(STATUS_OK) != STATUS_OK)
			return STATUS_FAILED;
		(void)nanosleep(&pause, NULL);
	}
}

/*
 * The files that logrotate(8) has put away, the newest first, until one is missing. The file itself
 * is open already: should it be renamed meanwhile, it is met again as the first of them.
 */
static size_t open_rotated(int current, int files[ROTATED_MAX])
{
	size_t count = 0;
	ino_t seen = 0;
	struct stat status;

	if (current >= 0 && fstat(current, &status) == 0)
		seen = status.st_ino;
	for (unsigned i = 1; i <= ROTATED_MAX; i++) {
		char path[sizeof(EVENTS_PATH) + 12];
		_cleanup_close_ int file = -1;

		(void)snprintf(path, sizeof(path), EVENTS_PATH ".%u", i);
		file = open(path, O_RDONLY | O_CLOEXEC);
		if (file < 0 || fstat(file, &status) < 0)
			break;
		if (status.st_ino == seen)
			continue;
		files[count++] = take_fd(&file);
	}
	return count;
}

/* From the oldest on. */
static void read_rotated(struct follower *follower)
{
	int files[ROTATED_MAX], current = follower->file;
	size_t count = open_rotated(current, files);

	while (count > 0) {
		follower->file = files[--count];
		read_rest(follower);
		follower->used = 0; /* of a line that was not finished */
		cleanup_close(&files[count]);
	}
	follower->file = current;
}

static int show(struct follower *follower, bool and_follow, bool all)
{
	int status = STATUS_OK;

	follower->file = open(EVENTS_PATH, O_RDONLY | O_CLOEXEC);
	if (follower->file < 0 && errno != ENOENT)
		return complain("cannot read " EVENTS_PATH ": %m");
	if (all)
		read_rotated(follower);
	else if (follower->file >= 0)
		seek_last_lines(follower->file, FIRST_LINES);
	if (and_follow)
		status = follow(follower);
	else
		read_rest(follower);
	cleanup_close(&follower->file);
	if (follower->damaged)
		(void)complain("%zu lines of " EVENTS_PATH " are damaged and left out",
			       follower->damaged);
	return output_status(status);
}

int run_events(const struct command *command, int argc, char **argv)
{
	const char *since = NULL, *user = NULL, *container = NULL;
	bool as_json = false, and_follow = false;
	const struct option_spec specs[] = {
	    {.name = "container", .letter = 'c', .value = &container},
	    {.name = "follow", .letter = 'f', .flag = &and_follow},
	    {.name = "since", .letter = 's', .value = &since},
	    {.name = "user", .letter = 'u', .value = &user},
	    {.name = "json", .flag = &as_json},
	};
	struct follower follower = {.file = -1};
	struct operands operands;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 0, 0, &operands);

	if (status != STATUS_GO_ON)
		return status;
	follower.filter = (struct filter){.user = user, .container = container, .as_json = as_json};
	if (since && !event_since_parse(since, (uint64_t)time(NULL), &follower.filter.since))
		return usage_error(command,
				   "'%s' is no time: say 2h, 2025-11-24 or "
				   "\"2025-11-24 17:06\"",
				   since);
	return show(&follower, and_follow, !and_follow || since);
}

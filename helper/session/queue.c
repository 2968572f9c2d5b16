/* helper/session/queue.c - containers are started a few at a time, in the order of arrival. */
#include "helper/session/queue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"

#define SLOTS_MAX      64
#define TICKET_SIZE    17 /* 16 hex digits: the order of names is that of numbers */
#define TELL_EVERY_MS  500
#define SLEEP_LEAST_MS 2
#define SLEEP_MOST_MS  250

size_t queue_slots(void)
{
	cpu_set_t ours;
	size_t processors = 1;

	if (sched_getaffinity(0, sizeof(ours), &ours) == 0)
		processors = (size_t)CPU_COUNT(&ours);
	return processors * 2 < SLOTS_MAX ? processors * 2 : SLOTS_MAX;
}

unsigned queue_patience_ms(size_t ahead)
{
	return ahead > SLEEP_MOST_MS / SLEEP_LEAST_MS ? SLEEP_MOST_MS
						      : (unsigned)ahead * SLEEP_LEAST_MS;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void name_ticket(uint64_t number, char name[TICKET_SIZE])
{
	(void)snprintf(name, TICKET_SIZE, "%016" PRIx64, number);
}

/* False for the lock file and whatever else is not a ticket. */
static bool read_number(const char *name, uint64_t *number)
{
	char *end;

	if (strlen(name) != TICKET_SIZE - 1)
		return false;
	*number = strtoull(name, &end, 16);
	return *end == '\0';
}

/* Those in front of us: how many, and the first of them, who should be in turn. */
struct front {
	size_t before;
	uint64_t first[SLOTS_MAX]; /* in order */
	size_t first_count;
	uint64_t highest; /* of all tickets */
};

static void note_first(struct front *front, uint64_t number, size_t slots)
{
	size_t at = slots - 1;

	if (front->first_count < slots)
		at = front->first_count++;
	else if (front->first[at] < number)
		return;
	for (; at > 0 && front->first[at - 1] > number; at--)
		front->first[at] = front->first[at - 1];
	front->first[at] = number;
}

static bool look(int queue, uint64_t ours, size_t slots, struct front *front, struct failure *why)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int fd = openat(queue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	uint64_t number;

	*front = (struct front){0};
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		cleanup_close(&fd);
		return fail(why, FAILURE_SYSTEM, errno, "cannot read /run/carrel/queue");
	}
	while ((entry = readdir(dir))) {
		if (!read_number(entry->d_name, &number))
			continue;
		if (number > front->highest)
			front->highest = number;
		if (number >= ours)
			continue;
		front->before++;
		note_first(front, number, slots);
	}
	return true;
}

/*
 * Its owner locked it before anybody with a higher number could see it, so one without a lock is
 * of somebody who is gone. True when there was one. Its number is not given out again as long as
 * there is a higher one.
 */
static bool bury_dead(int queue, const struct front *front)
{
	bool any = false;

	for (size_t i = 0; i < front->first_count; i++) {
		char name[TICKET_SIZE];
		_cleanup_close_ int ticket = -1;

		name_ticket(front->first[i], name);
		ticket = openat(queue, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (ticket >= 0 && flock(ticket, LOCK_EX | LOCK_NB) == 0)
			any = unlinkat(queue, name, 0) == 0 || any;
	}
	return any;
}

static bool draw_ticket(struct turn *turn, struct failure *why)
{
	_cleanup_close_ int lock =
	    openat(turn->queue, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct front front;
	char name[TICKET_SIZE];

	/* Held for a look at the directory; its holder may be killed, but not wait. */
	while (lock >= 0 && flock(lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return fail(why, FAILURE_SYSTEM, errno, "cannot lock the queue");
	if (lock < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open the queue's lock");
	if (!look(turn->queue, 0, 1, &front, why))
		return false;
	turn->number = front.highest + 1;
	name_ticket(turn->number, name);
	turn->ticket =
	    openat(turn->queue, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return (turn->ticket >= 0 && flock(turn->ticket, LOCK_EX | LOCK_NB) == 0) ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot join the queue");
}

static bool wait_for_turn(const struct turn *turn, bool (*tell)(size_t before, void *data),
			  void *data, struct failure *why)
{
	const size_t slots = queue_slots();
	const uint64_t begun = now_ms();
	uint64_t told = begun;
	struct front front;

	for (;;) {
		uint64_t now = now_ms();
		unsigned pause;

		if (!look(turn->queue, turn->number, slots, &front, why))
			return false;
		if (front.before && bury_dead(turn->queue, &front))
			continue;
		if (front.before < slots)
			return true;
		if (now - begun > QUEUE_SECONDS * 1000)
			return fail(why, FAILURE_BUSY, 0,
				    "%zu containers are to be started first, and it took %d "
				    "minutes already: the machine is too slow for so many at once",
				    front.before, QUEUE_SECONDS / 60);
		if (now - told >= TELL_EVERY_MS) {
			told = now;
			if (!tell(front.before, data))
				return fail(why, FAILURE_REQUEST, 0,
					    "whoever asked did not wait for its turn");
		}
		pause = queue_patience_ms(front.before - slots + 1);
		(void)nanosleep(&(struct timespec){.tv_nsec = pause * 1000000L}, NULL);
	}
}

bool turn_take(int run, bool (*tell)(size_t before, void *data), void *data, struct turn *turn,
	       struct failure *why)
{
	*turn = (struct turn)TURN_NONE;
	if (mkdirat(run, "queue", 0700) < 0 && errno != EEXIST)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make /run/carrel/queue");
	turn->queue = dir_open_at(run, "queue", true);
	if (turn->queue < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open /run/carrel/queue");
	if (draw_ticket(turn, why) && wait_for_turn(turn, tell, data, why))
		return true;
	turn_give_back(turn);
	return false;
}

void turn_give_back(struct turn *turn)
{
	char name[TICKET_SIZE];

	if (turn->ticket >= 0) {
		name_ticket(turn->number, name);
		(void)unlinkat(turn->queue, name, 0);
	}
	cleanup_close(&turn->ticket);
	cleanup_close(&turn->queue);
	*turn = (struct turn)TURN_NONE;
}

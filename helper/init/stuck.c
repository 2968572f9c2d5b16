/* helper/init/stuck.c - login services that wait on something that was put in their way. */
#include "helper/init/stuck.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LOOK_SECONDS 30 /* between two looks at the processes */

/* The letter in /proc/PID/stat, 0 when the process is gone. */
static char process_state(int proc, const char *pid)
{
	char path[64], text[128];
	_cleanup_close_ int fd = -1;
	const char *after;
	ssize_t length;

	(void)snprintf(path, sizeof(path), "%.20s/stat", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	after = strrchr(text, ')'); /* the name before it may have brackets, too */
	return after && after[1] == ' ' ? after[2] : 0;
}

/*
 * PID 1 reaps what is its own at once: the dead who stay belong to a login service. One that has
 * nobody alive left and does not bury its dead will not come to an end by itself. (One that never
 * started anybody inside may be at work as it is, as some FTP servers are.)
 */
static bool only_dead_are_left(void)
{
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool dead = false;

	while (proc && (entry = readdir(proc))) {
		char state;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9' ||
		    strcmp(entry->d_name, "1") == 0)
			continue;
		state = process_state(dirfd(proc), entry->d_name);
		if (state && state != 'Z' && state != 'X')
			return false;
		dead |= state != 0;
	}
	return dead;
}

void stuck_end(struct sessions *sessions)
{
	for (size_t i = 0; i < sessions->count; i++) {
		sessions->items[i]->was_stuck = true;
		leash_pull(&sessions->items[i]->leash);
	}
}

int stuck_patience(const struct stuck *stuck)
{
	uint64_t now = boottime_seconds();

	return stuck->next_look <= now ? 0 : (int)(stuck->next_look - now) * 1000;
}

void stuck_look(struct stuck *stuck, struct sessions *sessions)
{
	uint64_t now = boottime_seconds();

	if (sessions->count == 0 || now < stuck->next_look)
		return;
	stuck->next_look = now + LOOK_SECONDS;
	stuck->looks = only_dead_are_left() ? stuck->looks + 1 : 0;
	if (stuck->looks < STUCK_LOOKS)
		return;
	stuck->looks = 0;
	stuck_end(sessions);
}

/* Attempts to use up what the machine has only so much of. */
#define _GNU_SOURCE
#include "attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MOST = 100000,
};

static int one_inotify(int number)
{
	(void)number;
	return inotify_init();
}

static int one_terminal(int number)
{
	(void)number;
	return posix_openpt(O_RDWR | O_NOCTTY);
}

static int one_pipe(int number)
{
	int ends[2];
	static char page[1 << 20];

	(void)number;
	if (pipe2(ends, O_NONBLOCK) < 0)
		return -1;
	fcntl(ends[1], F_SETPIPE_SZ, sizeof(page));
	if (write(ends[1], page, sizeof(page)) < 0 && errno != EAGAIN)
		return -1;
	return 0;
}

static int one_socket(int number)
{
	int ends[2];
	static char page[1 << 16];

	(void)number;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0)
		return -1;
	while (write(ends[1], page, sizeof(page)) > 0)
		;
	return 0;
}

static int one_message_queue(int number)
{
	(void)number;
	return msgget(IPC_PRIVATE, 0600);
}

static int one_segment(int number)
{
	(void)number;
	return shmget(IPC_PRIVATE, 1 << 20, 0600);
}

static int one_semaphore_set(int number)
{
	(void)number;
	return semget(IPC_PRIVATE, 1, 0600);
}

static int one_posix_queue(int number)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "/flood-%d", number);
	return mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
}

static int one_zombie(int number)
{
	(void)number;
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid;
}

/* Argument: kind. Takes until it is refused, tells, and holds it until the end of the input. */
static int flood(char **arguments)
{
	static const struct {
		const char *name;
		int (*take)(int number);
	} kinds[] = {{"inotify", one_inotify},
		     {"terminals", one_terminal},
		     {"pipes", one_pipe},
		     {"sockets", one_socket},
		     {"queues", one_message_queue},
		     {"segments", one_segment},
		     {"semaphores", one_semaphore_set},
		     {"mqueues", one_posix_queue},
		     {"zombies", one_zombie}};
	struct rlimit limit;
	char byte;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].name, arguments[0]) != 0)
			continue;
		int number = 0;
		while (number < MOST && kinds[i].take(number) >= 0)
			number++;
		printf("%d %s\n", number, number == MOST ? "endless" : strerrorname_np(errno));
		(void)fflush(stdout);
		while (read(0, &byte, 1) > 0)
			;
		return 0;
	}
	return 2;
}

const struct attempt flood_attempts[] = {
    {"flood", flood},
    {NULL, NULL},
};

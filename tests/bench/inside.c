/* tests/bench/inside.c - work of an ordinary kind, which tells how long it took. */

/*
 *	inside stat FOLDER              ask for every file below it
 *	inside read FOLDER              open and read every file below it
 *	inside write COUNT              make so many small files here, and remove them
 *	inside memory                   copy in memory
 *	inside exec COUNT PROGRAM...    start and await so many times
 *
 * Prints microseconds. For case_inside.py, which runs it in a container and out of it.
 */
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILES_AT_ONCE 32
#define WALKS         25
#define COPY_BYTES    (32ul * 1024 * 1024)
#define COPY_TIMES    8

static void need(bool done, const char *what)
{
	if (done)
		return;
	perror(what);
	exit(1);
}

static double now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int look(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)path;
	(void)status;
	(void)kind;
	(void)place;
	return 0;
}

static int read_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	static char buffer[65536];
	int fd;

	(void)status;
	(void)place;
	if (kind != FTW_F)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	need(fd >= 0, path);
	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	return close(fd);
}

static void walk(const char *folder, __nftw_func_t each)
{
	for (int i = 0; i < WALKS; i++)
		need(nftw(folder, each, FILES_AT_ONCE, FTW_PHYS) == 0, folder);
}

static void write_many(int count)
{
	char name[32];
	int fd;

	for (int i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "inside-%d", i);
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		need(fd >= 0 && write(fd, name, sizeof(name)) == sizeof(name), name);
		need(close(fd) == 0, name);
	}
	for (int i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "inside-%d", i);
		need(unlink(name) == 0, name);
	}
}

static void copy_memory(void)
{
	char *from = malloc(COPY_BYTES), *to = malloc(COPY_BYTES);

	need(from && to, "memory");
	memset(from, 1, COPY_BYTES);
	for (int i = 0; i < COPY_TIMES; i++) {
		memcpy(to, from, COPY_BYTES);
		__asm__ volatile("" : : "r"(to) : "memory"); /* or it would not be done */
	}
	free(from);
	free(to);
}

static void start_many(int count, char **words)
{
	int status;
	pid_t pid;

	for (int i = 0; i < count; i++) {
		need(posix_spawnp(&pid, words[0], NULL, NULL, words, environ) == 0, words[0]);
		need(waitpid(pid, &status, 0) == pid && status == 0, words[0]);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	double begun = now_us();

	if (argc == 3 && strcmp(what, "stat") == 0)
		walk(argv[2], look);
	else if (argc == 3 && strcmp(what, "read") == 0)
		walk(argv[2], read_one);
	else if (argc == 3 && strcmp(what, "write") == 0)
		write_many(atoi(argv[2]));
	else if (argc == 2 && strcmp(what, "memory") == 0)
		copy_memory();
	else if (argc >= 4 && strcmp(what, "exec") == 0)
		start_many(atoi(argv[2]), argv + 3);
	else
		return 2;
	(void)printf("%.1f\n", now_us() - begun);
	return 0;
}

/* Attempts to look into another process, or to change it. */
#define _GNU_SOURCE
#include "attempt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void look_at_files(pid_t pid)
{
	static const char *const files[] = {"mem",  "environ",   "maps",    "auxv", "fd",  "fdinfo",
					    "io",   "map_files", "root/",   "cwd/", "exe", "ns/mnt",
					    "task", "pagemap",   "syscall", "stack"};
	char path[PATH_MAX], byte;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		int descriptor = open(path, O_RDONLY);
		/* Some of them are opened first and refuse to be read. */
		if (descriptor >= 0 &&
		    (strcmp(files[i], "auxv") == 0 || strcmp(files[i], "environ") == 0) &&
		    read(descriptor, &byte, 1) == 0) {
			printf("%s empty\n", files[i]);
			close(descriptor);
			continue;
		}
		tell_descriptor(files[i], descriptor);
	}
}

static void take_descriptors(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	tell("pidfd_getfd", pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, 0, 0));
	if (pidfd >= 0)
		close(pidfd);
}

static int look_into(char **arguments)
{
	pid_t pid = atoi(arguments[0]);
	char buffer[8];
	struct iovec mine = {buffer, sizeof(buffer)}, theirs = {(void *)0x400000, sizeof(buffer)};
	struct rlimit limit = {1, 1};

	tell("ptrace-attach", ptrace(PTRACE_ATTACH, pid, 0, 0));
	tell("ptrace-seize", ptrace(PTRACE_SEIZE, pid, 0, 0));
	tell("process_vm_readv", process_vm_readv(pid, &mine, 1, &theirs, 1, 0));
	tell("process_vm_writev", process_vm_writev(pid, &mine, 1, &theirs, 1, 0));
	tell("kcmp", syscall(SYS_kcmp, pid, getpid(), 0, 0, 0));
	tell("prlimit", prlimit(pid, RLIMIT_NOFILE, &limit, NULL));
	take_descriptors(pid);
	look_at_files(pid);
	return 0;
}

/* Look at every process that comes, for so many seconds, and tell which let us in: what exists only
 * for moments, between a fork and an exec, is met in this way. */
static int lie_in_wait(char **arguments)
{
	time_t end = time(NULL) + atoi(arguments[0]);
	char path[PATH_MAX], target[PATH_MAX];
	unsigned long seen = 0;
	pid_t last = 0;

	while (time(NULL) < end) {
		for (pid_t pid = last > 64 ? last - 64 : 1; pid < last + 128; pid++) {
			(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
			if (access(path, F_OK) < 0)
				continue;
			last = pid > last ? pid : last;
			seen++;
			(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
			ssize_t length = readlink(path, target, sizeof(target) - 1);
			if (length < 0)
				continue;
			target[length] = 0;
			(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
			if (strstr(target, "sshd") || strstr(target, "carrel"))
				printf("%s %s\n", path, target);
		}
	}
	printf("looked %s\n", seen > 100 ? "often" : "rarely");
	return 0;
}

static bool is_called(pid_t pid, const char *name)
{
	char path[64], comm[32] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = 0;
	(void)fclose(file);
	comm[strcspn(comm, "\n")] = 0;
	return strcmp(comm, name) == 0;
}

/*
 * Arguments: a name, seconds. Reach for memory and descriptors of each process of that name as soon
 * as it comes (CVE-2016-8649). A process that has become another program meanwhile does not count.
 */
static int ambush(char **arguments)
{
	static const char *const files[] = {"fd", "mem", "exe", "root/", "environ"};
	time_t end = time(NULL) + atoi(arguments[1]);
	unsigned long met = 0;

	while (time(NULL) < end) {
		DIR *processes = opendir("/proc");
		struct dirent *entry;

		while (processes && (entry = readdir(processes))) {
			pid_t pid = atoi(entry->d_name);
			char path[64], byte;

			if (pid < 2 || !is_called(pid, arguments[0]))
				continue;
			met++;
			if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0 && is_called(pid, arguments[0]))
				printf("ptrace done\n");
			for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
				(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
				int descriptor = open(path, O_RDONLY);

				/* The environment is opened first and refuses to be read. */
				if (descriptor < 0 || (strcmp(files[i], "environ") == 0 &&
						       read(descriptor, &byte, 1) <= 0)) {
					if (descriptor >= 0)
						close(descriptor);
					continue;
				}
				close(descriptor);
				if (is_called(pid, arguments[0]))
					printf("%s done\n", files[i]);
			}
			int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

			if (pidfd >= 0 && syscall(SYS_pidfd_getfd, pidfd, 1, 0) >= 0 &&
			    is_called(pid, arguments[0]))
				printf("pidfd_getfd done\n");
			if (pidfd >= 0)
				close(pidfd);
		}
		if (processes)
			closedir(processes);
	}
	printf("met %s\n", met > 0 ? "some" : "none");
	return 0;
}

static int kill_all(char **arguments)
{
	pid_t pid = atoi(arguments[0]);
	static const int signals[] = {SIGKILL, SIGSTOP, SIGTERM, SIGHUP, SIGSEGV, 34, SIGUSR1};
	union sigval value = {.sival_int = 0};

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "signal-%d", signals[i]);
		tell(name, kill(pid, signals[i]));
		sigqueue(pid, signals[i], value);
	}
	return 0;
}

const struct attempt process_attempts[] = {
    {"look-into", look_into},
    {"lie-in-wait", lie_in_wait},
    {"ambush", ambush},
    {"signals", kill_all},
    {NULL, NULL},
};

/* tests/counters/steps.c - count the instructions of programs, one by one. */

/*
 *	steps session|carrel-helper|carrel-init PROGRAM ARGUMENT...
 *
 * Runs the program with all that it starts, and prints how many instructions in user space one of
 * them took: of the helper or PID 1 from its entry point on, that is without the dynamic linker, or
 * of the program itself between two SIGUSR1 that it sends itself. What a process forks counts for
 * it until it executes. The processor goes step by step (ptrace(2)), which is slow, but exact, and
 * to be had on virtual machines without counters. Others run at full speed meanwhile. What runs in
 * the vDSO is not counted: it reads the clock anew whenever that ticks meanwhile (vdso(7)), which
 * between two steps it does often.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES_MAX 64
#define BREAKPOINT    0xccul
#define VDSO_SIZE     0x4000ul /* or less, and no other code follows it so closely */
#define QUIET_MS      500      /* without a step: what still runs only waits */

struct process {
	pid_t pid;
	bool stepping, known, held; /* held: stopped until its parent's event tells what it is */
	unsigned long breakpoint, covered; /* where, or 0, and what it covers */
	unsigned long at;                  /* the instruction that comes next */
	unsigned long vdso;                /* where it begins, or 0 */
};

struct tracer {
	struct process processes[PROCESSES_MAX];
	size_t count;
	const char *wanted;
	unsigned long long steps;
	pid_t first;
	bool first_ended;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct process *find(struct tracer *tracer, pid_t pid)
{
	for (size_t i = 0; i < tracer->count; i++)
		if (tracer->processes[i].pid == pid)
			return &tracer->processes[i];
	if (tracer->count == PROCESSES_MAX)
		die("too many processes");
	tracer->processes[tracer->count] = (struct process){.pid = pid};
	return &tracer->processes[tracer->count++];
}

/* What the kernel tells the program of this type (getauxval(3)), or 0. */
static unsigned long told_by_kernel(pid_t pid, unsigned long type)
{
	char path[64];
	Elf64_auxv_t entry;
	unsigned long found = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	while (read(fd, &entry, sizeof(entry)) == sizeof(entry))
		if (entry.a_type == type)
			found = entry.a_un.a_val;
	(void)close(fd);
	return found;
}

static bool is_wanted(const struct tracer *tracer, pid_t pid)
{
	char path[64], target[256];
	const char *name;
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	length = readlink(path, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	name = strrchr(target, '/');
	return name && strcmp(name + 1, tracer->wanted) == 0;
}

static void set_breakpoint(struct process *process, unsigned long place)
{
	errno = 0;
	process->covered = (unsigned long)ptrace(PTRACE_PEEKTEXT, process->pid, place, 0);
	if (errno || ptrace(PTRACE_POKETEXT, process->pid, place,
			    (process->covered & ~0xfful) | BREAKPOINT) < 0)
		die("breakpoint");
	process->breakpoint = place;
	process->stepping = false;
}

/* Unless this is another stop, as that of a step into execve(2) is. */
static void reach_breakpoint(struct process *process)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, process->pid, 0, &registers) < 0)
		die("breakpoint");
	if (registers.rip != process->breakpoint + 1)
		return;
	registers.rip = process->breakpoint;
	if (ptrace(PTRACE_POKETEXT, process->pid, process->breakpoint, process->covered) < 0 ||
	    ptrace(PTRACE_SETREGS, process->pid, 0, &registers) < 0)
		die("breakpoint");
	process->at = process->breakpoint;
	process->breakpoint = 0;
	process->stepping = true;
}

/* Run on until the entry point, which the dynamic linker jumps to when it has done its work. */
static void begin_program(const struct tracer *tracer, struct process *process)
{
	process->stepping = false;
	process->breakpoint = 0;
	process->vdso = told_by_kernel(process->pid, AT_SYSINFO_EHDR);
	if (is_wanted(tracer, process->pid))
		set_breakpoint(process, told_by_kernel(process->pid, AT_ENTRY));
}

/* The length of a string instruction with "rep": prefixes and one byte. 0: it is another. */
static size_t repeated_length(const struct process *process)
{
	unsigned long word = (unsigned long)ptrace(PTRACE_PEEKTEXT, process->pid, process->at, 0);
	const unsigned char *bytes = (const unsigned char *)&word;
	bool repeats = false;
	size_t i = 0;

	for (; i < 5; i++) {
		repeats = repeats || bytes[i] == 0xf2 || bytes[i] == 0xf3;
		if (bytes[i] != 0xf2 && bytes[i] != 0xf3 && bytes[i] != 0x66 &&
		    (bytes[i] & 0xf0) != 0x40)
			break;
	}
	return repeats && ((bytes[i] >= 0xa4 && bytes[i] <= 0xa7) ||
			   (bytes[i] >= 0xaa && bytes[i] <= 0xaf))
		   ? i + 1
		   : 0;
}

/* An instruction that repeats itself is one, however often; the processor steps through each. */
static void count_step(struct tracer *tracer, struct process *process)
{
	unsigned long before = process->at;
	size_t length;

	process->at = (unsigned long)ptrace(PTRACE_PEEKUSER, process->pid,
					    offsetof(struct user_regs_struct, rip), 0);
	if (process->at != before) {
		tracer->steps += before - process->vdso >= VDSO_SIZE;
		return;
	}
	length = repeated_length(process);
	if (length)
		set_breakpoint(process, process->at + length);
}

static void go_on(const struct process *process, int signal_number)
{
	(void)ptrace(process->stepping ? PTRACE_SINGLESTEP : PTRACE_CONT, process->pid, 0,
		     signal_number);
}

/* A process that was just forked may be seen before its parent's event, or after. */
static void inherit(struct tracer *tracer, struct process *parent)
{
	unsigned long child = 0;
	struct process *forked;

	if (ptrace(PTRACE_GETEVENTMSG, parent->pid, 0, &child) < 0)
		return;
	forked = find(tracer, (pid_t)child);
	forked->stepping = parent->stepping;
	forked->vdso = parent->vdso;
	forked->known = true;
	if (forked->held)
		go_on(forked, 0);
}

/* The signal that the process is to get when it goes on, or 0. */
static int stopped(struct tracer *tracer, struct process *process, int status)
{
	int event = status >> 16, signal_number = WSTOPSIG(status);

	if (event == PTRACE_EVENT_EXEC)
		begin_program(tracer, process);
	else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
		 event == PTRACE_EVENT_CLONE)
		inherit(tracer, process);
	else if (signal_number == SIGTRAP && process->breakpoint)
		reach_breakpoint(process);
	else if (signal_number == SIGTRAP && process->stepping)
		count_step(tracer, process);
	else if (signal_number == SIGUSR1 && process->pid == tracer->first)
		process->stepping = !process->stepping && strcmp(tracer->wanted, "session") == 0;
	else if (event == 0 && signal_number != SIGSTOP && signal_number != SIGTRAP)
		return signal_number;
	return 0;
}

static double now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* After the first process what was started may have something left to do, or live on. */
static pid_t next_stop(const struct tracer *tracer, int *status)
{
	double begun = now_ms();
	pid_t pid;

	if (!tracer->first_ended)
		return waitpid(-1, status, __WALL);
	while ((pid = waitpid(-1, status, __WALL | WNOHANG)) == 0 && now_ms() - begun < QUIET_MS)
		(void)usleep(1000);
	return pid;
}

static void forget(struct tracer *tracer, pid_t pid, int status)
{
	struct process *process = find(tracer, pid);

	*process = tracer->processes[--tracer->count];
	if (pid != tracer->first)
		return;
	tracer->first_ended = true;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		exit(1);
}

static void follow(struct tracer *tracer)
{
	const long options =
	    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	struct process *process;
	int status, signal_number;
	pid_t pid;

	if (waitpid(tracer->first, &status, 0) < 0 ||
	    ptrace(PTRACE_SETOPTIONS, tracer->first, 0, options) < 0)
		die("ptrace");
	process = find(tracer, tracer->first);
	process->known = true;
	begin_program(tracer, process);
	(void)ptrace(PTRACE_CONT, tracer->first, 0, 0);
	while ((pid = next_stop(tracer, &status)) > 0) {
		if (!WIFSTOPPED(status)) {
			forget(tracer, pid, status);
			continue;
		}
		process = find(tracer, pid);
		process->held = !process->known;
		if (process->held)
			continue;
		signal_number = stopped(tracer, process, status);
		go_on(find(tracer, pid), signal_number);
	}
}

/* A processor that is still told to step would end what lives on by SIGTRAP. */
static void let_go(const struct tracer *tracer)
{
	for (size_t i = 0; i < tracer->count; i++) {
		pid_t pid = tracer->processes[i].pid;

		(void)kill(pid, SIGSTOP);
		(void)waitpid(pid, NULL, __WALL);
		(void)ptrace(PTRACE_DETACH, pid, 0, 0);
		(void)kill(pid, SIGCONT);
	}
}

int main(int argc, char **argv)
{
	struct tracer tracer = {0};
	cpu_set_t first;

	if (argc < 3)
		return 2;
	tracer.wanted = argv[1];
	CPU_ZERO(&first); /* on one processor a step is a switch, not a wake-up of another */
	CPU_SET(sched_getcpu(), &first);
	(void)sched_setaffinity(0, sizeof(first), &first);
	tracer.first = fork();
	if (tracer.first < 0)
		die("fork");
	if (tracer.first == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, 0, 0);
		(void)execv(argv[2], argv + 2);
		_exit(127);
	}
	follow(&tracer);
	let_go(&tracer);
	(void)printf("%llu\n", tracer.steps);
	return 0; /* what still runs is let go of */
}

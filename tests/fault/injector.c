/* tests/fault/injector.c - run a program in which one system call fails, or that is killed at one.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Stands in the place of a program (PROGRAM, which is PROGRAM.real now) and becomes it, with the
 * same process id, parent and descriptors, while a process beside it traces it and its children
 * (ptrace(2)). What to do stands in the file PROGRAM.plan:
 *
 *   count LOG                       write a line "PROCESS SYSCALL" to LOG for every call
 *   fail PROCESS CALL LOG           the CALLth call of the PROCESSth process returns an error
 *   kill PROCESS CALL LOG           the process is killed when it enters that call
 *   preload NUMBER LIBRARY LOG OBJECT   LIBRARY is loaded with it (allocation.c, library.c);
 *                                       nothing is traced
 *
 * The program itself is process 0, the Nth child of process P is P * 16 + N, whatever their order
 * in time. Calls count from 0. LOG gets a line "hit SYSCALL" when the point was reached. It ends
 * with the file: what comes after that goes on as if nothing had been. Without the file, or when
 * LOG is there because another one has begun with it, the program is just executed.
 */
enum deed { DEED_NONE, DEED_COUNT, DEED_FAIL, DEED_KILL };

struct plan {
	enum deed deed;
	unsigned process, call;
	char log[256], path[512]; /* path: where the plan stands */
};

#define TRACEES_MAX 512

struct tracee {
	pid_t pid;
	unsigned index, children, calls;
	bool is_known; /* by its parent, from whom it has its index */
	bool is_held;  /* stopped until then */
	bool failing;  /* its call was skipped; the result is still to be set */
	long result;
};

struct tracer {
	struct plan plan;
	FILE *log;
	struct tracee tracees[TRACEES_MAX];
	size_t count;
	bool executed, done;
};

static void die(const char *what)
{
	perror(what);
	_exit(97);
}

static void preload(FILE *file)
{
	char number[16], library[256], log[256], object[64], words[400];

	if (fscanf(file, "%15s %255s %255s %63s", number, library, log, object) != 4)
		die("plan");
	(void)snprintf(words, sizeof(words), "%s %s %s", number, log, object);
	if (setenv("LD_PRELOAD", library, 1) < 0 || setenv("CARREL_FAULT", words, 1) < 0)
		die("setenv");
}

static struct plan read_plan(const char *program)
{
	struct plan plan = {.deed = DEED_NONE};
	char word[16] = "";
	FILE *file;

	(void)snprintf(plan.path, sizeof(plan.path), "%s.plan", program);
	file = fopen(plan.path, "re");
	if (!file)
		return plan;
	if (fscanf(file, "%15s", word) == 1 && strcmp(word, "preload") == 0)
		preload(file);
	else if (strcmp(word, "count") == 0 && fscanf(file, "%255s", plan.log) == 1)
		plan.deed = DEED_COUNT;
	else if (fscanf(file, "%u %u %255s", &plan.process, &plan.call, plan.log) == 3)
		plan.deed = strcmp(word, "kill") == 0 ? DEED_KILL : DEED_FAIL;
	else
		die(plan.path);
	(void)fclose(file);
	if (*plan.log && access(plan.log, F_OK) == 0)
		plan.deed = DEED_NONE;
	return plan;
}

/* ---- the traced processes ----------------------------------------------------------------- */

static struct tracee *find(struct tracer *tracer, pid_t pid)
{
	for (size_t i = 0; i < tracer->count; i++)
		if (tracer->tracees[i].pid == pid)
			return &tracer->tracees[i];
	if (tracer->count == TRACEES_MAX)
		die("too many processes");
	tracer->tracees[tracer->count] = (struct tracee){.pid = pid};
	return &tracer->tracees[tracer->count++];
}

static void forget(struct tracer *tracer, pid_t pid)
{
	for (size_t i = 0; i < tracer->count; i++)
		if (tracer->tracees[i].pid == pid)
			tracer->tracees[i] = tracer->tracees[--tracer->count];
}

/* ---- what is done to a call --------------------------------------------------------------- */

/* The error that this call may give according to its manual page, where EIO would be odd. */
static long error_of(unsigned long call)
{
	switch (call) {
	case SYS_brk:
	case SYS_mmap:
	case SYS_mremap:
	case SYS_mprotect:
	case SYS_clone:
	case SYS_clone3:
	case SYS_socketpair:
	case SYS_socket:
		return -ENOMEM;
	case SYS_write:
	case SYS_ftruncate:
	case SYS_mkdirat:
	case SYS_openat:
		return -ENOSPC;
	default:
		return -EIO;
	}
}

/* These cannot fail, or do their work also when they say that they failed (close(2)). */
static bool cannot_fail(unsigned long call)
{
	return call == SYS_exit || call == SYS_exit_group || call == SYS_rt_sigreturn ||
	       call == SYS_close || call == SYS_execve;
}

/* In place of a call that is skipped: a filter may kill for one that does not exist. */
#define HARMLESS ((long)SYS_getpid)

#if defined(__x86_64__)
static void skip_call(pid_t pid)
{
	if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), HARMLESS) < 0)
		die("skip a call");
}

static void set_result(pid_t pid, long result)
{
	if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rax), result) < 0)
		die("set a result");
}
#elif defined(__aarch64__)
static void skip_call(pid_t pid)
{
	int call = HARMLESS;
	struct iovec part = {&call, sizeof(call)};

	if (ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &part) < 0)
		die("skip a call");
}

static void set_result(pid_t pid, long result)
{
	struct user_regs_struct registers;
	struct iovec part = {&registers, sizeof(registers)};

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part) < 0)
		die("read registers");
	registers.regs[0] = (unsigned long)result;
	if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part) < 0)
		die("set a result");
}
#else
#error "say how a system call is skipped on this machine"
#endif

static void enter_call(struct tracer *tracer, struct tracee *tracee, unsigned long call)
{
	const struct plan *plan = &tracer->plan;
	unsigned number = tracee->calls++;

	if (plan->deed == DEED_COUNT) {
		tracer->done = access(plan->path, F_OK) < 0;
		(void)fprintf(tracer->log, "%u %lu\n", tracee->index, call);
		return;
	}
	if (tracee->index != plan->process || number != plan->call || tracer->done)
		return;
	if (access(plan->path, F_OK) < 0 || (plan->deed == DEED_FAIL && cannot_fail(call))) {
		(void)fprintf(tracer->log, "none %lu\n", call);
		tracer->done = true;
		return;
	}
	(void)fprintf(tracer->log, "hit %lu\n", call);
	if (plan->deed == DEED_KILL) {
		(void)kill(tracee->pid, SIGKILL);
		tracer->done = true;
		return;
	}
	skip_call(tracee->pid);
	tracee->failing = true;
	tracee->result = error_of(call);
}

static void at_call(struct tracer *tracer, struct tracee *tracee)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->pid, sizeof(info), &info) < 0)
		return; /* it was killed meanwhile */
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY && tracer->executed)
		enter_call(tracer, tracee, (unsigned long)info.entry.nr);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracee->failing) {
		set_result(tracee->pid, tracee->result);
		tracee->failing = false;
		tracer->done = true;
	}
}

/* ---- the tracing process ------------------------------------------------------------------ */

static void go_on(struct tracer *tracer, pid_t pid, int signal_number)
{
	if (tracer->done) {
		(void)ptrace(PTRACE_DETACH, pid, 0, (void *)(intptr_t)signal_number);
		forget(tracer, pid);
		return;
	}
	(void)ptrace(PTRACE_SYSCALL, pid, 0, (void *)(intptr_t)signal_number);
}

static void at_birth(struct tracer *tracer, pid_t parent)
{
	unsigned index = find(tracer, parent)->index * 16 + ++find(tracer, parent)->children;
	unsigned long pid;
	struct tracee *child;

	if (ptrace(PTRACE_GETEVENTMSG, parent, 0, &pid) < 0)
		return; /* it was killed meanwhile */
	child = find(tracer, (pid_t)pid);
	child->index = index;
	child->is_known = true;
	if (child->is_held)
		go_on(tracer, child->pid, 0);
	child->is_held = false;
}

static void at_stop(struct tracer *tracer, pid_t pid, int status)
{
	struct tracee *tracee = find(tracer, pid);
	int event = status >> 16, number = WSTOPSIG(status), deliver = 0;

	if (!tracee->is_known && !tracer->done) {
		tracee->is_held = true;
		return;
	}
	if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
	    event == PTRACE_EVENT_CLONE)
		at_birth(tracer, pid);
	else if (event == PTRACE_EVENT_EXEC)
		tracer->executed = true;
	else if (event == PTRACE_EVENT_STOP && (number == SIGSTOP || number == SIGTSTP)) {
		(void)ptrace(PTRACE_LISTEN, pid, 0, 0); /* a stop of the group stays one */
		return;
	} else if (number == (SIGTRAP | 0x80))
		at_call(tracer, tracee);
	else if (event == 0)
		deliver = number;
	go_on(tracer, pid, deliver);
}

/* The others are stopped or will stop: ask them all, so that each can be let go. */
static void let_go(struct tracer *tracer)
{
	for (size_t i = tracer->count; i-- > 0;)
		if (tracer->tracees[i].is_held)
			go_on(tracer, tracer->tracees[i].pid, 0);
		else
			(void)ptrace(PTRACE_INTERRUPT, tracer->tracees[i].pid, 0, 0);
}

static void trace(struct tracer *tracer)
{
	bool was_done = false;
	int status;

	while (tracer->count) {
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0)
			break;
		if (WIFSTOPPED(status))
			at_stop(tracer, pid, status);
		else
			forget(tracer, pid);
		if (tracer->done && !was_done) {
			was_done = true;
			(void)fflush(tracer->log);
			let_go(tracer);
		}
	}
	(void)fclose(tracer->log);
}

static void tracer_main(struct plan plan, pid_t pid, int ready)
{
	static struct tracer tracer;

	(void)setsid();
	tracer.plan = plan;
	tracer.log = fopen(plan.log, "we");
	if (!tracer.log)
		die(plan.log);
	if (ptrace(PTRACE_SEIZE, pid, 0,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		       PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC) < 0)
		die("trace");
	find(&tracer, pid)->is_known = true;
	/* The descriptors of the program are its own: nobody else may keep its channel open. */
	(void)close(0);
	(void)close(1);
	(void)close(2);
	if (write(ready, "", 1) != 1)
		_exit(97);
	(void)close(ready);
	trace(&tracer);
	_exit(0);
}

/* A grandchild, so that the program has no child that it does not know of. */
static void start_tracer(struct plan plan)
{
	pid_t self = getpid(), child;
	int ready[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) < 0)
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		if (fork() == 0) {
			(void)close(ready[0]);
			tracer_main(plan, self, ready[1]);
		}
		_exit(0);
	}
	(void)close(ready[1]);
	(void)waitpid(child, NULL, 0);
	if (read(ready[0], &byte, 1) != 1)
		die("the tracer did not start");
	(void)close(ready[0]);
}

int main(int argc, char **argv)
{
	char self[400], program[512];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct plan plan;

	(void)argc;
	if (length < 0)
		die("/proc/self/exe");
	self[length] = '\0';
	plan = read_plan(self);
	if (plan.deed != DEED_NONE)
		start_tracer(plan);
	(void)snprintf(program, sizeof(program), "%s.real", self);
	(void)execv(program, argv);
	die(program);
}

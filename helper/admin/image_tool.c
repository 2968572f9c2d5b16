/* helper/admin/image_tool.c - run a program that makes part of an image, where it can do no harm.
 */
#include "helper/admin/image_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/container/clones.h"

#define LINE_SIZE    1024
#define CANNOT_START 127
#define KILLED_BASE  128

/* Detached mounts; source -1: none. */
struct places {
	int building, source;
};

struct output {
	const struct tool *tool;
	char line[LINE_SIZE], last[300], first_error[300];
	size_t length;
};

bool tool_check(const struct tool *tool, struct failure *why)
{
	return access(tool->path, X_OK) == 0 ||
	       fail(why, FAILURE_UNSUPPORTED, 0, "this needs %s, which is not here: apt install %s",
		    tool->path, tool->package);
}

/* ---- in the child -------------------------------------------------------------------------- */

/* Its own view: the build at BUILD_POINT, the processes of its own namespace, nothing in /tmp. */
static bool furnish(const struct places *places)
{
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       move_mount(places->building, "", AT_FDCWD, BUILD_POINT, MOVE_MOUNT_F_EMPTY_PATH) ==
		   0 &&
	       (places->source < 0 || move_mount(places->source, "", AT_FDCWD, BUILD_SOURCE,
						 MOVE_MOUNT_F_EMPTY_PATH) == 0) &&
	       mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0 &&
	       mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") == 0 &&
	       chdir(BUILD_POINT) == 0;
}

static void execute(const struct tool *tool, int input, int said)
{
	char *const environment[] = {(char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
				     (char[]){"LC_ALL=C.UTF-8"},
				     (char[]){"HOME=/tmp"},
				     (char[]){"TMPDIR=/tmp"},
				     (char[]){"DEBIAN_FRONTEND=noninteractive"},
				     NULL};
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(input, 0) == 0 && dup2(said, 1) == 1 && dup2(said, 2) == 2 &&
	    syscall(SYS_close_range, 3u, ~0u, 0u) == 0)
		(void)execve(tool->path, tool->arguments, environment);
	dprintf(2, "cannot execute %s: %s\n", tool->path, strerror(errno));
	_exit(CANNOT_START);
}

/*
 * The first process of the namespace: starts the program, reaps what that leaves, and takes all
 * with it when it ends. The kernel kills it when `carrel` ends; had that happened already,
 * nobody would hold the other end of `said`.
 */
static void first_process(const struct tool *tool, const struct places *places, int input, int said)
{
	struct pollfd reader = {.fd = said};
	int status = 0;
	pid_t child, ended;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || poll(&reader, 1, 0) != 0)
		_exit(CANNOT_START);
	(void)umask(022);
	if (!furnish(places)) {
		dprintf(said, "cannot make a place to run it: %s\n", strerror(errno));
		_exit(CANNOT_START);
	}
	child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (child == 0)
		execute(tool, input, said);
	(void)close(said);
	while ((ended = waitpid(-1, &status, 0)) != child)
		if (ended < 0 && errno != EINTR)
			_exit(CANNOT_START);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : KILLED_BASE + WTERMSIG(status));
}

/* ---- outside ------------------------------------------------------------------------------- */

static bool take_line(struct output *output, struct failure *why)
{
	char *text = output->line;

	output->line[output->length] = '\0';
	output->length = 0;
	text += strspn(text, " \t");
	if (!*text)
		return true;
	(void)snprintf(output->last, sizeof(output->last), "%.*s", 299, text);
	if (!*output->first_error &&
	    (strncmp(text, "E: ", 3) == 0 || strncmp(text, "<E>", 3) == 0 || strstr(text, "⨯")))
		(void)snprintf(output->first_error, sizeof(output->first_error), "%.*s", 299, text);
	return !output->tool->line || output->tool->line(output->tool->context, text, why);
}

/* Lines end in \n, or in \r where the program thinks of a terminal. */
static bool take_bytes(struct output *output, const char *bytes, size_t length, struct failure *why)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n' || bytes[i] == '\r') {
			if (!take_line(output, why))
				return false;
		} else if (output->length + 1 < sizeof(output->line)) {
			output->line[output->length++] = bytes[i];
		}
	}
	return true;
}

/* Until it has closed its output: true then. */
static bool listen_to(struct output *output, int said, struct progress *progress,
		      struct failure *why)
{
	struct pollfd wait[2] = {{.fd = said, .events = POLLIN},
				 {.fd = progress->signals, .events = POLLIN}};
	char bytes[4096];

	for (;;) {
		ssize_t got;

		if (poll(wait, 2, -1) < 0 && errno != EINTR)
			return fail(why, FAILURE_SYSTEM, errno, "cannot wait for %s",
				    output->tool->path);
		if (progress_stopped(progress, why))
			return false;
		if (!wait[0].revents)
			continue;
		got = read(said, bytes, sizeof(bytes));
		if (got <= 0)
			return take_line(output, why);
		if (!take_bytes(output, bytes, (size_t)got, why))
			return false;
	}
}

static bool judge(const struct output *output, int status, struct failure *why)
{
	const char *words = *output->first_error ? output->first_error : output->last;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : KILLED_BASE + WTERMSIG(status);

	if (code == 0)
		return true;
	if (code > KILLED_BASE)
		return fail(why, FAILURE_DATA, 0, "%s was killed by signal %d", output->tool->path,
			    code - KILLED_BASE);
	return fail(why, FAILURE_DATA, 0, "%s failed with status %d%s%s", output->tool->path, code,
		    *words ? ": " : "", words);
}

static bool run_in(const struct tool *tool, const struct places *places, struct progress *progress,
		   struct failure *why)
{
	struct output output = {.tool = tool};
	_cleanup_close_ int said = -1, speak = -1, input = -1;
	int ends[2], status = 0;
	bool heard;
	pid_t child;

	/* Numbers above those that the program gets, so that none is covered by another. */
	input = tool->input < 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC)
				: fcntl(tool->input, F_DUPFD_CLOEXEC, 3);
	if (input < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot start %s", tool->path);
	said = ends[0];
	speak = ends[1];
	(void)fflush(NULL);
	child = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
	if (child == 0) {
		(void)close(said);
		first_process(tool, places, input, fcntl(speak, F_DUPFD_CLOEXEC, 3));
	}
	if (child < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot start %s", tool->path);
	cleanup_close(&speak);
	speak = -1;
	heard = listen_to(&output, said, progress, why);
	if (!heard)
		(void)kill(child, SIGKILL); /* and with it, all in its namespace */
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return heard && judge(&output, status, why);
}

bool tool_run(const struct tool *tool, int building, struct progress *progress, struct failure *why)
{
	_cleanup_close_ int place = clone_mount(building, "", 0);
	_cleanup_close_ int source =
	    tool->source ? clone_mount(*tool->source, "", MOUNT_ATTR_RDONLY) : -1;
	const struct places places = {place, source};

	if (!tool_check(tool, why))
		return false;
	if (place < 0 || (tool->source && source < 0) ||
	    (mkdir(BUILD_POINT, 0700) < 0 && errno != EEXIST) ||
	    (tool->source && mkdirat(building, BUILD_SOURCE_NAME, 0700) < 0 && errno != EEXIST))
		return fail(why, FAILURE_SYSTEM, errno, "cannot make " BUILD_POINT);
	return run_in(tool, &places, progress, why);
}

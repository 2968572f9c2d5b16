/* helper/admin/cp.c - `carrel cp`: files and folders into and out of a running container. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/admin/commands.h"
#include "helper/admin/containers.h"
#include "helper/admin/cp_halves.h"
#include "helper/admin/enter.h"

/*
 * One process on the host reads or makes the files there; another joins the container, becomes the
 * user, and does so inside. Between them is a pipe with a tar archive, of which neither believes
 * more than what it can check.
 */
struct copy {
	char name[65]; /* of the container */
	char prefix[72];
	const char *inside, *outside; /* paths */
	const char *user;
	bool is_out;
};

/* "NAME:PATH", with nothing but a name before the colon; a file here is "./a:b". */
static bool split(const char *operand, char name[65], const char **path)
{
	const char *colon = strchr(operand, ':'), *slash = strchr(operand, '/');
	size_t length = colon ? (size_t)(colon - operand) : 0;

	if (!colon || length == 0 || length > 64 || (slash && slash < colon))
		return false;
	memcpy(name, operand, length);
	name[length] = '\0';
	*path = colon[1] ? colon + 1 : ".";
	return true;
}

/* A slash at the end says nothing about what is copied. */
static const char *name_of(const char *path, char buffer[4096])
{
	size_t length = strlen(path);

	if (length >= 4096)
		return NULL;
	memcpy(buffer, path, length + 1);
	while (length > 1 && buffer[length - 1] == '/')
		buffer[--length] = '\0';
	return cp_name(buffer);
}

/* In the container, as the user. */
static int run_inside(const void *context)
{
	const struct copy *copy = context;
	char buffer[4096];

	if (copy->is_out)
		return cp_send(copy->prefix, copy->inside, STDOUT_FILENO);
	return cp_receive(copy->prefix, copy->inside, name_of(copy->outside, buffer), STDIN_FILENO,
			  NULL);
}

/* The process from which the inner half is started: what is a pipe here is a pipe there. */
static _Noreturn void start_inside(const struct context *context, const struct copy *copy,
				   const int stream[2])
{
	struct entry entry = {.container = copy->name, .inside = run_inside, .context = copy};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char deed[256];

	(void)snprintf(deed, sizeof(deed), "cp %s %.200s", copy->is_out ? "out of" : "into",
		       copy->inside);
	if (null < 0 || dup2(copy->is_out ? null : stream[0], STDIN_FILENO) < 0 ||
	    dup2(copy->is_out ? stream[1] : null, STDOUT_FILENO) < 0)
		_exit(complain("cannot pass on the pipe: %s", strerror(errno)));
	(void)close(stream[0]);
	(void)close(stream[1]);
	_exit(entry_start(context, &entry, copy->user, deed));
}

static int run_outside(const struct copy *copy, int stream, bool *ended)
{
	char buffer[4096];

	if (!copy->is_out)
		return cp_send("", copy->outside, stream);
	return cp_receive("", copy->outside, name_of(copy->inside, buffer), stream, ended);
}

static int copy_between(const struct context *context, const struct copy *copy)
{
	int stream[2], status = 0, result;
	bool ended = false;
	pid_t child;

	if (pipe2(stream, O_CLOEXEC) < 0)
		return complain("cannot make a pipe: %s", strerror(errno));
	(void)fflush(NULL);
	child = fork();
	if (child == 0)
		start_inside(context, copy, stream);
	if (child < 0)
		return complain("cannot fork: %s", strerror(errno));
	(void)close(stream[copy->is_out ? 1 : 0]);
	(void)signal(SIGPIPE, SIG_IGN);
	result = run_outside(copy, stream[copy->is_out ? 0 : 1], &ended);
	(void)close(stream[copy->is_out ? 0 : 1]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0)
		return ended ? complain("%s: the copy ended in the middle", copy->name) : result;
	if (!WIFSIGNALED(status) && WEXITSTATUS(status) <= 128)
		return STATUS_FAILED; /* it has told why */
	/* Killed, by somebody inside or by a limit; what has come out by then may be all. */
	if (copy->is_out && result == STATUS_OK)
		return STATUS_OK;
	if (result == STATUS_OK || ended)
		return complain("%s: the process that copied inside was killed", copy->name);
	return STATUS_FAILED;
}

static bool check_running(const struct context *context, const struct copy *copy)
{
	struct container_info info;
	struct failure why;
	bool running;

	if (!container_info_load(context, copy->name, &info, &why)) {
		(void)complain("%s: %s", copy->name, why.text);
		return false;
	}
	running = info.init >= 0;
	container_info_close(&info);
	if (!running)
		(void)complain("%s: is not running, and only what runs has all of its files in "
			       "place; it starts when its user logs in ('carrel export' reads the "
			       "data of a stopped one)",
			       copy->name);
	return running;
}

int run_cp(const struct command *command, int argc, char **argv)
{
	struct copy copy = {0};
	bool recursive = false; /* as one types it; folders are copied anyway */
	const struct option_spec specs[] = {
	    {.name = "user", .letter = 'u', .value = &copy.user},
	    {.name = "recursive", .letter = 'r', .flag = &recursive},
	};
	char other[65] = "";
	const char *ignored;
	struct context context;
	struct operands operands;
	struct failure why;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 2, 2, &operands);

	if (status != STATUS_GO_ON)
		return status;
	copy.is_out = split(operands.items[0], copy.name, &copy.inside);
	if (copy.is_out == split(operands.items[1], copy.is_out ? other : copy.name,
				 copy.is_out ? &ignored : &copy.inside))
		return usage_error(command,
				   "one of the two must be in a container, as NAME:PATH; a file "
				   "here with a colon in its name is written ./%s",
				   copy.is_out ? operands.items[0] : "a:b");
	copy.outside = operands.items[copy.is_out ? 1 : 0];
	(void)snprintf(copy.prefix, sizeof(copy.prefix), "%s:", copy.name);
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	status = check_running(&context, &copy) ? copy_between(&context, &copy) : STATUS_FAILED;
	context_close(&context);
	return status;
}

/* helper/admin/collect_one.c - get what one user has, from inside, without believing any of it. */
#include "helper/admin/collect_one.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/cp_halves.h"
#include "helper/admin/enter.h"
#include "helper/admin/table.h"
#include "helper/archive/tar_read.h"

#define WHOLE_HOME     "home" /* what "." is called outside */
#define REASON_MAX     1024
#define PARTIAL_PREFIX ".collecting-"

struct half {
	const char *path, *prefix;
};

/* In the container, as the user, who may do to this process whatever they like. */
static int send_inside(const void *context)
{
	const struct half *half = context;

	return cp_send(half->prefix, half->path, STDOUT_FILENO);
}

static _Noreturn void start_inside(const struct collecting *what, const struct person *person,
				   int stream)
{
	const struct half half = {.path = what->path, .prefix = ""};
	struct entry entry = {
	    .container = person->container, .inside = send_inside, .context = &half};
	char deed[256];

	(void)snprintf(deed, sizeof(deed), "collect %.200s", what->path);
	if (dup2(stream, STDOUT_FILENO) < 0)
		_exit(complain("cannot pass on the stream: %s", strerror(errno)));
	(void)close(stream);
	_exit(entry_start(what->context, &entry, person->user, deed));
}

static void tell(const char *path, const char *what)
{
	(void)complain("%s: left out: %s", path, what);
}

/* Links would lead whoever reads the collected files to places of the student's choice. */
static bool take_member(struct tar_reader *reader, uint64_t *room, struct failure *why)
{
	const struct tar_entry *entry = reader->entry;
	uint64_t bytes = entry->real_size > entry->size ? entry->real_size : entry->size;

	if (entry->type != TAR_FILE && entry->type != TAR_DIRECTORY) {
		tell(entry->path, "is neither a file nor a folder");
		reader->left_out++;
		return true;
	}
	if (bytes < COLLECT_FILE_BYTES)
		bytes = COLLECT_FILE_BYTES;
	if (bytes > *room)
		return fail(why, FAILURE_LIMIT, 0, "it is larger than --max-size allows");
	*room -= bytes;
	return tar_read_make(reader, why);
}

static bool take_all(struct tar_reader *reader, uint64_t room, struct failure *why)
{
	bool more;

	while (tar_read_next(reader, &more, why)) {
		if (!more)
			return tar_read_finish(reader, why);
		if (!take_member(reader, &room, why))
			return false;
	}
	return false;
}

static int receive(const struct collecting *what, int stream, int top, bool *ended)
{
	const char *name = cp_name(what->path);
	struct tar_reader reader = {
	    .fd = stream, .top = top, .name = name ? name : WHOLE_HOME, .tell = tell};
	struct failure why;
	bool received = tar_read_begin(&reader, &why) && take_all(&reader, what->max_bytes, &why);

	tar_read_end(&reader);
	*ended = reader.ended;
	if (!received && !reader.ended)
		(void)complain("%s", why.text);
	if (!received)
		return COLLECTED_NOT;
	return reader.left_out ? COLLECTED_PART : COLLECTED_ALL;
}

static int receive_from(const struct collecting *what, const struct person *person, int top)
{
	int stream[2], status = 0, got;
	bool ended = false;
	pid_t child;

	/* Not a pipe: what comes in ends as one piece with this process when time is up. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream) < 0)
		return complain("cannot make a socket: %s", strerror(errno)), COLLECTED_NOT;
	(void)fflush(NULL);
	child = fork();
	if (child == 0) {
		(void)close(stream[0]);
		start_inside(what, person, stream[1]);
	}
	(void)close(stream[1]);
	if (child < 0)
		return complain("cannot fork: %s", strerror(errno)), COLLECTED_NOT;
	got = receive(what, stream[0], top, &ended);
	(void)close(stream[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	/* One that was refused in the middle has ended by that, and the reason is told. */
	if (ended && (WIFSIGNALED(status) || WEXITSTATUS(status) > 128))
		(void)complain("the process that read inside was killed");
	return got == COLLECTED_ALL && status != 0 ? COLLECTED_PART : got;
}

/* The collector: one process for one user, in a process group that can be ended as a whole. */
static _Noreturn void collector(const struct collecting *what, const struct person *person, int top,
				int told)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setpgid(0, 0);
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(told, STDERR_FILENO) < 0)
		_exit(COLLECTED_NOT);
	(void)close(told);
	_exit(receive_from(what, person, top));
}

/* One line, without our own name in front, safe to show: the last one is what ended it. */
static void read_reason(int told, bool last, char *reason, size_t size)
{
	static const char own[] = "carrel: ";
	char text[REASON_MAX], *line = text;
	ssize_t length = read(told, text, sizeof(text) - 1);

	while (length > 0 && text[length - 1] == '\n')
		length--;
	text[length > 0 ? length : 0] = '\0';
	if (last && strrchr(text, '\n'))
		line = strrchr(text, '\n') + 1;
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, own, strlen(own)) == 0)
		line += strlen(own);
	text_make_safe(line, reason, size);
}

static enum collected await(pid_t child, uint64_t seconds, char *reason, size_t size)
{
	_cleanup_close_ int pidfd = pidfd_open(child, 0);
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};
	int status = 0;
	bool late = poll(&ended, 1, (int)seconds * 1000) == 0;

	/* A reader inside ends with its outer process (PR_SET_PDEATHSIG). */
	if (late)
		(void)kill(-child, SIGKILL);
	(void)waitpid(child, &status, 0);
	if (late)
		(void)snprintf(reason, size, "did not come to an end in %u seconds",
			       (unsigned)seconds);
	return !late && WIFEXITED(status) && WEXITSTATUS(status) <= COLLECTED_NOT
		   ? (enum collected)WEXITSTATUS(status)
		   : COLLECTED_NOT;
}

static enum collected collect_into(const struct collecting *what, const struct person *person,
				   int top, char *reason, size_t size)
{
	enum collected got;
	int told[2];
	pid_t child;

	if (pipe2(told, O_CLOEXEC | O_NONBLOCK) < 0) {
		(void)snprintf(reason, size, "cannot make a pipe: %s", strerror(errno));
		return COLLECTED_NOT;
	}
	(void)fflush(NULL);
	child = fork();
	if (child == 0)
		collector(what, person, top, told[1]);
	(void)close(told[1]);
	got = COLLECTED_NOT;
	if (child < 0) {
		(void)snprintf(reason, size, "cannot fork: %s", strerror(errno));
	} else {
		(void)setpgid(child, child);
		got = await(child, what->seconds, reason, size);
	}
	if (!*reason)
		read_reason(told[0], got == COLLECTED_NOT, reason, size);
	(void)close(told[0]);
	return got;
}

static bool make_partial(int target, const char *user, char *partial, size_t room, char *reason,
			 size_t size)
{
	struct failure why;

	if (user[0] == '.' || strchr(user, '/') || strlen(user) > 200) {
		(void)snprintf(reason, size, "the user's name cannot be one of a folder");
	} else if (faccessat(target, user, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		(void)snprintf(reason, size, "there is a folder for them already");
	} else {
		(void)snprintf(partial, room, PARTIAL_PREFIX "%s", user);
		/* Of an earlier collecting that was killed. */
		(void)tree_remove_at(target, partial, &why);
		if (mkdirat(target, partial, 0700) == 0)
			return true;
		(void)snprintf(reason, size, "cannot make a folder: %s", strerror(errno));
	}
	return false;
}

enum collected collect_one(const struct collecting *what, const struct person *person, char *reason,
			   size_t size)
{
	char partial[256];
	_cleanup_close_ int top = -1;
	enum collected got = COLLECTED_NOT;
	struct failure ignored;

	*reason = '\0';
	if (!make_partial(what->target, person->user, partial, sizeof(partial), reason, size))
		return COLLECTED_NOT;
	top = dir_open_at(what->target, partial, true);
	if (top >= 0)
		got = collect_into(what, person, top, reason, size);
	if (got != COLLECTED_NOT &&
	    !rename_to_new_at(what->target, partial, what->target, person->user)) {
		(void)snprintf(reason, size, "cannot name the folder: %s", strerror(errno));
		got = COLLECTED_NOT;
	}
	if (got == COLLECTED_NOT)
		(void)tree_remove_at(what->target, partial, &ignored);
	return got;
}

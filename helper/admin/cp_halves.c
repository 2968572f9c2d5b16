/* helper/admin/cp_halves.c - the two sides of a copy; each can be the one inside. */
#include "helper/admin/cp_halves.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/admin/admin.h"
#include "helper/admin/table.h"
#include "helper/archive/tar_read.h"
#include "helper/archive/tar_write.h"

#define SAFE_MAX (4 * PATH_MAX)

/* Names inside are anybody's; the admin's terminal is not for them to drive. */
static int say(const char *prefix, const char *path, const char *what)
{
	char safe_path[SAFE_MAX], safe_what[SAFE_MAX];

	text_make_safe(path, safe_path, sizeof(safe_path));
	text_make_safe(what, safe_what, sizeof(safe_what));
	return complain("%s%s: %s", prefix, safe_path, safe_what);
}

static void tell(const char *path, const char *what)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "left out: %s", what);
	(void)say("", path, text);
}

const char *cp_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 ? name : NULL;
}

int cp_send(const char *prefix, const char *path, int stream)
{
	struct tar_writer writer = {.fd = stream, .tell = tell};
	_cleanup_close_ int source = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct failure why;
	struct stat status;
	bool sent;

	if (source < 0 || fstat(source, &status) < 0)
		return say(prefix, path, strerror(errno));
	if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		return say(prefix, path, "is neither a file nor a folder");
	sent = tar_write_begin(&writer, &why) && tar_write_tree(&writer, source, ".", &why) &&
	       tar_write_finish(&writer, &why);
	tar_write_end(&writer);
	/* The reader has ended, and told why; a socket with bytes unread is reset. */
	if (!sent && (why.error == EPIPE || why.error == ECONNRESET))
		return STATUS_FAILED;
	if (!sent)
		return say(prefix, path, why.text);
	return writer.left_out ? STATUS_FAILED : STATUS_OK;
}

/* The folder to make it in; *name is what it is called there. -1 after telling why not. */
static int open_target(const char *prefix, const char *path, const char **name)
{
	char parent[PATH_MAX];
	struct stat status;
	bool is_there = stat(path, &status) == 0;
	const char *last = cp_name(path);
	int top;

	if (is_there && S_ISDIR(status.st_mode)) {
		(void)snprintf(parent, sizeof(parent), "%s", path);
	} else if (!last || strlen(path) >= sizeof(parent)) {
		(void)say(prefix, path, is_there ? "is not a folder" : strerror(ENOENT));
		return -1;
	} else {
		size_t length = (size_t)(last - path);

		(void)snprintf(parent, sizeof(parent), "%.*s", (int)length, path);
		if (!length)
			(void)snprintf(parent, sizeof(parent), ".");
		*name = last;
	}
	top = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		(void)say(prefix, parent, strerror(errno));
	return top;
}

static bool read_all(struct tar_reader *reader, struct failure *why)
{
	bool more;

	while (tar_read_next(reader, &more, why)) {
		if (!more)
			return tar_read_finish(reader, why);
		if (!tar_read_make(reader, why))
			return false;
	}
	return false;
}

int cp_receive(const char *prefix, const char *path, const char *name, int stream, bool *ended)
{
	_cleanup_close_ int top = open_target(prefix, path, &name);
	struct tar_reader reader = {.fd = stream, .top = top, .name = name, .tell = tell};
	struct failure why;
	bool received;

	if (top < 0)
		return STATUS_FAILED;
	received = tar_read_begin(&reader, &why) && read_all(&reader, &why);
	tar_read_end(&reader);
	if (ended)
		*ended = reader.ended;
	if (received)
		return reader.left_out ? STATUS_FAILED : STATUS_OK;
	return reader.ended ? STATUS_FAILED : say(prefix, path, why.text);
}

/* policy/paths.c - which paths a policy may name. */
#include "policy/paths.h"

#include <string.h>

#include "base/paths.h"

#define LONGEST_PATH 1024

bool path_is_below(const char *path, const char *top)
{
	size_t length = strlen(top);

	return strncmp(path, top, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static bool is_part(const char *part, size_t length, const char *text)
{
	return length == strlen(text) && memcmp(part, text, length) == 0;
}

bool path_check(const char *path, struct failure *why)
{
	const char *part = path + 1;

	if (path[0] != '/')
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.80s\" is not an absolute path; begin it with \"/\"", path);
	if (strlen(path) > LONGEST_PATH)
		return fail(why, FAILURE_POLICY, 0, "\"%.80s...\" is longer than %d bytes", path,
			    LONGEST_PATH);
	while (path[1] != '\0') {
		size_t length = strcspn(part, "/");

		if (length == 0 || is_part(part, length, ".") || is_part(part, length, ".."))
			return fail(why, FAILURE_POLICY, 0,
				    "\"%.80s\" is not a plain path; write it without \"..\", "
				    "\".\", \"//\" and a \"/\" at the end",
				    path);
		if (part[length] == '\0')
			break;
		part += length + 1;
	}
	return true;
}

/* The first of `tops` that the path is at or below; NULL for none. */
static const char *find_top(const char *path, const char *const tops[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (path_is_below(path, tops[i]))
			return tops[i];
	return NULL;
}

bool bind_source_check(const char *path, struct failure *why)
{
	/* The host's processes and kernel settings, and our own control sockets. */
	static const char *const closed[] = {"/proc", "/sys", CARREL_RUN};
	const char *top;

	if (!path_check(path, why))
		return false;
	top = find_top(path, closed, ARRAY_LENGTH(closed));
	if (top)
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.80s\" cannot be bound; %s is the host's own", path, top);
	if (strcmp(path, "/") == 0)
		return fail(why, FAILURE_POLICY, 0,
			    "\"/\" cannot be bound; name the directory that is needed");
	return true;
}

bool bind_target_check(const char *path, struct failure *why)
{
	/*
	 * What the container is made of, and the places where its root is put together. /bin and
	 * its like are links into /usr on a merged system: a mount there would land in /usr.
	 */
	static const char *const taken[] = {"/proc",  "/sys",    "/dev",  "/etc",   "/usr",
					    "/run",   "/bin",    "/sbin", "/lib",   "/lib32",
					    "/lib64", "/libx32", "/boot", "/layer", "/image"};
	const char *top;

	if (!path_check(path, why))
		return false;
	top = find_top(path, taken, ARRAY_LENGTH(taken));
	if (!top && strcmp(path, "/") == 0)
		top = "/";
	if (top)
		return fail(
		    why, FAILURE_POLICY, 0,
		    "nothing can be bound to \"%.80s\" inside; %s belongs to the container, "
		    "set target to another place such as /srv",
		    path, top);
	return true;
}

/* helper/admin/image_tool.h - run a program that makes part of an image, where it can do no harm.
 */
#ifndef CARREL_HELPER_ADMIN_IMAGE_TOOL_H
#define CARREL_HELPER_ADMIN_IMAGE_TOOL_H

#include <stdbool.h>

#include "base/failure.h"
#include "helper/admin/image_progress.h"

/* Where a program finds the folder of what is being built, whatever that is called. */
#define BUILD_POINT "/run/carrel/build"

/* A directory in it at which a program finds what it reads, when that is a directory. */
#define BUILD_SOURCE_NAME "source"
#define BUILD_SOURCE      BUILD_POINT "/" BUILD_SOURCE_NAME

struct tool {
	const char *path;       /* absolute */
	const char *package;    /* the Debian package that has it */
	char *const *arguments; /* argv */
	int input;              /* its standard input; -1 for /dev/null */
	const int *source;      /* a directory to show at BUILD_SOURCE, read-only; NULL: none */
	/* Called with each line it says; false with *why ends it. NULL: nobody is interested. */
	bool (*line)(void *context, const char *line, struct failure *why);
	void *context;
};

/* Is it on this machine? FAILURE_UNSUPPORTED, with the package to install, when not. */
bool tool_check(const struct tool *tool, struct failure *why);

/*
 * Run it and wait. It has mount and process namespaces of its own, so that whatever it starts or
 * mounts is gone when it ends, or this process does, however; `building` (a directory) at
 * BUILD_POINT, which is its working directory; an empty /tmp; a constant environment, and no other
 * descriptors. False with *why when it fails, with what it said, or when `progress` is told to
 * stop.
 */
bool tool_run(const struct tool *tool, int building, struct progress *progress,
	      struct failure *why);

#endif

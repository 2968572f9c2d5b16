/* helper/admin/image_debian.c - fill a new image with Debian, by mmdebstrap. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/admin.h"
#include "helper/admin/image_build.h"
#include "helper/admin/image_tool.h"
#include "helper/admin/tree_clean.h"

#define MMDEBSTRAP   "/usr/bin/mmdebstrap"
#define SOURCES      "/etc/apt"
#define SOURCES_MAX  32
#define SOURCE_BYTES (256 * 1024)
#define NOTE         "I: "

struct sources {
	char *paths[SOURCES_MAX + 1];
	size_t count;
};

/* Nothing but names of packages: mmdebstrap would also take files and patterns here. */
static bool names_only(const char *text, const char *more)
{
	bool first = true;

	for (; *text; text++) {
		bool plain = islower((unsigned char)*text) || isdigit((unsigned char)*text);

		if (!plain && (first || !strchr(more, *text)))
			return false;
		first = *text == ',';
	}
	return !first;
}

bool image_debian_check(const char *suite, const char *include, struct failure *why)
{
	const struct tool tool = {.path = MMDEBSTRAP, .package = "mmdebstrap"};

	if (!names_only(suite, "-."))
		return fail(why, FAILURE_REQUEST, 0,
			    "'%s' is no name of a Debian suite, like bookworm", suite);
	if (include && !names_only(include, ",+-.:=~"))
		return fail(why, FAILURE_REQUEST, 0,
			    "--include wants names of packages with commas between, not '%s'",
			    include);
	return tool_check(&tool, why);
}

/* Is the suite named, as a word that is not in a comment? */
static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *end = line + strcspn(line, "\n#"), *at = line;

		while (at < end) {
			size_t size = strcspn(at, " \t\n#");

			if (size == length && strncmp(at, word, length) == 0)
				return true;
			at += size + 1;
		}
	}
	return false;
}

static bool ends_in(const char *name, const char *ending)
{
	size_t length = strlen(name), size = strlen(ending);

	return length > size && strcmp(name + length - size, ending) == 0;
}

static void add_source(struct sources *sources, const char *path, const char *suite)
{
	_cleanup_free_ char *text = NULL;
	struct failure ignored;

	text = file_read_at(AT_FDCWD, path, SOURCE_BYTES, NULL, &ignored);
	if (text && has_word(text, suite) && sources->count < SOURCES_MAX &&
	    (sources->paths[sources->count] = strdup(path)))
		sources->count++;
}

/* The machine's own apt sources that have the suite: its mirror, its keys. */
static void find_sources(struct sources *sources, const char *suite)
{
	_cleanup_closedir_ DIR *stream = opendir(SOURCES "/sources.list.d");
	const struct dirent *entry;

	add_source(sources, SOURCES "/sources.list", suite);
	while (stream && (entry = readdir(stream))) {
		char path[sizeof(SOURCES) + 300];

		if (!ends_in(entry->d_name, ".list") && !ends_in(entry->d_name, ".sources"))
			continue;
		(void)snprintf(path, sizeof(path), SOURCES "/sources.list.d/%s", entry->d_name);
		add_source(sources, path, suite);
	}
}

static bool take_line(void *context, const char *line, struct failure *why)
{
	struct image_build *build = context;

	if (strncmp(line, NOTE, strlen(NOTE)) != 0)
		return true;
	return progress_tell(&build->progress, 0, 0, line + strlen(NOTE), why);
}

static bool run(struct image_build *build, const struct sources *sources, const char *include,
		struct failure *why)
{
	char directory[IMAGE_PATH_SIZE], suite[64];
	char *arguments[8 + SOURCES_MAX + 1] = {
	    (char[]){"mmdebstrap"},
	    (char[]){"--mode=root"},
	    (char[]){"--format=directory"},
	    (char[]){"--variant=minbase"},
	    (char[]){"--aptopt=Acquire::Languages \"none\""},
	};
	const struct tool tool = {.path = MMDEBSTRAP,
				  .package = "mmdebstrap",
				  .arguments = arguments,
				  .input = -1,
				  .line = take_line,
				  .context = build};
	size_t count = 5;

	image_build_path(build, "rootfs", directory);
	(void)snprintf(suite, sizeof(suite), "%s", build->source.suite);
	if (include)
		arguments[count++] = (char *)(uintptr_t)include;
	arguments[count++] = suite;
	arguments[count++] = directory;
	memcpy(arguments + count, sources->paths, sources->count * sizeof(*arguments));
	return tool_run(&tool, build->place, &build->progress, why);
}

bool image_fill_debian(struct image_build *build, struct failure *why)
{
	struct sources sources = {0};
	_cleanup_free_ char *include = NULL;
	bool made;

	if (build->source.include && asprintf(&include, "--include=%s", build->source.include) < 0)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot name the packages");
	find_sources(&sources, build->source.suite);
	progress_step(&build->progress, "install Debian");
	if (sources.count == 0) {
		progress_clear(&build->progress);
		(void)printf("no apt source of this machine has %s: taking Debian's own mirror\n",
			     build->source.suite);
	}
	made = run(build, &sources, include, why);
	for (size_t i = 0; i < sources.count; i++)
		free(sources.paths[i]);
	if (!made)
		return false;
	progress_step(&build->progress, "look through the files");
	build->devices_expected = true; /* mmdebstrap makes the usual nodes in /dev */
	return tree_clean(build->rootfs, &build->counts, why);
}

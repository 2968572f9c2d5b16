/* helper/limits/kept_mounts.c - where cgroups are mounted, kept from login to login. */
#include "helper/limits/kept_mounts.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"

#define FILE_NAME  "cgroup-mounts"
#define FILE_LIMIT (64U << 10)

/*
 * "ID:CONTROLLERS:PATH" (cgroups(7)) without the path: what is mounted or taken away for the first
 * or the last time shows here, and where this process is does not.
 */
static size_t hierarchy_length(const char *line, size_t length)
{
	const char *first = memchr(line, ':', length);
	const char *second =
	    first ? memchr(first + 1, ':', length - (size_t)(first + 1 - line)) : NULL;

	return second ? (size_t)(second - line) : length;
}

/* " - cgroup " or " - cgroup2 " before the source and the super block's options. */
static bool is_about_cgroups(const char *line, size_t length)
{
	static const char mark[] = " - cgroup";
	const char *found = memmem(line, length, mark, sizeof(mark) - 1);

	return found != NULL;
}

char *kept_mounts_text(const char *cgroups, const char *mountinfo, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	if (!out)
		return NULL;
	for (const char *line = cgroups; *line;) {
		size_t size = strcspn(line, "\n");

		(void)fprintf(out, "%.*s\n", (int)hierarchy_length(line, size), line);
		line += size + (line[size] == '\n');
	}
	(void)fputc('\n', out);
	for (const char *line = mountinfo; *line;) {
		size_t size = strcspn(line, "\n");

		if (is_about_cgroups(line, size))
			(void)fprintf(out, "%.*s\n", (int)size, line);
		line += size + (line[size] == '\n');
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

const char *kept_mounts_lines(const char *text, const char *cgroups)
{
	for (const char *line = cgroups; *line;) {
		size_t size = strcspn(line, "\n"), wanted = hierarchy_length(line, size);

		if (strncmp(text, line, wanted) != 0 || text[wanted] != '\n')
			return NULL;
		text += wanted + 1;
		line += size + (line[size] == '\n');
	}
	return *text == '\n' ? text + 1 : NULL;
}

char *kept_mounts_load(int dir, const char *cgroups)
{
	struct failure ignored;
	_cleanup_free_ char *text = file_read_at(dir, FILE_NAME, FILE_LIMIT, NULL, &ignored);
	const char *lines = text ? kept_mounts_lines(text, cgroups) : NULL;

	return lines ? strdup(lines) : NULL;
}

void kept_mounts_store(int dir, const char *cgroups, const char *mountinfo)
{
	size_t length = 0;
	_cleanup_free_ char *text = kept_mounts_text(cgroups, mountinfo, &length);
	struct failure ignored;

	if (text && length < FILE_LIMIT)
		(void)file_replace_at(dir, FILE_NAME, text, length, 0600, false, &ignored);
}

void kept_mounts_forget(int dir)
{
	(void)unlinkat(dir, FILE_NAME, 0);
}

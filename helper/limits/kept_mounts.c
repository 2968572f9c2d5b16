/* helper/limits/kept_mounts.c - where cgroups are mounted, kept from login to login. */
#include "helper/limits/kept_mounts.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"

#define FILE_NAME  "cgroup-mounts"
#define FILE_LIMIT (64U << 10)
#define HEADING    "mounts 2\n" /* the first, without it, had lines of mountinfo */

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

static const char *next_line(const char *line, size_t size)
{
	return line + size + (line[size] == '\n');
}

/* The name and the place may hold anything, and are told by their lengths. */
static void print_mount(FILE *out, const struct cgroup_mount *mount)
{
	(void)fprintf(out, "%u %u %u %u %zu %zu\n%s%s", mount->major, mount->minor, mount->v2,
		      mount->controllers, strlen(mount->name), strlen(mount->point), mount->name,
		      mount->point);
}

char *kept_mounts_text(const char *cgroups, const struct cgroup_mounts *mounts, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	if (!out)
		return NULL;
	(void)fputs(HEADING, out);
	for (const char *line = cgroups; *line;) {
		size_t size = strcspn(line, "\n");

		(void)fprintf(out, "%.*s\n", (int)hierarchy_length(line, size), line);
		line = next_line(line, size);
	}
	(void)fprintf(out, "\n%zu\n", mounts->count);
	for (size_t i = 0; i < mounts->count; i++)
		print_mount(out, &mounts->mounts[i]);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* What comes after the hierarchies, if they are those of `cgroups`; else NULL. */
static const char *skip_hierarchies(const char *text, const char *cgroups)
{
	if (strncmp(text, HEADING, strlen(HEADING)) != 0)
		return NULL;
	text += strlen(HEADING);
	for (const char *line = cgroups; *line;) {
		size_t size = strcspn(line, "\n"), wanted = hierarchy_length(line, size);

		if (strncmp(text, line, wanted) != 0 || text[wanted] != '\n')
			return NULL;
		text += wanted + 1;
		line = next_line(line, size);
	}
	return *text == '\n' ? text + 1 : NULL;
}

static bool take_number(const char **at, char after, unsigned long most, unsigned long *number)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*number = strtoul(*at, &end, 10);
	if (*end != after || *number > most)
		return false;
	*at = end + 1;
	return true;
}

static bool take_string(const char **at, size_t length, size_t room, char *out)
{
	if (length >= room || strnlen(*at, length) != length)
		return false;
	memcpy(out, *at, length);
	out[length] = '\0';
	*at += length;
	return true;
}

static bool take_mount(const char **at, struct cgroup_mount *mount)
{
	unsigned long major, minor, v2, controllers, name, point;

	if (!take_number(at, ' ', UINT_MAX, &major) || !take_number(at, ' ', UINT_MAX, &minor) ||
	    !take_number(at, ' ', 1, &v2) || !take_number(at, ' ', UINT_MAX, &controllers) ||
	    !take_number(at, ' ', sizeof(mount->name), &name) ||
	    !take_number(at, '\n', sizeof(mount->point), &point) ||
	    !take_string(at, name, sizeof(mount->name), mount->name) ||
	    !take_string(at, point, sizeof(mount->point), mount->point))
		return false;
	mount->major = (unsigned)major;
	mount->minor = (unsigned)minor;
	mount->v2 = v2;
	mount->controllers = (unsigned)controllers;
	mount->root[0] = mount->own[0] = '\0';
	return true;
}

bool kept_mounts_parse(const char *text, const char *cgroups, struct cgroup_mounts *mounts)
{
	const char *at = skip_hierarchies(text, cgroups);
	unsigned long count;

	mounts->count = 0;
	if (!at || !take_number(&at, '\n', CGROUP_MAX_ROOTS, &count) || count == 0)
		return false;
	while (mounts->count < count && take_mount(&at, &mounts->mounts[mounts->count]))
		mounts->count++;
	return mounts->count == count && *at == '\0';
}

bool kept_mounts_load(int dir, const char *cgroups, struct cgroup_mounts *mounts)
{
	struct failure ignored;
	_cleanup_free_ char *text = file_read_at(dir, FILE_NAME, FILE_LIMIT, NULL, &ignored);

	return text && kept_mounts_parse(text, cgroups, mounts);
}

void kept_mounts_store(int dir, const char *cgroups, const struct cgroup_mounts *mounts)
{
	size_t length = 0;
	_cleanup_free_ char *text = kept_mounts_text(cgroups, mounts, &length);
	struct failure ignored;

	if (text && length < FILE_LIMIT)
		(void)file_replace_at(dir, FILE_NAME, text, length, 0600, false, &ignored);
}

void kept_mounts_forget(int dir)
{
	(void)unlinkat(dir, FILE_NAME, 0);
}

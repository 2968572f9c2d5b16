/* helper/admin/pam_names.c - which of the files in /etc/pam.d are services. */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "helper/admin/pam_files.h"
#include "helper/admin/pam_text.h"

struct name_list {
	char **names;
	size_t count;
};

void pam_names_free(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static void free_list(struct name_list *list)
{
	pam_names_free(list->names, list->count);
}

static bool has_name(const struct name_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->names[i], name) == 0)
			return true;
	return false;
}

static bool add_name(struct name_list *list, const char *name)
{
	char **names;

	if (has_name(list, name))
		return true;
	names = reallocarray(list->names, list->count + 1, sizeof(*names));
	if (!names)
		return false;
	list->names = names;
	names[list->count] = strdup(name);
	return names[list->count] && ++list->count;
}

static bool is_leftover(const char *name)
{
	static const char *const patterns[] = {".*",        "*~",       "*.dpkg-*",  "*.ucf-*",
					       "*.rpmsave", "*.rpmnew", "*.rpmorig", "*.bak"};

	for (size_t i = 0; i < ARRAY_LENGTH(patterns); i++)
		if (fnmatch(patterns[i], name, 0) == 0)
			return true;
	return false;
}

static bool list_directory(const char *path, struct name_list *list, struct failure *why)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	const struct dirent *entry;

	if (!dir && errno == ENOENT)
		return true;
	if (!dir)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read %s", path);
	while ((entry = readdir(dir))) {
		if (entry->d_type == DT_DIR || is_leftover(entry->d_name))
			continue;
		if (!add_name(list, entry->d_name))
			return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot list %s", path);
	}
	return true;
}

/* "su-l" is a variant of "su". */
static bool is_variant(const char *name, const char *service)
{
	size_t length = strlen(service);

	return strncmp(name, service, length) == 0 && name[length] == '-';
}

/*
 * Add the names of the files that a service includes, but for the service that it is a variant of.
 * Files that cannot be read include none.
 */
static bool add_includes(const char *service, struct name_list *included)
{
	struct failure ignored;
	bool from_vendor;
	_cleanup_free_ char *text = pam_service_read(service, &from_vendor, &ignored);
	const char *cursor = text;
	struct pam_line line;

	while (text && pam_line_next(&cursor, &line))
		if (line.includes && !is_variant(service, line.module) &&
		    !add_name(included, line.module))
			return false;
	return true;
}

static int by_name(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

bool pam_services(char ***names, size_t *count, struct failure *why)
{
	__attribute__((cleanup(free_list))) struct name_list files = {0}, included = {0};
	size_t kept = 0;

	if (!list_directory(PAM_DIRECTORY, &files, why) ||
	    !list_directory(PAM_VENDOR_DIRECTORY, &files, why))
		return false;
	for (size_t i = 0; i < files.count; i++)
		if (!add_includes(files.names[i], &included))
			return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot list " PAM_DIRECTORY);
	for (size_t i = 0; i < files.count; i++) {
		if (has_name(&included, files.names[i]))
			free(files.names[i]);
		else
			files.names[kept++] = files.names[i];
	}
	files.count = kept;
	if (kept)
		qsort(files.names, kept, sizeof(*files.names), by_name);
	*names = take_ptr(files.names);
	*count = files.count;
	files.count = 0;
	return true;
}

bool pam_is_fragment(const char *service, char includer[256])
{
	__attribute__((cleanup(free_list))) struct name_list files = {0};
	struct failure ignored;

	if (!list_directory(PAM_DIRECTORY, &files, &ignored))
		return false;
	for (size_t i = 0; i < files.count; i++) {
		__attribute__((cleanup(free_list))) struct name_list included = {0};

		if (!add_includes(files.names[i], &included) || !has_name(&included, service))
			continue;
		(void)snprintf(includer, 256, "%s", files.names[i]);
		return true;
	}
	return false;
}

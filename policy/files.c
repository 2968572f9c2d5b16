/* policy/files.c - which files the policies are in. */
#include "policy/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define DROP_IN_MOST 1000

/* Editors leave ".x.conf.swp", "x.conf~" and "#x.conf#"; none of them is a policy. */
static bool is_drop_in(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 5 && strcmp(name + length - 5, ".conf") == 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool list(DIR *stream, struct string_list *names, struct failure *why)
{
	const struct dirent *entry;

	while (errno = 0, (entry = readdir(stream)) != NULL) {
		if (!is_drop_in(entry->d_name))
			continue;
		if (names->count == DROP_IN_MOST)
			return fail(why, FAILURE_POLICY, 0, "%s has more than %d files",
				    POLICY_DROP_IN_DIR, DROP_IN_MOST);
		if (!string_list_add(names, entry->d_name, why))
			return false;
	}
	if (errno != 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot list %s", POLICY_DROP_IN_DIR);
	if (names->count > 1)
		qsort(names->items, names->count, sizeof(*names->items), compare_names);
	return true;
}

bool policy_list_drop_ins(int dir, struct string_list *names, struct failure *why)
{
	_cleanup_close_ int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = again < 0 ? NULL : fdopendir(again);

	if (!stream)
		return fail(why, FAILURE_SYSTEM, errno, "cannot list %s", POLICY_DROP_IN_DIR);
	(void)take_fd(&again);
	return list(stream, names, why);
}

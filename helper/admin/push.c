/* helper/admin/push.c - `carrel push`: show files to a group, in every container, at once. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/class_folder.h"
#include "helper/admin/commands.h"
#include "helper/admin/cp_halves.h"
#include "helper/admin/select.h"

struct pushing {
	const char *group, *to;
	bool remove, list, as_json, no_header;
};

static int push_one(int into, const char *path)
{
	_cleanup_close_ int from = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	const char *name = cp_name(path);
	struct failure why;
	bool all = true;

	if (!name || name[0] == '.')
		return complain("push: '%s' has no name to be seen by", path);
	if (from < 0)
		return complain("push: %s: %s", path, strerror(errno));
	if (!class_put(from, into, name, &all, &why))
		return complain("push: %s: %s", path, why.text);
	return all ? STATUS_OK : STATUS_FAILED;
}

static int open_into(int folder, const char *to, struct failure *why)
{
	int into;

	if (!to)
		return openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!dir_make_at(folder, to, 0755, why))
		return -1;
	into = dir_open_at(folder, to, false);
	return into >= 0 ? into : fail_fd(why, FAILURE_SYSTEM, errno, "cannot open '%s'", to);
}

static int push_all(int folder, const struct pushing *push, const struct operands *files)
{
	struct failure why;
	_cleanup_close_ int into = open_into(folder, push->to, &why);
	int status = STATUS_OK;

	if (into < 0)
		return complain("push: %s", why.text);
	for (size_t i = 0; i < files->count; i++)
		if (push_one(into, files->items[i]) != STATUS_OK)
			status = STATUS_FAILED;
	return status;
}

static int remove_one(int folder, const char *path)
{
	char parent[4096];
	const char *name = cp_name(path);
	_cleanup_close_ int dir = -1;
	struct stat status;
	struct failure why;

	if (!class_path_is_sound(path) || strlen(path) >= sizeof(parent) || !name)
		return complain("push: '%s' is no path in the group's folder", path);
	(void)snprintf(parent, sizeof(parent), "%.*s", (int)(name - path), path);
	dir = dir_open_at(folder, *parent ? parent : ".", true);
	if (dir < 0 || fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return complain("push: %s: %s", path, strerror(errno));
	if (S_ISDIR(status.st_mode) ? tree_remove_at(dir, name, &why) : unlinkat(dir, name, 0) == 0)
		return STATUS_OK;
	return complain("push: %s: %s", path, S_ISDIR(status.st_mode) ? why.text : strerror(errno));
}

static int remove_all(int folder, const struct operands *paths)
{
	int status = STATUS_OK;

	for (size_t i = 0; i < paths->count; i++)
		if (remove_one(folder, paths->items[i]) != STATUS_OK)
			status = STATUS_FAILED;
	return status;
}

/* Field 5 of a line of mountinfo (proc(5)) is where it is mounted, as that process sees it. */
static bool has_class(pid_t pid)
{
	char path[48], line[4096], point[4096];
	_cleanup_fclose_ FILE *mounts = NULL;
	bool found = false;

	(void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	mounts = fopen(path, "re");
	while (mounts && !found && fgets(line, sizeof(line), mounts))
		found = sscanf(line, "%*s %*s %*s %*s %4095s", point) == 1 &&
			strcmp(point, "/class") == 0;
	return found;
}

/* Containers that an older version has started have no /class yet. */
static void tell_who_waits(const struct context *context, const char *group)
{
	const struct selector selector = {.group = group};
	const struct operands none = {0};
	_cleanup_names_ struct name_set set = {0};

	if (select_containers(context, &selector, &none, SELECT_RUNNING, &set) != STATUS_GO_ON)
		return;
	for (size_t i = 0; i < set.count; i++) {
		struct running_record record;
		_cleanup_close_ int init = -1;
		struct failure ignored;

		if (registry_running(&context->registry, set.items[i], &record, &init, &ignored) &&
		    init >= 0 && !has_class(record.pid))
			(void)printf("%s: has no /class before its next start: it was started by "
				     "an older Carrel\n",
				     set.items[i]);
	}
}

static int push(const struct pushing *push, const struct operands *operands)
{
	_cleanup_close_ int folder = -1;
	struct context context;
	struct failure why;
	int status;

	if (!context_open(&context, &why))
		return complain("%s", why.text);
	folder = class_folder_open(&context, push->group, !push->list && !push->remove, &why);
	if (folder < 0)
		status = complain("push: %s", why.text);
	else if (push->list)
		status = class_list(folder, push->as_json, push->no_header);
	else if (push->remove)
		status = remove_all(folder, operands);
	else
		status = push_all(folder, push, operands);
	if (folder >= 0 && !push->list) {
		admin_event(NULL, NULL, "push%s to %s", push->remove ? " --remove" : "",
			    push->group);
		if (!push->remove)
			tell_who_waits(&context, push->group);
	}
	context_close(&context);
	return output_status(status);
}

int run_push(const struct command *command, int argc, char **argv)
{
	struct pushing what = {0};
	const struct option_spec specs[] = {
	    {.name = "group", .letter = 'g', .value = &what.group},
	    {.name = "to", .value = &what.to},
	    {.name = "remove", .flag = &what.remove},
	    {.name = "list", .letter = 'l', .flag = &what.list},
	    {.name = "json", .flag = &what.as_json},
	    {.name = "no-header", .flag = &what.no_header},
	};
	struct operands operands;
	int status = options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 0, OPERANDS_ANY,
				   &operands);

	if (status != STATUS_GO_ON)
		return status;
	if (!what.group)
		return usage_error(command, "--group is missing: whom is it for?");
	if (what.list ? operands.count > 0 || what.remove || what.to : operands.count == 0)
		return usage_error(command, what.list ? "--list takes nothing but --group"
						      : "an argument is missing");
	if (what.to && (what.remove || !*what.to || !class_path_is_sound(what.to)))
		return usage_error(command, "--to: not a folder below the group's own");
	return push(&what, &operands);
}

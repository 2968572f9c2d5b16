/* helper/admin/metrics.c - `carrel metrics`: figures of all containers for Prometheus. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "helper/admin/commands.h"
#include "helper/admin/containers.h"
#include "helper/admin/framing.h"
#include "helper/admin/metrics_text.h"

struct collection {
	const struct context *context;
	struct metrics_container *all;
	size_t count;
	struct metrics_totals totals;
};

static void take(const struct container_info *info, void *data)
{
	struct collection *collection = data;
	struct metrics_container *it = &collection->all[collection->count++];

	container_info_status(collection->context, info, &it->status);
	(void)snprintf(it->user, sizeof(it->user), "%s", container_user(info));
	it->runs = info->runs;
	if (info->runs)
		collection->totals.running++;
	else
		collection->totals.stopped++;
}

/* The text of all containers; NULL after a complaint. *status tells whether some are missing. */
static char *collect(const struct context *context, size_t *length, int *status)
{
	static const struct operands everything = {0};
	struct collection collection = {.context = context};
	struct names names;
	struct failure why;
	char *text = NULL;
	FILE *out;

	if (!names_load(context, &everything, &names, &why)) {
		(void)complain("%s", why.text);
		return NULL;
	}
	collection.all = calloc(names.count + 1, sizeof(*collection.all));
	out = collection.all ? open_memstream(&text, length) : NULL;
	if (out) {
		*status = containers_load(context, names.items, names.count, DETAIL_ALL, take,
					  &collection);
		metrics_print(collection.all, collection.count, &collection.totals, out);
	}
	if (!out || fclose(out) != 0) {
		(void)complain("out of memory");
		free(take_ptr(text));
	}
	free(collection.all);
	names_free(&names);
	return text;
}

/* A scraper that reads at any moment finds the old file or the new one, whole. */
static int write_file(const char *path, const char *text, size_t length)
{
	_cleanup_free_ char *for_folder = strdup(path), *for_name = strdup(path);
	_cleanup_close_ int folder = -1;
	struct failure why;
	const char *name;

	if (!for_folder || !for_name)
		return complain("out of memory");
	name = basename(for_name);
	folder = open(dirname(for_folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return complain("cannot write %s: cannot open its directory: %s", path,
				strerror(errno));
	if (!file_replace_at(folder, name, text, length, 0644, false, &why))
		return complain("cannot write %s: %s", path, why.text);
	return STATUS_OK;
}

static int print_metrics(const struct context *context, const struct operands *operands, void *data)
{
	const char *const *path = data;
	_cleanup_free_ char *text = NULL;
	size_t length;
	int status = STATUS_OK;

	(void)operands;
	text = collect(context, &length, &status);
	if (!text)
		return STATUS_FAILED;
	if (*path)
		return write_file(*path, text, length) == STATUS_OK ? status : STATUS_FAILED;
	(void)fwrite(text, 1, length, stdout);
	return output_status(status);
}

int run_metrics(const struct command *command, int argc, char **argv)
{
	const char *path = NULL;
	const struct option_spec specs[] = {{.name = "write", .letter = 'w', .value = &path}};
	const struct syntax syntax = {specs, ARRAY_LENGTH(specs), 0, 0};

	return command_run(command, argc, argv, &syntax, print_metrics, &path);
}

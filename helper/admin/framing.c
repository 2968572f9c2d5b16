/* helper/admin/framing.c - what every command does around its own work, once. */
#include "helper/admin/framing.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

int command_run(const struct command *command, int argc, char **argv, const struct syntax *syntax,
		command_work *work, void *data)
{
	struct operands operands;
	int status = options_parse(command, argc, argv, syntax->specs, syntax->spec_count,
				   syntax->least, syntax->most, &operands);

	return status == STATUS_GO_ON ? command_work_on(&operands, work, data) : status;
}

int command_work_on(const struct operands *operands, command_work *work, void *data)
{
	struct context context;
	struct failure why;
	int status;

	if (!context_open(&context, &why))
		return complain("%s", why.text);
	status = work(&context, operands, data);
	context_close(&context);
	return status;
}

int selection_parse(const struct command *command, int argc, char **argv,
		    const struct syntax *syntax, const struct selector *selector,
		    struct operands *names)
{
	int status = options_parse(command, argc, argv, syntax->specs, syntax->spec_count,
				   syntax->least, syntax->most, names);

	if (status == STATUS_GO_ON && !selector_is_sound(selector, names->count))
		return usage_error(command, SELECT_ONE_WAY);
	return status;
}

int selection_work_on(const struct selector *selector, const struct operands *names,
		      enum select_which which, selection_work *work, void *data)
{
	_cleanup_names_ struct name_set set = {0};
	struct context context;
	struct failure why;
	int status;

	if (!context_open(&context, &why))
		return complain("%s", why.text);
	status = select_containers(&context, selector, names, which, &set);
	if (status == STATUS_GO_ON && set.count == 0) {
		select_tell_none(selector, which);
		status = STATUS_OK;
	} else if (status == STATUS_GO_ON) {
		status = work(&context, &set, data);
	}
	context_close(&context);
	return output_status(status);
}

void listing_begin(struct listing *listing, const struct table_column *columns, size_t count)
{
	listing->json = (struct json){0};
	table_init(&listing->table, columns, count);
	json_array_begin(&listing->json, NULL);
}

int listing_end(struct listing *listing, int status)
{
	json_array_end(&listing->json);
	if (listing->as_json && json_print(&listing->json) != STATUS_OK)
		status = STATUS_FAILED;
	if (!listing->as_json && listing->table.column_count &&
	    !table_print(&listing->table, stdout, !listing->no_header))
		status = complain("out of memory");
	table_free(&listing->table);
	json_free(&listing->json);
	return output_status(status);
}

static bool is_wanted(const char *name, const struct operands *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (fnmatch(patterns->items[i], name, 0) == 0)
			return true;
	return patterns->count == 0;
}

bool names_load(const struct context *context, const struct operands *patterns, struct names *names,
		struct failure *why)
{
	char **all;
	size_t count;

	*names = (struct names){0};
	if (!registry_names(&context->registry, &all, &count, why))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (is_wanted(all[i], patterns))
			all[names->count++] = all[i];
		else
			free(all[i]);
	}
	names->items = all;
	return true;
}

void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

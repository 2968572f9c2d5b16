/* helper/admin/snapshots_list.c - `carrel snapshots`: which there are; remove one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/commands.h"
#include "helper/admin/snapshots.h"
#include "helper/admin/table.h"
#include "helper/registry/record.h"

static bool load_one(int snapshots, const char *name, const char *label, struct snapshot *snapshot,
		     struct failure *why)
{
	_cleanup_close_ int folder = dir_open_at(snapshots, label, true);
	_cleanup_free_ char *text = NULL;
	struct record record = {0};

	(void)snprintf(snapshot->label, sizeof(snapshot->label), "%.64s", label);
	if (folder < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open the snapshot '%s'", label);
	text = file_read_at(folder, "snapshot", RECORD_SIZE - 1, &record.length, why);
	if (!text || !stored_read_at(folder, name, &snapshot->stored, why))
		return false;
	memcpy(record.text, text, record.length + 1);
	snapshot->taken_at = record_get_number(&record, "taken_at", INT64_MAX);
	snapshot->bytes = record_get_number(&record, "bytes", UINT64_MAX);
	record_get(&record, "admin", snapshot->admin, sizeof(snapshot->admin));
	return !record.failed || fail(why, FAILURE_DATA, 0,
				      "the record of the snapshot '%s' is damaged; its data is "
				      "untouched: restore the record from a backup, or remove it",
				      label);
}

static int by_time(const void *left, const void *right)
{
	const struct snapshot *a = left, *b = right;

	if (a->taken_at != b->taken_at)
		return a->taken_at < b->taken_at ? -1 : 1;
	return strcmp(a->label, b->label);
}

static bool load_all(int snapshots, const char *name, DIR *stream, struct snapshot **list,
		     size_t *count, struct failure *why)
{
	const struct dirent *entry;

	while ((entry = readdir(stream))) {
		struct snapshot *more;
		struct failure ignored;

		if (entry->d_name[0] == '.' || !label_check(entry->d_name, &ignored))
			continue;
		more = reallocarray(*list, *count + 1, sizeof(**list));
		if (!more)
			return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot list the snapshots");
		*list = more;
		(*list)[*count] = (struct snapshot){.bytes = UINT64_MAX};
		if (!load_one(snapshots, name, entry->d_name, &(*list)[(*count)++], &ignored))
			(void)complain("%s", ignored.text);
	}
	return true;
}

bool snapshots_load(const struct registry *registry, const char *name, struct snapshot **list,
		    size_t *count, struct failure *why)
{
	_cleanup_close_ int snapshots = registry_snapshots_dir(registry, name, false, why);
	_cleanup_closedir_ DIR *stream = NULL;
	int again;

	*list = NULL;
	*count = 0;
	if (snapshots < 0)
		return why->kind == FAILURE_MISSING;
	again = openat(snapshots, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stream = again < 0 ? NULL : fdopendir(again);
	if (!stream)
		return fail(why, FAILURE_SYSTEM, errno, "cannot list the snapshots");
	if (!load_all(snapshots, name, stream, list, count, why)) {
		free(*list);
		*list = NULL;
		return false;
	}
	if (*count)
		qsort(*list, *count, sizeof(**list), by_time);
	return true;
}

static int print_table(const struct snapshot *list, size_t count, bool with_header)
{
	static const struct table_column columns[] = {
	    {"LABEL", false}, {"TAKEN", false},   {"SIZE", true}, {"POLICY", false},
	    {"IMAGE", false}, {"STORAGE", false}, {"BY", false},
	};
	struct table table;

	table_init(&table, columns, ARRAY_LENGTH(columns));
	for (size_t i = 0; i < count; i++) {
		const struct snapshot *it = &list[i];
		char taken[32], bytes[16];

		format_time(it->taken_at, taken);
		format_bytes(it->bytes, bytes);
		table_add(&table, (const char *const[]){
				      it->label, taken, bytes, it->stored.policy, it->stored.image,
				      *it->stored.storage ? it->stored.storage : NULL, it->admin});
	}
	if (!table_print(&table, stdout, with_header))
		(void)complain("out of memory");
	table_free(&table);
	return output_status(STATUS_OK);
}

static int print_json(const struct snapshot *list, size_t count)
{
	struct json json = {0};
	int status;

	json_array_begin(&json, NULL);
	for (size_t i = 0; i < count; i++) {
		const struct snapshot *it = &list[i];

		json_object_begin(&json, NULL);
		json_string(&json, "label", it->label);
		json_number(&json, "taken_at", it->taken_at);
		json_known(&json, "bytes", it->bytes);
		json_string(&json, "policy", it->stored.policy);
		json_string(&json, "image", it->stored.image);
		json_string(&json, "storage", it->stored.storage);
		json_string(&json, "admin", it->admin);
		json_object_end(&json);
	}
	json_array_end(&json);
	status = json_print(&json);
	json_free(&json);
	return status;
}

static int list_snapshots(const struct context *context, const char *name, bool as_json,
			  bool with_header)
{
	_cleanup_free_ struct snapshot *list = NULL;
	struct container_info info;
	struct failure why;
	size_t count;

	if (!container_info_load(context, name, &info, &why))
		return complain("%s: %s", name, why.text);
	container_info_close(&info);
	if (!snapshots_load(&context->registry, name, &list, &count, &why))
		return complain("%s: %s", name, why.text);
	return as_json ? print_json(list, count) : print_table(list, count, with_header);
}

static int remove_one(const struct context *context, const char *name, const char *label, bool yes)
{
	struct failure why;
	struct data data;
	bool removed;

	if (!label_check(label, &why))
		return complain("%s", why.text);
	if (!yes && !confirm("Remove the snapshot '%s' of container %s?", label, name))
		return STATUS_FAILED;
	if (!data_open(context, name, false, &data, &why))
		return complain("%s: %s", name, why.text);
	removed = snapshot_remove(&data, label, &why);
	if (removed)
		admin_event(name, data.store.record.user, "snapshot %s removed", label);
	data_close(&data);
	if (!removed)
		return complain("%s: %s", name, why.text);
	(void)printf("%s: snapshot %s removed\n", name, label);
	return output_status(STATUS_OK);
}

int run_snapshots(const struct command *command, int argc, char **argv)
{
	bool as_json = false, yes = false, no_header = false;
	const char *label = NULL;
	const struct option_spec specs[] = {{.name = "json", .flag = &as_json},
					    {.name = "no-header", .flag = &no_header},
					    {.name = "remove", .value = &label},
					    {.name = "yes", .letter = 'y', .flag = &yes}};
	struct context context;
	struct operands operands;
	struct failure why;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 1, 1, &operands);

	if (status != STATUS_GO_ON)
		return status;
	if (yes && !label)
		return usage_error(command, "--yes is for --remove");
	if (label && (as_json || no_header))
		return usage_error(command, "--remove shows no list");
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	status = label ? remove_one(&context, operands.items[0], label, yes)
		       : list_snapshots(&context, operands.items[0], as_json, !no_header);
	context_close(&context);
	return status;
}

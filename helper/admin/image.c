/* helper/admin/image.c - `carrel image list`, `use` and `remove`. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/commands.h"
#include "helper/admin/context.h"
#include "helper/admin/image_store.h"
#include "helper/admin/leftovers.h"
#include "helper/admin/table.h"
#include "helper/images/versions.h"

/* One line of the list. */
struct row {
	const char *name, *state, *format;
	uint32_t version;
	uint64_t bytes; /* UINT64_MAX: unknown */
	size_t running, containers;
	struct image_info info;
};

struct list {
	const struct registry *registry;
	struct table *table; /* or: */
	struct json *json;
};

static void add_row(const struct list *list, const struct row *row)
{
	char created[32], running[24], containers[24], version[24], size[16];

	if (list->json) {
		json_object_begin(list->json, NULL);
		json_string(list->json, "name", row->name);
		json_number(list->json, "version", row->version);
		json_string(list->json, "state", row->state);
		json_string(list->json, "format", row->format);
		if (row->bytes == UINT64_MAX)
			json_string(list->json, "bytes", NULL);
		else
			json_number(list->json, "bytes", row->bytes);
		json_number(list->json, "running", row->running);
		json_number(list->json, "containers", row->containers);
		json_number(list->json, "created_at", row->info.created_at);
		json_string(list->json, "source", row->info.source);
		json_object_end(list->json);
		return;
	}
	format_time(row->info.created_at, created);
	format_bytes(row->bytes, size);
	(void)snprintf(version, sizeof(version), "%u", row->version);
	(void)snprintf(running, sizeof(running), "%zu", row->running);
	(void)snprintf(containers, sizeof(containers), "%zu", row->containers);
	table_add(list->table, (const char *const[]){row->name, version, row->state, row->format,
						     size, running, containers, created,
						     *row->info.source ? row->info.source : NULL});
}

/* What is in the version's folder. */
static void look_at_version(int image, struct row *row)
{
	_cleanup_close_ int version = image_version_open(image, row->version);
	struct stat status;

	row->bytes = UINT64_MAX;
	row->format = NULL;
	if (version < 0)
		return;
	image_info_read(version, &row->info);
	if (row->info.bytes)
		row->bytes = row->info.bytes;
	if (fstatat(version, IMAGE_ROOTFS, &status, AT_SYMLINK_NOFOLLOW) == 0) {
		row->format = "dir";
	} else if (fstatat(version, IMAGE_EROFS, &status, AT_SYMLINK_NOFOLLOW) == 0) {
		row->format = "erofs";
		row->bytes = (uint64_t)status.st_size;
	}
}

/* The links; a damaged one is no link, and the versions show what there is to choose from. */
struct links {
	uint32_t current, previous;
	bool has_current, has_previous;
};

static const char *state_of(const struct links *links, const struct row *row)
{
	if (links->has_current && row->version == links->current)
		return row->format ? "current" : "missing";
	if (links->has_previous && row->version == links->previous)
		return "previous";
	return row->running ? "in use" : "unused";
}

static bool add_version(const struct list *list, int image, const struct links *links,
			struct row *row, struct failure *why)
{
	row->info = (struct image_info){0};
	look_at_version(image, row);
	if (!image_version_users(list->registry, row->name, row->version, &row->running, why))
		return false;
	row->state = state_of(links, row);
	add_row(list, row);
	return true;
}

static bool add_image(const struct list *list, const char *name, struct failure *why)
{
	_cleanup_close_ int image = dir_open_at(list->registry->state_images, name, true);
	_cleanup_free_ uint32_t *numbers = NULL;
	struct links links = {0};
	struct row row = {.name = name};
	struct failure ignored;
	char users[512];
	size_t count;
	bool seen = false;

	if (image < 0 || !image_version_list(image, &numbers, &count, why))
		return image >= 0 || fail(why, FAILURE_SYSTEM, errno, "cannot open it");
	(void)(image_link_read(image, IMAGE_CURRENT, &links.current, &links.has_current,
			       &ignored) ||
	       (links.has_current = false));
	(void)(image_link_read(image, IMAGE_PREVIOUS, &links.previous, &links.has_previous,
			       &ignored) ||
	       (links.has_previous = false));
	if (!image_users(list->registry, name, &row.containers, users, sizeof(users), why))
		return false;
	for (size_t i = 0; i < count; i++) {
		row.version = numbers[i];
		seen = seen || (links.has_current && row.version == links.current);
		if (!add_version(list, image, &links, &row, why))
			return false;
	}
	row.version = links.current;
	return seen || !links.has_current || add_version(list, image, &links, &row, why);
}

static int print_images(const struct registry *registry, bool as_json, bool no_header)
{
	static const struct table_column columns[] = {
	    {"NAME", false},      {"VERSION", true},  {"STATE", false},
	    {"FORMAT", false},    {"SIZE", true},     {"RUNNING", true},
	    {"CONTAINERS", true}, {"CREATED", false}, {"FROM", false}};
	struct json json = {0};
	struct table table;
	const struct list list = {registry, &table, as_json ? &json : NULL};
	struct failure why;
	char **names;
	size_t count;
	int status = STATUS_OK;

	if (!image_names(registry->state_images, &names, &count, &why))
		return complain("%s", why.text);
	table_init(&table, columns, ARRAY_LENGTH(columns));
	json_array_begin(&json, NULL);
	for (size_t i = 0; i < count; i++) {
		if (!add_image(&list, names[i], &why))
			status = complain("image %s: %s", names[i], why.text);
		free(names[i]);
	}
	free(names);
	json_array_end(&json);
	if (as_json && json_print(&json) != STATUS_OK)
		status = STATUS_FAILED;
	if (!as_json && !table_print(&table, stdout, !no_header))
		status = complain("out of memory");
	table_free(&table);
	json_free(&json);
	return output_status(status);
}

int run_image_list(const struct command *command, int argc, char **argv)
{
	bool as_json = false, no_header = false;
	const struct option_spec specs[] = {{.name = "json", .flag = &as_json},
					    {.name = "no-header", .flag = &no_header}};
	struct context context;
	struct operands operands;
	struct failure why;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 0, 0, &operands);

	if (status != STATUS_GO_ON)
		return status;
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	status = print_images(&context.registry, as_json, no_header);
	context_close(&context);
	return status;
}

static int open_image(const struct registry *registry, const char *name, struct failure *why)
{
	int image = name_is_valid(name) ? dir_open_at(registry->state_images, name, true) : -1;

	return image >= 0 ? image
			  : fail_fd(why, FAILURE_MISSING, 0,
				    "there is no such image; see carrel image list");
}

static bool may_remove(const struct context *context, const char *name, struct failure *why)
{
	char users[256];
	size_t count;

	if (!image_users(&context->registry, name, &count, users, sizeof(users), why))
		return false;
	if (count)
		return fail(why, FAILURE_BUSY, 0, "%zu container%s of it: %s; remove %s first",
			    count, count == 1 ? " is made" : "s are made", users,
			    count == 1 ? "that" : "those");
	for (size_t i = 0; i < context->config->policy_count; i++)
		if (strcmp(context->config->policies[i].image, name) == 0)
			(void)complain("warning: policy \"%s\" (%s:%u) names this image: its users "
				       "will be refused",
				       context->config->policies[i].name,
				       context->config->policies[i].where.file,
				       context->config->policies[i].where.line);
	return true;
}

static bool remove_all(const struct context *context, const char *name, bool yes, bool *removed,
		       struct failure *why)
{
	const struct registry *registry = &context->registry;
	_cleanup_close_ int lock = leftovers_lock(registry->state_images, "images", why);
	_cleanup_close_ int image = lock < 0 ? -1 : open_image(registry, name, why);

	*removed = false;
	if (image < 0 || !may_remove(context, name, why))
		return false;
	if (!yes && !confirm("Remove image %s?", name))
		return true;
	*removed = true;
	return remove_by_renaming(registry->state_images, name, why) &&
	       leftovers_clear(registry->state_images, false, NULL, NULL, why) &&
	       image_clear_unused(registry, name, false, NULL, NULL, why);
}

/* The current one goes only with the image: nobody could log in any more. */
static bool check_not_current(int image, uint32_t number, struct failure *why)
{
	struct failure ignored;
	uint32_t current;
	bool found;

	return !image_link_read(image, IMAGE_CURRENT, &current, &found, &ignored) || !found ||
	       current != number ||
	       fail(why, FAILURE_BUSY, 0,
		    "version %u is the current one: switch to another with 'carrel image use' "
		    "first, or remove the whole image",
		    number);
}

static bool remove_version(const struct context *context, const char *name, uint32_t number,
			   bool yes, bool *removed, struct failure *why)
{
	const struct registry *registry = &context->registry;
	_cleanup_close_ int lock = leftovers_lock(registry->state_images, "images", why);
	_cleanup_close_ int image = lock < 0 ? -1 : open_image(registry, name, why);

	*removed = false;
	if (image < 0 || !check_not_current(image, number, why) ||
	    !image_version_check(image, number, why))
		return false;
	if (!yes && !confirm("Remove version %u of image %s?", number, name))
		return true;
	*removed = true;
	return image_version_remove(registry, name, image, number, why);
}

static bool parse_version(const char *text, uint32_t *number)
{
	*number = 0;
	return strcmp(text, "0") == 0 || image_version_parse(text, number);
}

int run_image_remove(const struct command *command, int argc, char **argv)
{
	const char *version = NULL, *name;
	bool yes = false, done, removed;
	const struct option_spec specs[] = {{.name = "yes", .letter = 'y', .flag = &yes},
					    {.name = "version", .value = &version}};
	struct context context;
	struct operands operands;
	struct failure why;
	uint32_t number = 0;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 1, 1, &operands);

	if (status != STATUS_GO_ON)
		return status;
	if (version && !parse_version(version, &number))
		return usage_error(command, "'%s' is no number of a version", version);
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	name = operands.items[0];
	done = version ? remove_version(&context, name, number, yes, &removed, &why)
		       : remove_all(&context, name, yes, &removed, &why);
	context_close(&context);
	if (!done)
		return complain("image %s: %s", name, why.text);
	if (!removed)
		return STATUS_FAILED;
	if (version) {
		admin_event(NULL, NULL, "image remove %s version %u", name, number);
		(void)printf("image %s: version %u removed\n", name, number);
	} else {
		admin_event(NULL, NULL, "image remove %s", name);
		(void)printf("image %s: removed\n", name);
	}
	return output_status(STATUS_OK);
}

static bool use_version(const struct registry *registry, const char *name, uint32_t number,
			struct failure *why)
{
	_cleanup_close_ int lock = leftovers_lock(registry->state_images, "images", why);
	_cleanup_close_ int image = lock < 0 ? -1 : open_image(registry, name, why);

	return image >= 0 && image_version_check(image, number, why) &&
	       image_switch(image, number, why);
}

int run_image_use(const struct command *command, int argc, char **argv)
{
	struct context context;
	struct operands operands;
	struct failure why;
	uint32_t number;
	bool used;
	int status = options_parse(command, argc, argv, NULL, 0, 2, 2, &operands);

	if (status != STATUS_GO_ON)
		return status;
	if (!parse_version(operands.items[1], &number))
		return usage_error(command, "'%s' is no number of a version", operands.items[1]);
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	used = use_version(&context.registry, operands.items[0], number, &why);
	context_close(&context);
	if (!used)
		return complain("image %s: %s", operands.items[0], why.text);
	admin_event(NULL, NULL, "image use %s version %u", operands.items[0], number);
	(void)printf("image %s: the next start takes version %u\n", operands.items[0], number);
	return output_status(STATUS_OK);
}

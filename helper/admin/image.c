/* helper/admin/image.c - `carrel image`: the root file systems that policies can name. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/commands.h"
#include "helper/admin/context.h"
#include "helper/admin/image_store.h"
#include "helper/admin/leftovers.h"
#include "helper/admin/table.h"

static bool check_new_name(const struct registry *registry, const char *name, struct failure *why)
{
	if (!name_is_valid(name))
		return fail(why, FAILURE_REQUEST, 0,
			    "'%s' is no name for an image: use a-z, 0-9, '_', '.' and '-', with a "
			    "letter or '_' first",
			    name);
	if (strcmp(name, "host") == 0)
		return fail(why, FAILURE_REQUEST, 0,
			    "'host' always means this machine's own files");
	if (faccessat(registry->state_images, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return fail(
		    why, FAILURE_BUSY, 0,
		    "there is an image '%s' already: carrel image remove %s first, or import "
		    "under another name and change the policy",
		    name, name);
	return true;
}

/* Make the whole image in the directory `building`, which is not visible as one yet. */
static bool build_image(const struct registry *registry, int building, const char *source,
			struct tree_copy *counts, struct failure *why)
{
	struct image_info info = {.created_at = (uint64_t)time(NULL)};
	_cleanup_close_ int rootfs = -1;

	if (mkdirat(building, "rootfs", 0755) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make a directory for it");
	rootfs = openat(building, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (rootfs < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open its directory");
	if (!image_fill(registry, rootfs, source, counts, why) || !image_check(rootfs, why))
		return false;
	(void)snprintf(info.source, sizeof(info.source), "%s", source);
	if (!image_info_write(building, &info, why))
		return false;
	/* A crash after the rename must not leave an image with empty files in it. */
	if (syncfs(rootfs) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot write it to disk");
	return true;
}

static bool import(const struct registry *registry, const char *name, const char *source,
		   struct tree_copy *counts, struct failure *why)
{
	char temporary[LEFTOVER_NAME_MAX];
	_cleanup_close_ int lock = leftovers_lock(registry->state_images, "images", why);
	_cleanup_close_ int building = -1;
	struct failure ignored;
	bool built;

	if (lock < 0 || !check_new_name(registry, name, why) ||
	    !leftovers_clear(registry->state_images, false, NULL, NULL, why) ||
	    !leftover_name(LEFTOVER_NEW, name, temporary, why))
		return false;
	if (mkdirat(registry->state_images, temporary, 0700) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make a directory for it");
	building = dir_open_at(registry->state_images, temporary, false);
	built = building >= 0 ? build_image(registry, building, source, counts, why)
			      : fail(why, FAILURE_SYSTEM, errno, "cannot open its directory");
	if (built && renameat2(registry->state_images, temporary, registry->state_images, name,
			       RENAME_NOREPLACE) < 0)
		built = fail(why, FAILURE_SYSTEM, errno, "cannot give it its name");
	if (!built)
		(void)tree_remove_at(registry->state_images, temporary, &ignored);
	else
		(void)fsync(lock);
	return built;
}

static void tell_left_out(const char *path, const char *what)
{
	(void)complain("left out: %s: %s", path, what);
}

int run_image_import(const struct command *command, int argc, char **argv)
{
	struct tree_copy counts = {.tell = tell_left_out};
	struct context context;
	struct operands operands;
	struct failure why;
	char human[16];
	bool imported;
	int status = options_parse(command, argc, argv, NULL, 0, 2, 2, &operands);

	if (status != STATUS_GO_ON)
		return status;
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	imported = import(&context.registry, operands.items[0], operands.items[1], &counts, &why);
	context_close(&context);
	if (!imported)
		return complain("image %s: %s", operands.items[0], why.text);
	admin_event(NULL, NULL, "image import %s from %s", operands.items[0], operands.items[1]);
	format_bytes(counts.bytes, human);
	(void)printf("image %s: %" PRIu64 " files in %" PRIu64 " directories", operands.items[0],
		     counts.files, counts.directories);
	if (counts.bytes)
		(void)printf(", %s", human);
	if (counts.left_out)
		(void)printf(", %" PRIu64 " left out", counts.left_out);
	(void)printf("\n");
	return output_status(STATUS_OK);
}

static bool add_image(const struct registry *registry, const char *name, struct table *table,
		      struct json *json, struct failure *why)
{
	struct image_info info;
	char created[32], users[512], used[24];
	size_t count;

	image_info_read(registry, name, &info);
	if (!image_users(registry, name, &count, users, sizeof(users), why))
		return false;
	if (json) {
		json_object_begin(json, NULL);
		json_string(json, "name", name);
		json_number(json, "created_at", info.created_at);
		json_string(json, "source", info.source);
		json_number(json, "containers", count);
		json_object_end(json);
		return true;
	}
	format_time(info.created_at, created);
	(void)snprintf(used, sizeof(used), "%zu", count);
	table_add(table,
		  (const char *const[]){name, created, used, *info.source ? info.source : NULL});
	return true;
}

static int print_images(const struct registry *registry, bool as_json, bool no_header)
{
	static const struct table_column columns[] = {
	    {"NAME", false}, {"CREATED", false}, {"CONTAINERS", true}, {"FROM", false}};
	struct json json = {0};
	struct table table;
	struct failure why;
	char **names;
	size_t count;
	int status = STATUS_OK;

	if (!image_names(registry, &names, &count, &why))
		return complain("%s", why.text);
	table_init(&table, columns, ARRAY_LENGTH(columns));
	json_array_begin(&json, NULL);
	for (size_t i = 0; i < count; i++) {
		if (!add_image(registry, names[i], &table, as_json ? &json : NULL, &why))
			status = complain("%s: %s", names[i], why.text);
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

static bool may_remove(const struct context *context, const char *name, struct failure *why)
{
	char users[256];
	size_t count;

	if (!name_is_valid(name) ||
	    faccessat(context->registry.state_images, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(why, FAILURE_MISSING, 0,
			    "there is no such image; see carrel image list");
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

static int remove_image(const struct context *context, const char *name, bool yes)
{
	_cleanup_close_ int lock = -1;
	struct failure why;

	lock = leftovers_lock(context->registry.state_images, "images", &why);
	if (lock < 0 || !may_remove(context, name, &why))
		return complain("image %s: %s", name, why.text);
	if (!yes && !confirm("Remove image %s?", name))
		return STATUS_FAILED;
	if (!remove_by_renaming(context->registry.state_images, name, &why) ||
	    !leftovers_clear(context->registry.state_images, false, NULL, NULL, &why))
		return complain("image %s: %s", name, why.text);
	admin_event(NULL, NULL, "image remove %s", name);
	(void)printf("image %s: removed\n", name);
	return output_status(STATUS_OK);
}

int run_image_remove(const struct command *command, int argc, char **argv)
{
	bool yes = false;
	const struct option_spec specs[] = {{.name = "yes", .letter = 'y', .flag = &yes}};
	struct context context;
	struct operands operands;
	struct failure why;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 1, 1, &operands);

	if (status != STATUS_GO_ON)
		return status;
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	status = remove_image(&context, operands.items[0], yes);
	context_close(&context);
	return status;
}

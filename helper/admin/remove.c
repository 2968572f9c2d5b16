/* helper/admin/remove.c - `carrel remove`: a container and all its data. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/commands.h"
#include "helper/admin/containers.h"
#include "helper/admin/leftovers.h"
#include "helper/admin/snapshots.h"

#define LOCK_PATIENCE_MS 5000

/* Whose it is and whether it runs. A record that cannot be read must not keep its data for ever. */
static bool find(const struct context *context, const char *name, struct container_info *info,
		 struct failure *why)
{
	_cleanup_close_ int data = -1, snapshots = -1;
	struct failure missing;

	if (container_info_load(context, name, info, why))
		return true;
	if (!name_is_valid(name))
		return false;
	data = registry_state_dir(&context->registry, name, false, &missing);
	snapshots = registry_snapshots_dir(&context->registry, name, false, &missing);
	if (data < 0 && snapshots < 0)
		return false;
	(void)complain("%s: %s", name, why->text);
	return true;
}

static const char *count_snapshots(const struct context *context, const char *name, char text[48])
{
	_cleanup_free_ struct snapshot *list = NULL;
	struct failure ignored;
	size_t count = 0;

	text[0] = '\0';
	if (snapshots_load(&context->registry, name, &list, &count, &ignored) && count)
		(void)snprintf(text, 48, ", with %zu snapshot%s", count, count == 1 ? "" : "s");
	return text;
}

static bool may_remove(const struct context *context, const struct container_info *info,
		       const char *name)
{
	const char *user = container_user(info);
	char snapshots[48];

	return confirm("Remove container %s of %s and all its data%s?%s", name,
		       *user ? user : "an unknown user", count_snapshots(context, name, snapshots),
		       info->init >= 0 ? " It is running and will be stopped." : "");
}

/*
 * First of all: a container without its snapshots can be removed once more, and snapshots without a
 * container would be found by the next one of that name.
 */
static bool remove_snapshots(const struct context *context, const char *name, struct failure *why)
{
	_cleanup_close_ int all = dir_open_at(context->registry.state, "snapshots", true);
	_cleanup_close_ int lock = -1;

	if (all < 0)
		return errno == ENOENT ||
		       fail(why, FAILURE_SYSTEM, errno, "cannot open the snapshots");
	lock = leftovers_lock(all, "snapshots", why);
	if (lock < 0)
		return false;
	return remove_by_renaming(all, name, why) || why->kind == FAILURE_MISSING;
}

static bool is_unused_since(const struct context *context, const char *name, uint64_t when,
			    struct failure *why)
{
	struct stored_record stored;

	return registry_stored(&context->registry, name, &stored, why) &&
	       (stored.last_used_at == when ||
		fail(why, FAILURE_BUSY, 0, "it was used meanwhile; nothing is removed"));
}

bool container_remove_data(const struct context *context, const char *name,
			   const uint64_t *unused_since, struct failure *why)
{
	_cleanup_close_ int lock = registry_lock(&context->registry, name, LOCK_PATIENCE_MS, why);
	_cleanup_close_ int store = -1, init = -1;
	struct running_record record;

	if (lock < 0 || !registry_running(&context->registry, name, &record, &init, why))
		return false;
	if (init >= 0)
		return fail(why, FAILURE_BUSY, 0,
			    "it was started again meanwhile; nothing is removed");
	if (unused_since && !is_unused_since(context, name, *unused_since, why))
		return false;
	store = leftovers_lock(context->registry.state_containers, "stored containers", why);
	if (store < 0 ||
	    !leftovers_clear(context->registry.state_containers, false, NULL, NULL, why) ||
	    !remove_snapshots(context, name, why))
		return false;
	if (faccessat(context->registry.state_containers, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT)
		return true;
	return remove_by_renaming(context->registry.state_containers, name, why);
}

static int remove_found(const struct context *context, const struct container_info *info,
			const char *name, bool yes)
{
	char *names[] = {(char *)(uintptr_t)name};
	struct failure why;

	if (!yes && !may_remove(context, info, name))
		return STATUS_FAILED;
	if (info->init >= 0 && containers_stop(context, names, 1, NULL) != STATUS_OK)
		return STATUS_FAILED;
	if (!container_remove_data(context, name, NULL, &why))
		return complain("%s: %s", name, why.text);
	admin_event(name, container_user(info), "remove");
	(void)printf("%s: removed\n", name);
	return output_status(STATUS_OK);
}

static int remove_container(const struct context *context, const char *name, bool yes)
{
	struct container_info info;
	struct failure why;
	int status;

	if (!find(context, name, &info, &why))
		return complain("%s: %s", name, why.text);
	status = remove_found(context, &info, name, yes);
	container_info_close(&info);
	return status;
}

int run_remove(const struct command *command, int argc, char **argv)
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
	status = remove_container(&context, operands.items[0], yes);
	context_close(&context);
	return status;
}

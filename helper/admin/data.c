/* helper/admin/data.c - have a container's data to oneself for a command. */
#include "helper/admin/data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/snapshots.h"
#include "helper/container/thaw.h"

#define LOCK_PATIENCE_MS 5000

static bool open_folders(struct data *data, bool may_be_new, struct failure *why)
{
	const struct registry *registry = &data->context->registry;

	data->store.folder = registry_state_dir(registry, data->name, false, why);
	if (data->store.folder < 0 && why->kind != FAILURE_MISSING)
		return false;
	data->snapshots = registry_snapshots_dir(registry, data->name, false, why);
	if (data->snapshots < 0 && why->kind != FAILURE_MISSING)
		return false;
	if (data->store.folder >= 0 &&
	    !stored_read_at(data->store.folder, data->name, &data->store.record, why))
		return false;
	return data->store.record.version || may_be_new ||
	       fail(why, FAILURE_MISSING, 0, "there is no container of that name");
}

/* What an earlier command was killed in, each step of which knows how to be done again. */
static bool settle(struct data *data, struct failure *why)
{
	if (!container_thaw(&data->context->registry, &data->context->layout, data->name,
			    data->running.pool, why))
		return false;
	if (data->store.folder >= 0 && !snapshots_settle(data, why))
		return false;
	return data->store.record.version == 0 || layer_tidy(&data->store, why);
}

bool data_open(const struct context *context, const char *name, bool may_be_new, struct data *data,
	       struct failure *why)
{
	bool cleared;

	*data = (struct data){.context = context,
			      .name = name,
			      .lock = -1,
			      .init = -1,
			      .store.folder = -1,
			      .snapshots = -1};
	if (!name_is_valid(name))
		return fail(why, FAILURE_MISSING, 0,
			    may_be_new ? "that cannot be the name of a container"
				       : "there is no container of that name");
	(void)snprintf(data->path, sizeof(data->path), "%s/containers/%s",
		       context->config->state_dir, name);
	data->store.path = data->path;
	/* A process that outlived its container would still be writing. */
	if (!container_clear(context, name, false, &cleared, why))
		return false;
	data->lock = registry_lock(&context->registry, name, LOCK_PATIENCE_MS, why);
	if (data->lock >= 0 &&
	    registry_running(&context->registry, name, &data->running, &data->init, why) &&
	    open_folders(data, may_be_new, why) && settle(data, why))
		return true;
	data_close(data);
	return false;
}

void data_close(struct data *data)
{
	int *all[] = {&data->snapshots, &data->store.folder, &data->init, &data->lock};

	for (size_t i = 0; i < ARRAY_LENGTH(all); i++) {
		cleanup_close(all[i]);
		*all[i] = -1;
	}
}

bool data_need_stopped(const struct data *data, const char *what, struct failure *why)
{
	return data->init < 0 ||
	       fail(why, FAILURE_BUSY, 0, "is running, and %s: stop it first ('carrel stop %s')",
		    what, data->name);
}

bool data_is_running(const struct context *context, const char *name)
{
	struct running_record record;
	_cleanup_close_ int init = -1;
	struct failure ignored;

	return name_is_valid(name) &&
	       registry_running(&context->registry, name, &record, &init, &ignored) && init >= 0;
}

static bool is_held(const struct registry *registry, const char *name)
{
	_cleanup_close_ int dir = dir_open_at(registry->run_containers, name, true);

	return dir >= 0 && faccessat(dir, FROZEN_MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool data_is_unsettled(const struct context *context, const char *name)
{
	struct failure ignored;
	_cleanup_close_ int folder = registry_state_dir(&context->registry, name, false, &ignored);
	_cleanup_close_ int snapshots =
	    registry_snapshots_dir(&context->registry, name, false, &ignored);

	return is_held(&context->registry, name) || snapshots_are_unsettled(folder, snapshots) ||
	       (folder >= 0 && layer_is_untidy(folder));
}

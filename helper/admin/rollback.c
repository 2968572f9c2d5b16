/* helper/admin/rollback.c - `carrel rollback`: the state of a snapshot in place of today's. */
#include <stdio.h>
#include <string.h>

#include "helper/admin/commands.h"
#include "helper/admin/snapshots.h"

struct wish {
	const char *name, *label;
	bool yes, stop, discard;
};

/* What was changed of one image makes little sense on top of another: say so, leave it to them. */
static void tell_differences(const struct data *data, const struct stored_record *then)
{
	const struct stored_record *now = &data->store.record;

	if (strcmp(now->image, then->image) != 0)
		(void)complain("%s: the snapshot was taken with image '%s', and the container was "
			       "last used with '%s': changes to system files may not fit",
			       data->name, then->image, now->image);
	if (strcmp(now->policy, then->policy) != 0)
		(void)complain("%s: the snapshot was taken under policy '%s', and the container "
			       "was last used under '%s'",
			       data->name, then->policy, now->policy);
	if (*now->storage && *then->storage && strcmp(now->storage, then->storage) != 0)
		(void)complain("%s: the snapshot is stored as '%s', and the container as '%s'; the "
			       "next login is refused if its policy cannot do with that",
			       data->name, then->storage, now->storage);
}

/* Whose container it is does not change, and a state may be from when nothing had been recorded. */
static struct stored_record merge(const struct stored_record *then, const struct stored_record *now)
{
	struct stored_record merged = *then;

	merged.created_at = now->created_at;
	merged.last_used_at = now->last_used_at;
	memcpy(merged.user, now->user, sizeof(merged.user));
	return merged;
}

static bool put_back(struct data *data, const struct store *from, const struct wish *wish,
		     char kept[LABEL_SIZE], struct failure *why)
{
	const struct stored_record record = merge(&from->record, &data->store.record);
	struct stage stage;
	bool done = stage_begin(data, wish->discard ? NULL : "before-rollback-", &stage, why) &&
		    layer_copy(from, stage.folder, why) &&
		    stored_write_at(stage.folder, data->name, &record, why) &&
		    stage_commit(data, &stage, why);

	(void)snprintf(kept, LABEL_SIZE, "%s", stage.label);
	stage_end(data, &stage);
	return done;
}

static bool roll_back(struct data *data, const struct wish *wish, char kept[LABEL_SIZE],
		      struct failure *why)
{
	char path[4096];
	struct store from;
	bool done;

	if (!data_need_stopped(data, "nobody may use data that is being replaced", why) ||
	    !snapshot_open(data, wish->label, &from, path, why))
		return false;
	tell_differences(data, &from.record);
	done = put_back(data, &from, wish, kept, why);
	cleanup_close(&from.folder);
	return done;
}

static int rollback(const struct context *context, const struct wish *wish)
{
	char *names[] = {(char *)(uintptr_t)wish->name};
	char kept[LABEL_SIZE] = "";
	struct failure why;
	struct data data;
	bool done;

	if (wish->stop && data_is_running(context, wish->name) &&
	    containers_stop(context, names, 1, NULL) != STATUS_OK)
		return STATUS_FAILED;
	if (!data_open(context, wish->name, false, &data, &why))
		return complain("%s: %s", wish->name, why.text);
	done = roll_back(&data, wish, kept, &why);
	if (done)
		admin_event(wish->name, data.store.record.user, "rollback to %s", wish->label);
	data_close(&data);
	if (!done)
		return complain("%s: %s", wish->name, why.text);
	(void)printf("%s: is as it was in snapshot %s", wish->name, wish->label);
	if (*kept)
		(void)printf("; the state before is snapshot %s", kept);
	(void)puts("");
	return output_status(STATUS_OK);
}

static bool may_roll_back(const struct wish *wish)
{
	return wish->yes ||
	       confirm("Put container %s back to snapshot '%s'? What is there now is %s.%s",
		       wish->name, wish->label,
		       wish->discard ? "lost" : "kept as a snapshot of its own",
		       wish->stop ? " It is stopped if it runs." : "");
}

int run_rollback(const struct command *command, int argc, char **argv)
{
	struct wish wish = {0};
	const struct option_spec specs[] = {
	    {.name = "yes", .letter = 'y', .flag = &wish.yes},
	    {.name = "stop", .flag = &wish.stop},
	    {.name = "discard", .flag = &wish.discard},
	};
	struct context context;
	struct operands operands;
	struct failure why;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 2, 2, &operands);

	if (status != STATUS_GO_ON)
		return status;
	wish.name = operands.items[0];
	wish.label = operands.items[1];
	if (!label_check(wish.label, &why))
		return usage_error(command, "%s", why.text);
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	status = may_roll_back(&wish) ? rollback(&context, &wish) : STATUS_FAILED;
	context_close(&context);
	return status;
}

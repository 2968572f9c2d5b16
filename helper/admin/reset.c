/* helper/admin/reset.c - `carrel reset`: a container as new, with or without what is in its home.
 */
#include <stdio.h>

#include "helper/admin/commands.h"
#include "helper/admin/framing.h"
#include "helper/admin/snapshots.h"

struct wish {
	bool yes, stop, all;
};

/* No layer, and no kind of storage: the next start makes and chooses both, as for a new container.
 */
static bool give_up_layer(struct data *data, struct failure *why)
{
	struct stored_record record = data->store.record;
	struct stage stage;
	bool done;

	record.storage[0] = '\0';
	done = stage_begin(data, NULL, &stage, why) &&
	       stored_write_at(stage.folder, data->name, &record, why) &&
	       stage_commit(data, &stage, why);
	stage_end(data, &stage);
	return done;
}

static int reset(const struct context *context, const char *name, const struct wish *wish)
{
	struct failure why;
	struct data data;
	bool done;

	if (!data_open(context, name, false, &data, &why))
		return complain("%s: %s", name, why.text);
	done = data_need_stopped(&data, "nobody may use data that is being removed", &why) &&
	       (wish->all ? give_up_layer(&data, &why) : layer_reset(&data.store, &why));
	if (done)
		admin_event(name, data.store.record.user, wish->all ? "reset --all" : "reset");
	data_close(&data);
	if (!done)
		return complain("%s: %s", name, why.text);
	(void)printf("%s: reset%s\n", name, wish->all ? "" : "; home is kept");
	return output_status(STATUS_OK);
}

static int stop_running(const struct context *context, const struct name_set *names)
{
	int status = STATUS_OK;

	for (size_t i = 0; i < names->count; i++)
		if (data_is_running(context, names->items[i]) &&
		    containers_stop(context, names->items + i, 1, NULL) != STATUS_OK)
			status = STATUS_FAILED;
	return status;
}

static bool may_reset(const struct name_set *names, const struct wish *wish)
{
	const char *what = wish->all ? "all data, home included" : "all data but home";

	if (wish->yes)
		return true;
	if (names->count == 1)
		return confirm("Remove %s of container %s? Snapshots are kept.%s", what,
			       names->items[0], wish->stop ? " It is stopped if it runs." : "");
	return confirm("Remove %s of these %zu containers (%s to %s)? Snapshots are kept.%s", what,
		       names->count, names->items[0], names->items[names->count - 1],
		       wish->stop ? " They are stopped if they run." : "");
}

static int reset_all(const struct context *context, const struct name_set *names, void *data)
{
	const struct wish *wish = data;
	int status = STATUS_OK;

	if (!may_reset(names, wish) || (wish->stop && stop_running(context, names) != STATUS_OK))
		return STATUS_FAILED;
	for (size_t i = 0; i < names->count; i++)
		if (reset(context, names->items[i], wish) != STATUS_OK)
			status = STATUS_FAILED;
	return status;
}

/* --all is not a way to choose here: it says that home goes, too. */
static bool is_sound(const struct selector *selector, size_t operands)
{
	return (operands > 0) + (selector->group != NULL) + (selector->policy != NULL) == 1;
}

int run_reset(const struct command *command, int argc, char **argv)
{
	struct wish wish = {0};
	struct selector selector = {0};
	const struct option_spec specs[] = {
	    {.name = "yes", .letter = 'y', .flag = &wish.yes},
	    {.name = "stop", .flag = &wish.stop},
	    {.name = "all", .flag = &wish.all},
	    SELECT_GROUP(&selector),
	    SELECT_POLICY(&selector),
	};
	struct operands names;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 0, OPERANDS_ANY, &names);

	if (status != STATUS_GO_ON)
		return status;
	if (!is_sound(&selector, names.count))
		return usage_error(command, "give names, --group or --policy, and only one of "
					    "them; --all says that home goes, too");
	return selection_work_on(&selector, &names, SELECT_EXISTING, reset_all, &wish);
}

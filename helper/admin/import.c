/* helper/admin/import.c - `carrel import`: the data of a container from an archive of export's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helper/admin/commands.h"
#include "helper/admin/export_head.h"
#include "helper/admin/snapshots.h"
#include "helper/admin/table.h"
#include "helper/storage/storage.h"

#define KEEP   "before-import-"
#define LAYOUT 1 /* of the layout of a layer, as helper/container/build.c writes it */

struct wish {
	const char *name, *policy;
	bool home_only, discard, stop, yes;
};

static void tell(const char *path, const char *what)
{
	char safe[4096];

	text_make_safe(path, safe, sizeof(safe));
	(void)complain("left out: %s: %s", safe, what);
}

static bool is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length]);
}

/* "home/x" as "./x": the new home is made under another name. False for what is not below home. */
static bool strip_home(char *path)
{
	if (!is_below(path, "home"))
		return false;
	path[0] = '.';
	memmove(path + 1, path + 4, strlen(path + 4) + 1);
	return true;
}

static bool make_member(struct tar_reader *reader, bool home_only, struct failure *why)
{
	struct tar_entry *entry = reader->entry;

	if (!is_below(entry->path, "home") && !is_below(entry->path, "upper") &&
	    !is_below(entry->path, "var-tmp"))
		return fail(why, FAILURE_DATA, 0,
			    "the archive has a member that no container has: %.200s", entry->path);
	if (home_only && !strip_home(entry->path))
		return tar_read_skip(reader, why);
	if (home_only && entry->type == TAR_LINK && !strip_home(entry->target))
		return fail(why, FAILURE_DATA, 0, "a file in the home is linked to one outside: %s",
			    entry->path);
	return tar_read_make(reader, why);
}

/* All members into `top`, a layer or a new home, and on disk. */
static bool read_members(struct tar_reader *reader, int top, bool home_only, struct failure *why)
{
	bool more;

	reader->top = top;
	while (tar_read_next(reader, &more, why)) {
		if (!more)
			return tar_read_finish(reader, why) &&
			       (syncfs(top) == 0 ||
				fail(why, FAILURE_SYSTEM, errno, "cannot sync the data"));
		if (!make_member(reader, home_only, why))
			return false;
	}
	return false;
}

static const struct policy *find_policy(const struct data *data, const struct wish *wish,
					const struct export_head *head, struct failure *why)
{
	const struct config *config = data->context->config;
	const char *name = wish->policy                 ? wish->policy
			   : data->store.record.version ? data->store.record.policy
							: head->stored.policy;
	const struct policy *policy = policy_by_name(config, name);

	if (!policy)
		(void)fail(why, FAILURE_POLICY, 0,
			   "there is no policy '%s', which says how the data are stored: name "
			   "another with --policy",
			   name);
	return policy;
}

/* The record of the container, or of the archive's for a new one. */
static struct stored_record make_record(const struct data *data, const struct export_head *head,
					const struct policy *policy)
{
	struct stored_record record =
	    data->store.record.version ? data->store.record : head->stored;

	record.version = LAYOUT;
	record.last_used_at = (uint64_t)time(NULL);
	record.storage[0] = '\0';
	(void)snprintf(record.policy, sizeof(record.policy), "%s", policy->name);
	memcpy(record.image, head->stored.image, sizeof(record.image));
	return record;
}

static bool fill_stage(struct data *data, struct tar_reader *reader, struct stage *stage,
		       const struct policy *policy, struct stored_record *record,
		       struct failure *why)
{
	_cleanup_close_ int mount = storage_open_at(stage->folder, stage->path, data->name,
						    data->context->config, policy, record, why);
	_cleanup_close_ int layer = -1;

	if (mount < 0)
		return false;
	layer = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (layer < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open %s", stage->path);
	return read_members(reader, layer, false, why);
}

static bool import_whole(struct data *data, struct tar_reader *reader, const struct wish *wish,
			 const struct export_head *head, char kept[LABEL_SIZE], struct failure *why)
{
	const struct policy *policy = find_policy(data, wish, head, why);
	struct stored_record record;
	struct stage stage;
	bool done;

	if (!policy)
		return false;
	record = make_record(data, head, policy);
	done = stage_begin(data, wish->discard ? NULL : KEEP, &stage, why) &&
	       fill_stage(data, reader, &stage, policy, &record, why) &&
	       stored_write_at(stage.folder, data->name, &record, why) &&
	       stage_commit(data, &stage, why);
	(void)snprintf(kept, LABEL_SIZE, "%s", done ? stage.label : "");
	stage_end(data, &stage);
	return done;
}

static bool import_home(struct data *data, struct tar_reader *reader, const struct wish *wish,
			char kept[LABEL_SIZE], struct failure *why)
{
	_cleanup_close_ int layer = layer_open(&data->store, why);
	_cleanup_close_ int home = -1;
	struct failure ignored;
	bool done;

	if (layer < 0)
		return false;
	if (!wish->discard) {
		label_of_now(KEEP, kept);
		if (!snapshot_take(data, kept, why))
			return false;
	}
	home = layer_stage_home(&data->store, layer, why);
	done = home >= 0 && read_members(reader, home, true, why) && layer_commit_home(layer, why);
	if (done)
		return layer_tidy(&data->store, why);
	(void)layer_tidy(&data->store, &ignored);
	if (!wish->discard) /* nothing has changed since */
		(void)snapshot_remove(data, kept, &ignored);
	return false;
}

static bool import(struct data *data, const struct wish *wish, char kept[LABEL_SIZE],
		   struct failure *why)
{
	struct tar_reader reader = {.fd = STDIN_FILENO, .is_layer = true, .tell = tell};
	struct export_head head;
	bool done;

	if (!data_need_stopped(data, "nobody may use data that is being replaced", why) ||
	    !tar_read_begin(&reader, why))
		return false;
	done = export_head_read(&reader, &head, why);
	if (done && head.home_only && !wish->home_only)
		done = fail(why, FAILURE_DATA, 0,
			    "the archive holds a home only: say --home-only to replace that");
	if (done && data->store.record.version &&
	    strcmp(data->store.record.user, head.stored.user) != 0)
		(void)complain("%s: the archive is of user '%s', whose files keep their numbers",
			       data->name, head.stored.user);
	done = done && (wish->home_only ? import_home(data, &reader, wish, kept, why)
					: import_whole(data, &reader, wish, &head, kept, why));
	tar_read_end(&reader);
	return done;
}

static int run(const struct context *context, const struct wish *wish)
{
	char kept[LABEL_SIZE] = "";
	struct failure why;
	struct data data;
	char user[sizeof(data.store.record.user)];
	bool done;

	if (!data_open(context, wish->name, !wish->home_only, &data, &why))
		return complain("%s: %s", wish->name, why.text);
	memcpy(user, data.store.record.user, sizeof(user));
	done = import(&data, wish, kept, &why);
	if (done)
		admin_event(wish->name, *user ? user : NULL, "import%s",
			    wish->home_only ? " of the home" : "");
	data_close(&data);
	if (!done) {
		char safe[sizeof(why.text) * 4];

		text_make_safe(why.text, safe, sizeof(safe));
		return complain("%s: %s; nothing is changed", wish->name, safe);
	}
	(void)printf("%s: imported", wish->name);
	if (*kept)
		(void)printf("; the state before is snapshot %s", kept);
	(void)puts("");
	return output_status(STATUS_OK);
}

static int stop_and_run(const struct context *context, const struct wish *wish)
{
	char *names[] = {(char *)(uintptr_t)wish->name};
	struct container_info info;
	struct failure ignored;

	if (container_info_load(context, wish->name, &info, &ignored)) {
		container_info_close(&info);
		if (!wish->yes && !confirm("Replace the %s of container %s?",
					   wish->home_only ? "home" : "data", wish->name))
			return STATUS_FAILED;
	}
	if (wish->stop && data_is_running(context, wish->name) &&
	    containers_stop(context, names, 1, NULL) != STATUS_OK)
		return STATUS_FAILED;
	return run(context, wish);
}

int run_import(const struct command *command, int argc, char **argv)
{
	struct wish wish = {0};
	const struct option_spec specs[] = {
	    {.name = "home-only", .flag = &wish.home_only},
	    {.name = "policy", .value = &wish.policy},
	    {.name = "discard", .flag = &wish.discard},
	    {.name = "stop", .flag = &wish.stop},
	    {.name = "yes", .letter = 'y', .flag = &wish.yes},
	};
	struct context context;
	struct operands operands;
	struct failure why;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 1, 1, &operands);

	if (status != STATUS_GO_ON)
		return status;
	wish.name = operands.items[0];
	if (wish.home_only && wish.policy)
		return usage_error(command, "--policy is for whole containers");
	if (isatty(STDIN_FILENO))
		return usage_error(command, "no archive comes from a terminal: add '< %s.tar'",
				   wish.name);
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	status = stop_and_run(&context, &wish);
	context_close(&context);
	return status;
}

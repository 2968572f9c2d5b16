/* helper/admin/export.c - `carrel export`: the data of a container as a tar archive. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/admin/commands.h"
#include "helper/admin/export_head.h"
#include "helper/admin/snapshots.h"
#include "helper/admin/table.h"

struct wish {
	const char *name, *label;
	bool home_only;
};

static void tell(const char *path, const char *what)
{
	char safe[4096];

	text_make_safe(path, safe, sizeof(safe));
	(void)complain("left out: %s: %s", safe, what);
}

/* Not `work`: overlayfs makes what it needs there. */
static bool write_layer(struct tar_writer *writer, int layer, bool home_only, struct failure *why)
{
	static const char *const folders[] = {"home", "upper", "var-tmp"};

	for (size_t i = 0; i < (home_only ? 1 : ARRAY_LENGTH(folders)); i++) {
		_cleanup_close_ int folder =
		    openat(layer, folders[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (folder < 0 && errno == ENOENT)
			continue;
		if (folder < 0)
			return fail(why, FAILURE_SYSTEM, errno, "cannot open '%s'", folders[i]);
		if (!tar_write_tree(writer, folder, folders[i], why))
			return false;
	}
	return true;
}

static bool write_archive(const struct wish *wish, const struct store *store, int layer,
			  struct failure *why)
{
	struct tar_writer writer = {.fd = STDOUT_FILENO, .is_layer = true, .tell = tell};
	struct export_head head = {.home_only = wish->home_only, .stored = store->record};
	bool written;

	(void)snprintf(head.container, sizeof(head.container), "%s", wish->name);
	written = tar_write_begin(&writer, why) && export_head_write(&writer, &head, why) &&
		  write_layer(&writer, layer, wish->home_only, why) &&
		  tar_write_finish(&writer, why);
	tar_write_end(&writer);
	/* A file server may tell only now that its disk is full; a pipe cannot be synced. */
	if (written && fsync(STDOUT_FILENO) < 0 && errno != EINVAL && errno != EROFS)
		return fail(why, FAILURE_SYSTEM, errno, "cannot write the archive");
	return written;
}

/* A snapshot does not change: its container may be used meanwhile. */
static bool export(struct data *data, const struct wish *wish, struct failure *why)
{
	struct store store = data->store;
	_cleanup_close_ int folder = -1, layer = -1;
	char path[4096];

	if (wish->label) {
		if (!snapshot_open(data, wish->label, &store, path, why))
			return false;
		folder = store.folder;
	} else if (data->init >= 0) {
		return fail(why, FAILURE_BUSY, 0,
			    "is running, and its data change as they are read: stop it first "
			    "('carrel stop %s'), or export a snapshot ('carrel snapshot %s now', "
			    "'carrel export --snapshot now %s')",
			    wish->name, wish->name, wish->name);
	}
	layer = layer_open(&store, why);
	if (layer < 0)
		return false;
	if (wish->label)
		data_close(data);
	return write_archive(wish, &store, layer, why);
}

static int run(const struct context *context, const struct wish *wish)
{
	struct failure why;
	struct data data;
	char user[sizeof(data.store.record.user)];
	bool done;

	if (!data_open(context, wish->name, false, &data, &why))
		return complain("%s: %s", wish->name, why.text);
	memcpy(user, data.store.record.user, sizeof(user));
	done = export(&data, wish, &why);
	if (done)
		admin_event(wish->name, user, "export%s%s%s", wish->home_only ? " of the home" : "",
			    wish->label ? " of snapshot " : "", wish->label ? wish->label : "");
	data_close(&data);
	return done ? STATUS_OK : complain("%s: %s", wish->name, why.text);
}

int run_export(const struct command *command, int argc, char **argv)
{
	struct wish wish = {0};
	const struct option_spec specs[] = {{.name = "home-only", .flag = &wish.home_only},
					    {.name = "snapshot", .value = &wish.label}};
	struct context context;
	struct operands operands;
	struct failure why;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 1, 1, &operands);

	if (status != STATUS_GO_ON)
		return status;
	wish.name = operands.items[0];
	if (wish.label && !label_check(wish.label, &why))
		return usage_error(command, "%s", why.text);
	if (isatty(STDOUT_FILENO))
		return usage_error(command, "an archive is nothing for a terminal: add '> %s.tar'",
				   wish.name);
	(void)signal(SIGPIPE, SIG_IGN);
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	status = run(&context, &wish);
	context_close(&context);
	return status;
}

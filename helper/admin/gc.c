/* helper/admin/gc.c - `carrel gc`: clear what dead containers and interrupted work left behind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "helper/admin/commands.h"
#include "helper/admin/data.h"
#include "helper/admin/expire.h"
#include "helper/admin/gc_traces.h"
#include "helper/admin/image_store.h"
#include "helper/admin/leftovers.h"
#include "helper/admin/table.h"

struct collection {
	bool dry_run, trust_clock;
	struct json *json; /* NULL: for a person */
	const char *kind;  /* of what is being looked at */
	size_t count;
};

static void tell(void *context, const char *name)
{
	struct collection *collection = context;

	collection->count++;
	if (!collection->json) {
		(void)printf("%s %s: %s\n", collection->kind, name,
			     collection->dry_run ? "would be cleared" : "cleared");
		return;
	}
	json_object_begin(collection->json, NULL);
	json_string(collection->json, "kind", collection->kind);
	json_string(collection->json, "name", name);
	json_bool(collection->json, "cleared", !collection->dry_run);
	json_object_end(collection->json);
}

static int clear_containers(const struct context *context, struct collection *collection)
{
	struct failure why;
	char **names;
	size_t count;
	int status = STATUS_OK;

	if (!registry_names(&context->registry, &names, &count, &why))
		return complain("%s", why.text);
	collection->kind = "container";
	for (size_t i = 0; i < count; i++) {
		bool cleared;

		if (!container_clear(context, names[i], collection->dry_run, &cleared, &why))
			status = complain("%s: %s", names[i], why.text);
		else if (cleared)
			tell(collection, names[i]);
		free(names[i]);
	}
	free(names);
	return status;
}

/* What commands on data were killed in; one that is at work now has the lock, and is left alone. */
static int settle_data(const struct context *context, struct collection *collection)
{
	struct failure why;
	char **names;
	size_t count;
	int status = STATUS_OK;

	if (!registry_names(&context->registry, &names, &count, &why))
		return complain("%s", why.text);
	collection->kind = "interrupted work on";
	for (size_t i = 0; i < count; i++) {
		if (data_is_unsettled(context, names[i])) {
			struct data data = {.lock = -1};

			if (collection->dry_run) {
				tell(collection, names[i]);
			} else if (data_open(context, names[i], true, &data, &why)) {
				tell(collection, names[i]);
				data_close(&data);
			} else if (why.kind != FAILURE_BUSY) {
				status = complain("%s: %s", names[i], why.text);
			}
		}
		free(names[i]);
	}
	free(names);
	return status;
}

static int clear_directory(int dir, const char *kind, const char *what,
			   struct collection *collection)
{
	struct failure why;
	_cleanup_close_ int lock = leftovers_lock(dir, what, &why);

	/* Somebody who is at work there now has cleared it first. */
	if (lock < 0 && why.kind == FAILURE_BUSY)
		return STATUS_OK;
	collection->kind = kind;
	if (lock < 0 || !leftovers_clear(dir, collection->dry_run, tell, collection, &why))
		return complain("%s: %s", what, why.text);
	return STATUS_OK;
}

static int clear_snapshots(const struct context *context, struct collection *collection)
{
	_cleanup_close_ int all = dir_open_at(context->registry.state, "snapshots", true);

	return all < 0 ? STATUS_OK
		       : clear_directory(all, "removed snapshots", "snapshots", collection);
}

static void tell_image(void *context, const char *kind, const char *name)
{
	struct collection *collection = context;

	collection->kind = kind;
	tell(collection, name);
}

static int clear_images(const struct context *context, struct collection *collection)
{
	struct failure why;

	if (images_clear_unused(&context->registry, collection->dry_run, tell_image, collection,
				&why))
		return STATUS_OK;
	return complain("images: %s", why.text);
}

static int clear_traces(const struct context *context, struct collection *collection)
{
	struct failure why;

	collection->kind = "cgroup";
	traces_clear_cgroups(context, collection->dry_run, tell, collection);
	collection->kind = "run-time folder";
	if (traces_clear_folders(context, collection->dry_run, tell, collection, &why))
		return STATUS_OK;
	return complain("%s", why.text);
}

static void print_expiry(const struct collection *collection, const struct expire_news *news)
{
	char unused[48], when[32];

	policy_duration_format(news->unused_seconds, unused);
	format_time(news->when, when);
	if (news->verdict == EXPIRE_REMOVE)
		(void)printf("expired data %s: unused for %s, %s\n", news->name, unused,
			     collection->dry_run ? "would be removed" : "removed");
	else
		(void)printf("expiring data %s: unused for %s, removed by a run after %s unless it "
			     "is used\n",
			     news->name, unused, when);
}

static void tell_expiry(void *context, const struct expire_news *news)
{
	struct collection *collection = context;
	bool removed = news->verdict == EXPIRE_REMOVE;

	if (removed)
		collection->count++;
	if (!collection->json) {
		print_expiry(collection, news);
		return;
	}
	json_object_begin(collection->json, NULL);
	json_string(collection->json, "kind", removed ? "expired data" : "expiring data");
	json_string(collection->json, "name", news->name);
	json_bool(collection->json, "cleared", removed && !collection->dry_run);
	json_number(collection->json, "unused_seconds", news->unused_seconds);
	json_number(collection->json, "removed_after", news->when);
	json_object_end(collection->json);
}

static int collect(const struct context *context, struct collection *collection)
{
	int status = clear_containers(context, collection);

	if (clear_directory(context->registry.state_containers, "removed data", "stored containers",
			    collection) != STATUS_OK)
		status = STATUS_FAILED;
	if (settle_data(context, collection) != STATUS_OK ||
	    clear_snapshots(context, collection) != STATUS_OK)
		status = STATUS_FAILED;
	if (clear_images(context, collection) != STATUS_OK ||
	    expire_all(context, collection->dry_run, collection->trust_clock, tell_expiry,
		       collection) != STATUS_OK)
		status = STATUS_FAILED;
	/* Last: what was removed above may leave a folder here. */
	if (clear_traces(context, collection) != STATUS_OK)
		status = STATUS_FAILED;
	return status;
}

int run_gc(const struct command *command, int argc, char **argv)
{
	bool as_json = false, dry_run = false, trust_clock = false;
	const struct option_spec specs[] = {{.name = "json", .flag = &as_json},
					    {.name = "dry-run", .letter = 'n', .flag = &dry_run},
					    {.name = "trust-clock", .flag = &trust_clock}};
	struct json json = {0};
	struct collection collection = {0};
	struct context context;
	struct operands operands;
	struct failure why;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 0, 0, &operands);

	if (status != STATUS_GO_ON)
		return status;
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	collection = (struct collection){
	    .dry_run = dry_run, .trust_clock = trust_clock, .json = as_json ? &json : NULL};
	json_array_begin(&json, NULL);
	status = collect(&context, &collection);
	json_array_end(&json);
	if (as_json && json_print(&json) != STATUS_OK)
		status = STATUS_FAILED;
	json_free(&json);
	context_close(&context);
	if (collection.count && !dry_run)
		admin_event(NULL, NULL, "gc: %zu cleared", collection.count);
	return output_status(status);
}

/* helper/admin/quota.c - `carrel quota`: what containers use of what they may use. */
#include <stdio.h>

#include "helper/admin/commands.h"
#include "helper/admin/containers.h"
#include "helper/admin/framing.h"
#include "helper/admin/inside.h"
#include "helper/admin/quota_view.h"

struct view {
	struct listing listing;
	const struct context *context;
	struct quota_style style;
	bool all;
	size_t shown;
};

static void show(const struct container_status *status, struct view *view)
{
	if (view->listing.as_json) {
		quota_write(status, &view->listing.json);
		return;
	}
	if (view->shown++)
		(void)putchar('\n');
	quota_print(status, &view->style, stdout);
}

static void take(const struct container_info *info, void *data)
{
	struct view *view = data;
	struct container_status status;

	container_info_status(view->context, info, &status);
	show(&status, view);
}

static int show_named(const struct context *context, const struct operands *patterns, void *data)
{
	struct view *view = data;
	struct names names;
	int status;

	status = names_find(context, patterns, &names);
	view->context = context;
	listing_begin(&view->listing, NULL, 0);
	if (containers_load(context, names.items, names.count, DETAIL_ALL, take, view) != STATUS_OK)
		status = STATUS_FAILED;
	names_free(&names);
	return listing_end(&view->listing, status);
}

static int show_own(struct view *view)
{
	struct container_status status;
	struct failure why;

	if (!inside_status(&status, &why))
		return complain("%s", why.text);
	listing_begin(&view->listing, NULL, 0);
	show(&status, view);
	return listing_end(&view->listing, STATUS_OK);
}

int run_quota(const struct command *command, int argc, char **argv)
{
	struct view view = {0};
	const struct option_spec specs[] = {
	    {.name = "json", .flag = &view.listing.as_json},
	    {.name = "all", .letter = 'a', .flag = &view.all},
	};
	struct operands names;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 0, OPERANDS_ANY, &names);

	if (status != STATUS_GO_ON)
		return status;
	quota_style_find(stdout, &view.style);
	if (is_inside() && !view.all && names.count == 0)
		return show_own(&view);
	status = require_root(command);
	if (status != STATUS_GO_ON)
		return status;
	if (view.all == (names.count > 0))
		return usage_error(command, "give names, or --all, and not both");
	return command_work_on(&names, show_named, &view);
}

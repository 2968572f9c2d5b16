/* helper/admin/quota.c - `carrel quota`: what containers use of what they may use. */
#include <stdio.h>

#include "helper/admin/commands.h"
#include "helper/admin/containers.h"
#include "helper/admin/framing.h"
#include "helper/admin/inside.h"
#include "helper/admin/quota_view.h"
#include "helper/admin/select.h"

struct view {
	struct listing listing;
	const struct context *context;
	struct quota_style style;
	struct selector selector;
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

static int show_chosen(const struct context *context, const struct operands *named, void *data)
{
	_cleanup_names_ struct name_set set = {0};
	struct view *view = data;
	int status = select_containers(context, &view->selector, named, SELECT_EXISTING, &set);

	if (status != STATUS_GO_ON)
		return status;
	if (set.count == 0 && !view->listing.as_json)
		select_tell_none(&view->selector, SELECT_EXISTING);
	view->context = context;
	listing_begin(&view->listing, NULL, 0);
	status = containers_load(context, set.items, set.count, DETAIL_ALL, take, view);
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
	    SELECT_GROUP(&view.selector),
	    SELECT_POLICY(&view.selector),
	    SELECT_ALL(&view.selector),
	};
	struct operands names;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 0, OPERANDS_ANY, &names);

	if (status != STATUS_GO_ON)
		return status;
	quota_style_find(stdout, &view.style);
	if (is_inside() && !selector_is_sound(&view.selector, names.count))
		return show_own(&view);
	status = require_root(command);
	if (status != STATUS_GO_ON)
		return status;
	if (!selector_is_sound(&view.selector, names.count))
		return usage_error(command, SELECT_ONE_WAY);
	return command_work_on(&names, show_chosen, &view);
}

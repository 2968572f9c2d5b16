/* helper/admin/quota_apply_command.c - `carrel quota apply`: today's limits for what runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/admin/commands.h"
#include "helper/admin/containers.h"
#include "helper/admin/framing.h"
#include "helper/admin/quota_apply.h"
#include "helper/admin/select.h"

static int apply_to(const struct context *context, const char *name)
{
	struct failure why;
	char changes[512];

	if (!quota_apply(context, name, changes, sizeof(changes), &why))
		return complain("%s: %s", name, why.text);
	(void)printf("%s: %s\n", name, *changes ? changes : "nothing to change");
	if (*changes)
		admin_event(name, NULL, "quota apply: %s", changes);
	return STATUS_OK;
}

static int apply(const struct context *context, const struct operands *named, void *data)
{
	const struct selector *selector = data;
	_cleanup_names_ struct name_set set = {0};
	int status;

	if (context->policy_trouble.kind != FAILURE_NONE)
		return complain("nothing is changed while the policies are broken");
	status = select_containers(context, selector, named, SELECT_RUNNING, &set);
	if (status != STATUS_GO_ON)
		return status;
	if (set.count == 0)
		select_tell_none(selector, SELECT_RUNNING);
	status = STATUS_OK;
	for (size_t i = 0; i < set.count; i++)
		if (apply_to(context, set.items[i]) != STATUS_OK)
			status = STATUS_FAILED;
	return output_status(status);
}

int run_quota_apply(const struct command *command, int argc, char **argv)
{
	struct selector selector = {0};
	const struct option_spec specs[] = {
	    SELECT_GROUP(&selector),
	    SELECT_POLICY(&selector),
	    SELECT_ALL(&selector),
	};
	struct operands names;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 0, OPERANDS_ANY, &names);

	if (status != STATUS_GO_ON)
		return status;
	if (!selector_is_sound(&selector, names.count))
		return usage_error(command, SELECT_ONE_WAY);
	return command_work_on(&names, apply, &selector);
}

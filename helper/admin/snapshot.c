/* helper/admin/snapshot.c - `carrel snapshot`: keep the state that a container has now. */
#include <stdio.h>

#include "helper/admin/commands.h"
#include "helper/admin/snapshots.h"

static int take(const struct context *context, const char *name, const char *label)
{
	struct failure why;
	struct data data;
	bool taken;

	if (!data_open(context, name, false, &data, &why))
		return complain("%s: %s", name, why.text);
	taken = snapshot_take(&data, label, &why);
	if (taken)
		admin_event(name, data.store.record.user, "snapshot %s", label);
	data_close(&data);
	if (!taken)
		return complain("%s: %s", name, why.text);
	(void)printf("%s: snapshot %s taken\n", name, label);
	return output_status(STATUS_OK);
}

int run_snapshot(const struct command *command, int argc, char **argv)
{
	char label[LABEL_SIZE];
	struct context context;
	struct operands operands;
	struct failure why;
	int status = options_parse(command, argc, argv, NULL, 0, 1, 2, &operands);

	if (status != STATUS_GO_ON)
		return status;
	label_of_now("", label);
	if (operands.count == 2) {
		if (!label_check(operands.items[1], &why))
			return usage_error(command, "%s", why.text);
		(void)snprintf(label, sizeof(label), "%s", operands.items[1]);
	}
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	status = take(&context, operands.items[0], label);
	context_close(&context);
	return status;
}

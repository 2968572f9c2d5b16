/* helper/admin/message.c - `carrel message`: write to every terminal of a container. */
#include <stdio.h>
#include <string.h>

#include "helper/admin/commands.h"
#include "helper/admin/containers.h"

/* The words of the command line with blanks between them. False when they do not fit. */
static bool join_words(char *const *words, size_t count, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		int length = snprintf(out + used, size - used, "%s%s", i ? " " : "", words[i]);

		if (length < 0 || (size_t)length >= size - used)
			return false;
		used += (size_t)length;
	}
	return used > 0;
}

int run_message(const struct command *command, int argc, char **argv)
{
	struct control_request request = {.version = CONTROL_VERSION, .verb = CONTROL_MESSAGE};
	struct control_answer answer;
	struct context context;
	struct operands operands;
	struct failure why;
	const char *name;
	int status = options_parse(command, argc, argv, NULL, 0, 2, OPERANDS_ANY, &operands);

	if (status != STATUS_GO_ON)
		return status;
	name = operands.items[0];
	if (!join_words(operands.items + 1, operands.count - 1, request.text, sizeof(request.text)))
		return usage_error(command, "the text must have 1 to %zu bytes",
				   sizeof(request.text) - 1);
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	if (!name_is_valid(name))
		status = complain("%s: there is no container of that name", name);
	else if (control_call(&context.registry, name, &request, &answer, NULL, NULL, &why))
		status = STATUS_OK;
	else
		status = complain("%s: %s", name, why.text);
	context_close(&context);
	if (status == STATUS_OK)
		admin_event(name, NULL, "message: %s", request.text);
	return status;
}

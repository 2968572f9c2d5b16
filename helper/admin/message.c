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

static int send_message(const struct context *context, const char *name,
			const struct control_request *request)
{
	struct container_info info;
	struct control_answer answer;
	struct failure why;
	int status = STATUS_OK;

	if (!container_info_load(context, name, &info, &why))
		return complain("%s: %s", name, why.text);
	if (info.init < 0)
		status = complain("%s: is not running", name);
	else if (!control_call(&context->registry, name, request, &answer, NULL, NULL, &why))
		status = complain("%s: %s", name, why.text);
	else
		admin_event(name, container_user(&info), "message: %s", request->text);
	container_info_close(&info);
	return status;
}

int run_message(const struct command *command, int argc, char **argv)
{
	struct control_request request = {.version = CONTROL_VERSION, .verb = CONTROL_MESSAGE};
	struct context context;
	struct operands operands;
	struct failure why;
	int status = options_parse(command, argc, argv, NULL, 0, 2, OPERANDS_ANY, &operands);

	if (status != STATUS_GO_ON)
		return status;
	if (!join_words(operands.items + 1, operands.count - 1, request.text, sizeof(request.text)))
		return usage_error(command, "the text must have 1 to %zu bytes",
				   sizeof(request.text) - 1);
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	status = send_message(&context, operands.items[0], &request);
	context_close(&context);
	return status;
}

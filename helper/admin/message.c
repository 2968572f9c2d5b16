/* helper/admin/message.c - `carrel message`: write to every terminal of a container. */
#include <stdio.h>
#include <string.h>

#include "helper/admin/commands.h"
#include "helper/admin/containers.h"
#include "helper/admin/framing.h"

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
	else if (info.frozen)
		status = complain("%s: is frozen: 'carrel thaw %s' lets it go on", name, name);
	else if (!control_call(&context->registry, name, request, &answer, NULL, NULL, &why))
		status = complain("%s: %s", name, why.text);
	else
		admin_event(name, container_user(&info), "message: %s", request->text);
	container_info_close(&info);
	return status;
}

static int send_to_all(const struct context *context, const struct name_set *set, void *data)
{
	int status = STATUS_OK;

	for (size_t i = 0; i < set->count; i++)
		if (send_message(context, set->items[i], data) != STATUS_OK)
			status = STATUS_FAILED;
	return status;
}

int run_message(const struct command *command, int argc, char **argv)
{
	struct control_request request = {.version = CONTROL_VERSION, .verb = CONTROL_MESSAGE};
	struct selector selector = {0};
	const struct option_spec specs[] = {
	    SELECT_GROUP(&selector),
	    SELECT_POLICY(&selector),
	    SELECT_ALL(&selector),
	};
	_cleanup_names_ struct name_set named = {0};
	struct operands operands;
	size_t first;
	int status = options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 1, OPERANDS_ANY,
				   &operands);

	if (status != STATUS_GO_ON)
		return status;
	/* Without an option the first word names the containers. */
	first = selector_is_sound(&selector, 0) ? 0 : 1;
	if (!selector_is_sound(&selector, first))
		return usage_error(command, SELECT_ONE_WAY);
	if (!join_words(operands.items + first, operands.count - first, request.text,
			sizeof(request.text)))
		return usage_error(command, "the text must have 1 to %zu bytes",
				   sizeof(request.text) - 1);
	if (first && !name_set_split(&named, operands.items[0]))
		return complain("out of memory");
	return selection_work_on(&selector,
				 &(struct operands){.count = named.count, .items = named.items},
				 SELECT_RUNNING, send_to_all, &request);
}

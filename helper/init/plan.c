/* helper/init/plan.c - check and describe a plan, purely. */
#include "helper/init/plan.h"

#include <stdio.h>
#include <string.h>

static bool step_fits(const struct plan_view *view, size_t index, size_t fd_count)
{
	const struct plan_step *step = &view->steps[index];

	if (step->kind == 0 || step->kind >= PLAN_KIND_COUNT)
		return false;
	if (step->text >= view->byte_count || step->path >= view->byte_count ||
	    step->data >= view->byte_count)
		return false;
	if (step->data_length > view->byte_count - step->data)
		return false;
	if (step->fd < -1 || (step->fd >= 0 && (size_t)step->fd >= fd_count))
		return false;
	return step->mountpoint <= PLAN_POINT_FILE && step->skip < view->step_count - index;
}

bool plan_parse(const void *data, size_t length, size_t fd_count, struct plan_view *view)
{
	struct plan_header header;
	size_t steps_size;

	memset(view, 0, sizeof(*view));
	if (length < sizeof(header) || length > PLAN_MAX_BYTES)
		return false;
	memcpy(&header, data, sizeof(header));
	if (header.magic != PLAN_MAGIC || header.step_count > PLAN_MAX_STEPS)
		return false;
	steps_size = header.step_count * sizeof(struct plan_step);
	if (header.byte_count == 0 || length - sizeof(header) < steps_size ||
	    length - sizeof(header) - steps_size != header.byte_count)
		return false;
	view->steps = (const void *)((const char *)data + sizeof(header));
	view->step_count = header.step_count;
	view->bytes = (const char *)data + sizeof(header) + steps_size;
	view->byte_count = header.byte_count;
	if (view->bytes[0] != '\0' || view->bytes[view->byte_count - 1] != '\0')
		return false;
	for (size_t i = 0; i < view->step_count; i++)
		if (!step_fits(view, i, fd_count))
			return false;
	return true;
}

void plan_describe(const struct plan_view *view, size_t index, char *out, size_t size)
{
	static const char *const names[PLAN_KIND_COUNT] = {
	    [PLAN_NEW_FS] = "mount a new",
	    [PLAN_ATTACH] = "attach a mount to",
	    [PLAN_BIND] = "bind",
	    [PLAN_BIND_LAYER] = "bind from the layer",
	    [PLAN_MASK] = "mask",
	    [PLAN_READONLY] = "make read-only",
	    [PLAN_UNMOUNT] = "unmount",
	    [PLAN_FOLDER] = "make the folder",
	    [PLAN_LINK] = "make the link",
	    [PLAN_FILE] = "write the file",
	    [PLAN_WRITE] = "set",
	    [PLAN_HOSTNAME] = "set the host name",
	    [PLAN_NETWORK] = "join the network namespace",
	    [PLAN_LOG] = "listen for log lines on",
	    [PLAN_STATUS] = "listen for those who ask on",
	    [PLAN_ACCOUNT] = "add the user to passwd and group in",
	    [PLAN_HOME] = "make the home folder",
	    [PLAN_GRANT_ROOT] = "let users become the container's root",
	    [PLAN_SKEL] = "copy /etc/skel to",
	    [PLAN_SET_ASIDE] = "set aside",
	    [PLAN_UNLESS] = "look for",
	    [PLAN_BIND_IMAGE] = "bind from the image",
	    [PLAN_SAME_FILE] = "link the file",
	    [PLAN_PLACE] = "make the place",
	    [PLAN_TOP_LEVEL] = "show what the root has in",
	};
	const struct plan_step *step;

	if (index >= view->step_count) {
		(void)snprintf(out, size, "read its plan");
		return;
	}
	step = &view->steps[index];
	(void)snprintf(out, size, "%s%s%s%s%s", names[step->kind],
		       view->bytes[step->text] ? " " : "", view->bytes + step->text,
		       view->bytes[step->path] ? (step->kind == PLAN_NEW_FS ? " on " : " ") : "",
		       view->bytes + step->path);
}

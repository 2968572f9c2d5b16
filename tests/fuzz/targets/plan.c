/* targets/plan.c - the plan that PID 1 of a container carries out. */
/* Sources: helper/init/plan.c */
#include "helper/init/plan.h"
#include "tests/fuzz/targets/fuzz.h"

static void check_text(const struct plan_view *view, uint32_t offset)
{
	MUST(offset < view->byte_count);
	MUST(memchr(view->bytes + offset, '\0', view->byte_count - offset));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t fd_count = size ? data[size - 1] % (PLAN_MAX_FDS + 1) : 0;
	void *copy = fuzz_copy(data, size);
	struct plan_view view;
	char text[160];

	if (plan_parse(copy, size, fd_count, &view)) {
		MUST(view.step_count <= PLAN_MAX_STEPS && view.byte_count > 0);
		for (size_t i = 0; i < view.step_count; i++) {
			const struct plan_step *step = &view.steps[i];

			MUST(step->kind > 0 && step->kind < PLAN_KIND_COUNT);
			MUST(step->fd >= -1 && step->fd < (int64_t)fd_count);
			check_text(&view, step->text);
			check_text(&view, step->path);
			check_text(&view, step->data);
			MUST((uint64_t)step->data + step->data_length <= view.byte_count);
			MUST(step->skip < view.step_count - i);
			plan_describe(&view, i, text, sizeof(text));
			MUST(strlen(text) < sizeof(text));
		}
		plan_describe(&view, view.step_count, text, sizeof(text));
	}
	free(copy);
	return 0;
}

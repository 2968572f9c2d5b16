/* helper/init/plan_load.c - read a plan from the memfd it came in, and carry it out. */
#include "helper/init/plan_load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static bool run_mapped(const void *data, size_t length, const int *fds, size_t fd_count,
		       struct plan_room *room, char *what, size_t what_size,
		       struct plan_result *result)
{
	struct plan_view view;
	char step[96];

	if (!plan_parse(data, length, fd_count, &view)) {
		*result = (struct plan_result){1, UINT32_MAX, EBADMSG};
		(void)snprintf(what, what_size, "its plan is malformed");
		return false;
	}
	plan_run(&view, fds, room, result);
	if (!result->failed)
		return true;
	plan_describe(&view, result->step, step, sizeof(step));
	(void)snprintf(what, what_size, "cannot %s: %s", step, strerror(result->error));
	return false;
}

bool plan_carry_out(int memfd, const int *fds, size_t fd_count, struct plan_room *room, char *what,
		    size_t what_size, struct plan_result *result)
{
	struct plan_result unused;
	struct stat status;
	void *data;
	bool done;

	if (!result)
		result = &unused;
	if (fstat(memfd, &status) < 0 || status.st_size <= 0 || status.st_size > PLAN_MAX_BYTES) {
		*result = (struct plan_result){1, UINT32_MAX, EBADMSG};
		(void)snprintf(what, what_size, "its plan cannot be read");
		return false;
	}
	data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, memfd, 0);
	if (data == MAP_FAILED) {
		*result = (struct plan_result){1, UINT32_MAX, errno};
		(void)snprintf(what, what_size, "its plan cannot be mapped");
		return false;
	}
	done =
	    run_mapped(data, (size_t)status.st_size, fds, fd_count, room, what, what_size, result);
	(void)munmap(data, (size_t)status.st_size);
	return done;
}

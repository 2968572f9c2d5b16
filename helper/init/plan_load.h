/* helper/init/plan_load.h - read a plan from the memfd it came in, and carry it out. */
#ifndef CARREL_HELPER_INIT_PLAN_LOAD_H
#define CARREL_HELPER_INIT_PLAN_LOAD_H

#include "helper/init/run_plan.h"

/*
 * Map the memfd, check the plan, run it with its descriptors. On failure false with `what` saying
 * which step failed and why; *result, when not NULL, has it as numbers.
 */
bool plan_carry_out(int memfd, const int *fds, size_t fd_count, struct plan_room *room, char *what,
		    size_t what_size, struct plan_result *result);

#endif

/* helper/init/run_plan.h - carry out a plan inside the container. */
#ifndef CARREL_HELPER_INIT_RUN_PLAN_H
#define CARREL_HELPER_INIT_RUN_PLAN_H

#include "helper/init/plan.h"

/* What outlives a plan: descriptors that later plans and the main loop need. */
struct plan_room {
	int layer;   /* O_PATH of the container's layer, below the root mount; -1 before it is there
		      */
	int image;   /* the same of a named image, while the plan runs that attaches it; else -1 */
	int overlay; /* the same of a named image with the layer on it, once it is the root */
	int log;     /* bound datagram socket of PLAN_LOG, -1 before */
	int status;  /* listening stream socket of PLAN_STATUS, -1 before */
	int network; /* where PLAN_NETWORK hears of it, helper/init/network.h; -1 when not at all */
};

/* The path at which the layer is attached before the root is taken: only PID 1 keeps a way to it.
 */
#define PLAN_LAYER_POINT "/layer"
#define PLAN_IMAGE_POINT "/image"

/*
 * Run all steps. A step on "/" of PLAN_NEW_FS or PLAN_ATTACH becomes the root of this process. On
 * failure stops at the step, *result says which and why; what was done stays (a container that is
 * being built is thrown away whole; steps of a session are made to be repeated).
 */
void plan_run(const struct plan_view *view, const int *fds, struct plan_room *room,
	      struct plan_result *result);

#endif

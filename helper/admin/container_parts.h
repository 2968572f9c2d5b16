/* helper/admin/container_parts.h - the steps of gathering what is known of a container. */
#ifndef CARREL_HELPER_ADMIN_CONTAINER_PARTS_H
#define CARREL_HELPER_ADMIN_CONTAINER_PARTS_H

#include "helper/admin/containers.h"

/* Nothing but the name. */
void container_unknown(const char *name, struct container_info *info);

/* Once it is known whether it runs: the stored record. False with *why, also when there is none. */
bool container_read_stored(const struct context *context, struct container_info *info,
			   struct failure *why);

/* From the kernel: what one that runs uses. */
void container_read_usage(const struct context *context, struct container_info *info,
			  enum container_detail detail);

/* From its stored data, when it does not run. */
void container_read_disk(const struct context *context, struct container_info *info);

/* Take over what its PID 1 has answered. */
void container_answered(struct container_info *info, const struct control_answer *answer);

#endif

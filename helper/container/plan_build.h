/* helper/container/plan_build.h - put together the steps that PID 1 of a container is to do. */
#ifndef CARREL_HELPER_CONTAINER_PLAN_BUILD_H
#define CARREL_HELPER_CONTAINER_PLAN_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"
#include "helper/init/plan.h"

/* Owns its bytes and its descriptors until plan_free. Errors are kept and told by plan_finish. */
struct plan {
	struct plan_step steps[PLAN_MAX_STEPS];
	size_t step_count;
	char *bytes;
	size_t byte_count, byte_size;
	int fds[PLAN_MAX_FDS];
	size_t fd_count;
	bool failed; /* out of memory, or too many steps or descriptors */
};

struct plan *plan_new(void); /* NULL when out of memory */
void plan_free(struct plan *plan);

void plan_new_fs(struct plan *plan, const char *type, const char *options, const char *path,
		 enum plan_mountpoint point, uint64_t attributes);
void plan_attach(struct plan *plan, int fd, const char *path,
		 enum plan_mountpoint point); /* owns fd */
/* The mount is made later: its place, for plan_give. */
size_t plan_attach_later(struct plan *plan, const char *path, enum plan_mountpoint point);
void plan_give(struct plan *plan, size_t place, int fd); /* owns fd */
void plan_bind(struct plan *plan, const char *source, const char *path, enum plan_mountpoint point,
	       uint64_t attributes);
void plan_bind_layer(struct plan *plan, const char *source, const char *path,
		     enum plan_mountpoint point, uint64_t attributes);
void plan_bind_image(struct plan *plan, const char *path);
void plan_place(struct plan *plan, const char *path, enum plan_mountpoint point);
void plan_folder(struct plan *plan, const char *path, mode_t mode, uid_t uid, gid_t gid);
void plan_link(struct plan *plan, const char *content, const char *path);
void plan_same_file(struct plan *plan, const char *file, const char *path);
void plan_file(struct plan *plan, const char *path, const char *content, mode_t mode);
void plan_write(struct plan *plan, const char *path, const char *content);
/* PLAN_READONLY, PLAN_UNMOUNT, PLAN_LOG, PLAN_STATUS, PLAN_SET_ASIDE, PLAN_TOP_LEVEL: only a path.
 * PLAN_NETWORK: none. */
void plan_path(struct plan *plan, enum plan_step_kind kind, const char *path);
void plan_hostname(struct plan *plan, const char *name);
void plan_grant_root(struct plan *plan, const char *user);
void plan_mask(struct plan *plan, const char *empty, const char *path);
void plan_data(struct plan *plan, enum plan_step_kind kind, const char *path, const void *data,
	       size_t length);
void plan_home(struct plan *plan, const char *user, const char *path, uid_t uid, gid_t gid,
	       uint64_t attributes);
void plan_skel(struct plan *plan, const char *path, uid_t uid, gid_t gid);

/* Leave out the steps between plan_unless and plan_unless_end when `path` exists by then. */
size_t plan_unless(struct plan *plan, const char *path);
void plan_unless_end(struct plan *plan, size_t begin);

/* The finished bytes as one buffer (caller frees); NULL with *why. */
void *plan_finish(const struct plan *plan, size_t *length, struct failure *why);

#endif

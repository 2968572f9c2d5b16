/* helper/container/plan_build.c - put together the steps that PID 1 of a container is to do. */
#include "helper/container/plan_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct plan *plan_new(void)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return NULL;
	plan->byte_size = 8192;
	plan->bytes = calloc(1, plan->byte_size);
	if (!plan->bytes) {
		free(plan);
		return NULL;
	}
	plan->byte_count = 1; /* offset 0 is the empty string */
	return plan;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->fd_count; i++)
		cleanup_close(&plan->fds[i]);
	free(plan->bytes);
	free(plan);
}

/* Append bytes and a NUL; the offset they stand at. */
static uint32_t add_bytes(struct plan *plan, const void *data, size_t length)
{
	size_t at = plan->byte_count;

	if (length == 0)
		return 0;
	if (length >= PLAN_MAX_BYTES / 2 || at + length + 1 > PLAN_MAX_BYTES / 2) {
		plan->failed = true;
		return 0;
	}
	while (plan->byte_size < at + length + 1) {
		char *grown = realloc(plan->bytes, plan->byte_size * 2);

		if (!grown) {
			plan->failed = true;
			return 0;
		}
		plan->bytes = grown;
		plan->byte_size *= 2;
	}
	memcpy(plan->bytes + at, data, length);
	plan->bytes[at + length] = '\0';
	plan->byte_count = at + length + 1;
	return (uint32_t)at;
}

static uint32_t add_string(struct plan *plan, const char *text)
{
	return text ? add_bytes(plan, text, strlen(text)) : 0;
}

static struct plan_step *add_step(struct plan *plan, enum plan_step_kind kind, const char *path)
{
	struct plan_step *step;

	if (plan->step_count == PLAN_MAX_STEPS) {
		plan->failed = true;
		return &plan->steps[PLAN_MAX_STEPS - 1];
	}
	step = &plan->steps[plan->step_count++];
	*step = (struct plan_step){.kind = kind, .fd = -1};
	step->path = add_string(plan, path);
	return step;
}

static void add_mount(struct plan *plan, enum plan_step_kind kind, const char *text,
		      const char *path, enum plan_mountpoint point, uint64_t attributes)
{
	struct plan_step *step = add_step(plan, kind, path);

	step->text = add_string(plan, text);
	step->mountpoint = point;
	step->attributes = attributes;
}

void plan_new_fs(struct plan *plan, const char *type, const char *options, const char *path,
		 enum plan_mountpoint point, uint64_t attributes)
{
	struct plan_step *step;

	add_mount(plan, PLAN_NEW_FS, type, path, point, attributes);
	step = &plan->steps[plan->step_count - 1];
	step->data = add_string(plan, options);
	step->data_length = (uint32_t)strlen(options);
}

void plan_attach(struct plan *plan, int fd, const char *path, enum plan_mountpoint point)
{
	struct plan_step *step = add_step(plan, PLAN_ATTACH, path);

	if (plan->fd_count == PLAN_MAX_FDS) {
		plan->failed = true;
		cleanup_close(&fd);
		return;
	}
	step->mountpoint = point;
	step->fd = (int32_t)plan->fd_count;
	plan->fds[plan->fd_count++] = fd;
}

size_t plan_attach_later(struct plan *plan, const char *path, enum plan_mountpoint point)
{
	plan_attach(plan, -1, path, point);
	return plan->failed ? 0 : plan->fd_count - 1;
}

void plan_give(struct plan *plan, size_t place, int fd)
{
	if (plan->failed)
		cleanup_close(&fd);
	else
		plan->fds[place] = fd;
}

void plan_bind(struct plan *plan, const char *source, const char *path, enum plan_mountpoint point,
	       uint64_t attributes)
{
	add_mount(plan, PLAN_BIND, source, path, point, attributes);
}

void plan_bind_layer(struct plan *plan, const char *source, const char *path,
		     enum plan_mountpoint point, uint64_t attributes)
{
	add_mount(plan, PLAN_BIND_LAYER, source, path, point, attributes);
}

void plan_bind_image(struct plan *plan, const char *path)
{
	add_mount(plan, PLAN_BIND_IMAGE, NULL, path, PLAN_POINT_FOLDER, 0);
}

void plan_place(struct plan *plan, const char *path, enum plan_mountpoint point)
{
	add_mount(plan, PLAN_PLACE, NULL, path, point, 0);
}

void plan_folder(struct plan *plan, const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	struct plan_step *step = add_step(plan, PLAN_FOLDER, path);

	step->mode = mode;
	step->uid = uid;
	step->gid = gid;
}

void plan_link(struct plan *plan, const char *content, const char *path)
{
	struct plan_step *step = add_step(plan, PLAN_LINK, path);

	step->text = add_string(plan, content);
}

void plan_same_file(struct plan *plan, const char *file, const char *path)
{
	struct plan_step *step = add_step(plan, PLAN_SAME_FILE, path);

	step->text = add_string(plan, file);
}

void plan_data(struct plan *plan, enum plan_step_kind kind, const char *path, const void *data,
	       size_t length)
{
	struct plan_step *step = add_step(plan, kind, path);

	step->data = add_bytes(plan, data, length);
	step->data_length = (uint32_t)length;
}

void plan_file(struct plan *plan, const char *path, const char *content, mode_t mode)
{
	plan_data(plan, PLAN_FILE, path, content, strlen(content));
	plan->steps[plan->step_count - 1].mode = mode;
}

void plan_write(struct plan *plan, const char *path, const char *content)
{
	plan_data(plan, PLAN_WRITE, path, content, strlen(content));
}

void plan_path(struct plan *plan, enum plan_step_kind kind, const char *path)
{
	(void)add_step(plan, kind, path);
}

void plan_hostname(struct plan *plan, const char *name)
{
	struct plan_step *step = add_step(plan, PLAN_HOSTNAME, NULL);

	step->text = add_string(plan, name);
}

void plan_grant_root(struct plan *plan, const char *user)
{
	struct plan_step *step = add_step(plan, PLAN_GRANT_ROOT, NULL);

	step->text = add_string(plan, user);
}

void plan_mask(struct plan *plan, const char *empty, const char *path)
{
	struct plan_step *step = add_step(plan, PLAN_MASK, path);

	step->text = add_string(plan, empty);
}

void plan_home(struct plan *plan, const char *user, const char *path, uid_t uid, gid_t gid,
	       uint64_t attributes)
{
	struct plan_step *step = add_step(plan, PLAN_HOME, path);

	step->text = add_string(plan, user);
	step->uid = uid;
	step->gid = gid;
	step->attributes = attributes;
}

void plan_skel(struct plan *plan, const char *path, uid_t uid, gid_t gid)
{
	struct plan_step *step = add_step(plan, PLAN_SKEL, path);

	step->uid = uid;
	step->gid = gid;
}

size_t plan_unless(struct plan *plan, const char *path)
{
	(void)add_step(plan, PLAN_UNLESS, path);
	return plan->step_count;
}

void plan_unless_end(struct plan *plan, size_t begin)
{
	plan->steps[begin - 1].skip = (uint32_t)(plan->step_count - begin);
}

void *plan_finish(const struct plan *plan, size_t *length, struct failure *why)
{
	struct plan_header header = {.magic = PLAN_MAGIC,
				     .step_count = (uint32_t)plan->step_count,
				     .byte_count = (uint32_t)plan->byte_count};
	size_t steps_size = plan->step_count * sizeof(struct plan_step);
	char *buffer;

	*length = sizeof(header) + steps_size + plan->byte_count;
	if (plan->failed || *length > PLAN_MAX_BYTES) {
		fail(
		    why, FAILURE_LIMIT, 0,
		    "the container needs too many mounts or too long files: use fewer binds or groups");
		return NULL;
	}
	buffer = malloc(*length);
	if (!buffer) {
		fail(why, FAILURE_SYSTEM, errno, "cannot put together the plan of the container");
		return NULL;
	}
	memcpy(buffer, &header, sizeof(header));
	memcpy(buffer + sizeof(header), plan->steps, steps_size);
	memcpy(buffer + sizeof(header) + steps_size, plan->bytes, plan->byte_count);
	return buffer;
}

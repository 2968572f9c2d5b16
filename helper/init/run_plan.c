/* helper/init/run_plan.c - carry out a plan inside the container. */
#include "helper/init/run_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "base/kernel_calls.h"
#include "helper/init/account_step.h"
#include "helper/init/mounts.h"
#include "helper/init/network.h"
#include "helper/init/root_grant.h"
#include "helper/init/set_aside.h"
#include "helper/init/skel.h"
#include "helper/init/top_level.h"

/* A step with its strings and its descriptor at hand. */
struct step_context {
	const struct plan_step *step;
	const char *text, *path, *data;
	size_t data_length;
	int fd;
	struct plan_room *room;
};

static bool step_new_fs(const struct step_context *at)
{
	if (!mount_new(at->text, at->data, at->path, at->step->mountpoint, at->step->attributes))
		return false;
	if (strcmp(at->text, "overlay") == 0 && at->room->overlay < 0)
		at->room->overlay = open(at->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return true;
}

static bool step_attach(const struct step_context *at)
{
	if (!mount_attach(at->fd, at->path, at->step->mountpoint))
		return false;
	if (strcmp(at->path, PLAN_LAYER_POINT) == 0 && at->room->layer < 0)
		at->room->layer = open(at->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (strcmp(at->path, PLAN_IMAGE_POINT) == 0 && at->room->image < 0)
		at->room->image = open(at->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return true;
}

static bool step_bind(const struct step_context *at)
{
	return mount_bind(AT_FDCWD, at->text, at->path, at->step->mountpoint, at->step->attributes);
}

static bool step_bind_layer(const struct step_context *at)
{
	return mount_bind(at->room->layer, at->text, at->path, at->step->mountpoint,
			  at->step->attributes);
}

/*
 * What the overlay shows of a folder of the root is the image's folder alone when the upper layer
 * has nothing of that name: no change of a file in it, which would have made the folder there, no
 * whiteout, no link. Both are asked without following what a container's root may have laid.
 */
static bool step_bind_image(const struct step_context *at)
{
	const char *name = at->path + 1;
	struct stat status;
	char upper[64];

	(void)snprintf(upper, sizeof(upper), "upper/%s", name);
	if (fstatat(at->room->layer, upper, &status, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	if (errno != ENOENT)
		return false;
	if (fstatat(at->room->image, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT;
	return !S_ISDIR(status.st_mode) || mount_bind(at->room->image, name, at->path,
						      at->step->mountpoint, at->step->attributes);
}

static bool step_place(const struct step_context *at)
{
	return mount_place(at->path, at->step->mountpoint);
}

static bool step_top_level(const struct step_context *at)
{
	return top_level_show(at->room->overlay);
}

static bool step_mask(const struct step_context *at)
{
	return mount_mask(at->path, at->text);
}

static bool step_readonly(const struct step_context *at)
{
	return mount_readonly(at->path);
}

static bool step_unmount(const struct step_context *at)
{
	return umount2(at->path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0;
}

static bool step_folder(const struct step_context *at)
{
	return folder_make(at->path, at->step->mode, at->step->uid, at->step->gid);
}

static bool step_link(const struct step_context *at)
{
	return symlink(at->text, at->path) == 0 || errno == EEXIST;
}

static bool step_same_file(const struct step_context *at)
{
	return link(at->text, at->path) == 0;
}

/* A name that nothing has yet: no more is needed, as nobody looks at a new file by chance. */
static bool file_make(const struct step_context *at)
{
	_cleanup_close_ int file =
	    open(at->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, at->step->mode);
	bool is_masked = at->step->mode & 0022; /* by the umask */
	int error;

	if (file < 0)
		return false;
	if (file_write_all(file, at->data, at->data_length) &&
	    (!is_masked || fchmod(file, at->step->mode) == 0))
		return true;
	error = errno;
	(void)unlink(at->path);
	errno = error;
	return false;
}

static bool step_file(const struct step_context *at)
{
	const char *name = strrchr(at->path, '/');
	_cleanup_close_ int folder = -1;
	struct failure why;
	char parent[256];

	if (file_make(at))
		return true;
	if (errno != EEXIST)
		return false;
	if (!name || (size_t)(name - at->path) >= sizeof(parent)) {
		errno = EINVAL;
		return false;
	}
	(void)snprintf(parent, sizeof(parent), "%.*s", (int)(name - at->path), at->path);
	folder = open(*parent ? parent : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return false;
	if (file_replace_at(folder, name + 1, at->data, at->data_length, at->step->mode, false,
			    &why))
		return true;
	errno = why.error ? why.error : EIO;
	return false;
}

static bool step_write(const struct step_context *at)
{
	return file_write_at(AT_FDCWD, at->path, at->data);
}

static bool step_hostname(const struct step_context *at)
{
	return sethostname(at->text, strlen(at->text)) == 0;
}

static bool step_network(const struct step_context *at)
{
	return network_join(at->room->network);
}

static bool step_log(const struct step_context *at)
{
	_cleanup_close_ int log = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", at->path);
	if (log < 0 || bind(log, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(at->path, 0666) < 0)
		return false;
	at->room->log = take_fd(&log);
	return true;
}

/* A backlog that is full makes those wait who ask, not PID 1. */
static bool step_status(const struct step_context *at)
{
	_cleanup_close_ int status = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", at->path);
	if (status < 0 || bind(status, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(at->path, 0666) < 0 || listen(status, 16) < 0)
		return false;
	at->room->status = take_fd(&status);
	return true;
}

static bool step_account(const struct step_context *at)
{
	_cleanup_free_ struct account *account = account_unpack(at->data, at->data_length);

	return account && account_merge(at->path, account);
}

static bool step_home(const struct step_context *at)
{
	char inside[320];

	(void)snprintf(inside, sizeof(inside), "home/%s", at->text);
	return home_make(at->room->layer, at->text, at->step->uid, at->step->gid) &&
	       mount_bind(at->room->layer, inside, at->path, PLAN_POINT_FOLDER,
			  at->step->attributes);
}

static bool step_skel(const struct step_context *at)
{
	_cleanup_close_ int home = open(at->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return home >= 0 && skel_copy(home, at->step->uid, at->step->gid);
}

static bool step_grant_root(const struct step_context *at)
{
	return root_grant(at->text);
}

static bool step_set_aside(const struct step_context *at)
{
	return set_aside(at->path);
}

static bool run_step(const struct step_context *at)
{
	static bool (*const run[PLAN_KIND_COUNT])(const struct step_context *) = {
	    [PLAN_NEW_FS] = step_new_fs,
	    [PLAN_ATTACH] = step_attach,
	    [PLAN_BIND] = step_bind,
	    [PLAN_BIND_LAYER] = step_bind_layer,
	    [PLAN_MASK] = step_mask,
	    [PLAN_READONLY] = step_readonly,
	    [PLAN_UNMOUNT] = step_unmount,
	    [PLAN_FOLDER] = step_folder,
	    [PLAN_LINK] = step_link,
	    [PLAN_FILE] = step_file,
	    [PLAN_WRITE] = step_write,
	    [PLAN_HOSTNAME] = step_hostname,
	    [PLAN_NETWORK] = step_network,
	    [PLAN_LOG] = step_log,
	    [PLAN_STATUS] = step_status,
	    [PLAN_ACCOUNT] = step_account,
	    [PLAN_HOME] = step_home,
	    [PLAN_SET_ASIDE] = step_set_aside,
	    [PLAN_SKEL] = step_skel,
	    [PLAN_GRANT_ROOT] = step_grant_root,
	    [PLAN_BIND_IMAGE] = step_bind_image,
	    [PLAN_SAME_FILE] = step_same_file,
	    [PLAN_PLACE] = step_place,
	    [PLAN_TOP_LEVEL] = step_top_level,
	};

	return run[at->step->kind](at);
}

static void run_steps(const struct plan_view *view, const int *fds, struct plan_room *room,
		      struct plan_result *result)
{
	*result = (struct plan_result){0};
	for (size_t i = 0; i < view->step_count; i++) {
		const struct plan_step *step = &view->steps[i];
		const struct step_context at = {.step = step,
						.text = view->bytes + step->text,
						.path = view->bytes + step->path,
						.data = view->bytes + step->data,
						.data_length = step->data_length,
						.fd = step->fd < 0 ? -1 : fds[step->fd],
						.room = room};

		if (step->kind == PLAN_UNLESS) {
			if (access(at.path, F_OK) == 0)
				i += step->skip;
			continue;
		}
		if (!run_step(&at)) {
			*result = (struct plan_result){1, (uint32_t)i, errno};
			return;
		}
	}
}

void plan_run(const struct plan_view *view, const int *fds, struct plan_room *room,
	      struct plan_result *result)
{
	run_steps(view, fds, room, result);
	cleanup_close(&room->image);
	cleanup_close(&room->overlay);
	room->image = room->overlay = -1;
}

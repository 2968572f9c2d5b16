/* helper/container/image_root.c - a named image with the container's own changes on top of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/container/clones.h"
#include "helper/container/container.h"
#include "helper/init/run_plan.h"

/* Files of the image's /etc that speak of the machine: covered, so that an image needs no care. */
void plan_image_etc(struct plan *plan)
{
	static const char *const names[] = {"hostname", "hosts", "resolv.conf"};

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		char source[64], target[32];

		(void)snprintf(source, sizeof(source), "/run/carrel/etc/%s", names[i]);
		(void)snprintf(target, sizeof(target), "/etc/%s", names[i]);
		plan_bind(plan, source, target, PLAN_POINT_FILE, 0);
	}
}

static int open_image(const struct container_spec *spec, struct failure *why)
{
	_cleanup_close_ int image =
	    dir_open_at(spec->registry->state_images, spec->policy->image, true);
	int rootfs;

	if (image < 0)
		return fail_fd(why, errno == ENOENT ? FAILURE_MISSING : FAILURE_SYSTEM, errno,
			       "cannot open image '%s' of policy '%s' (see 'carrel image list' and "
			       "'carrel image import')",
			       spec->policy->image, spec->policy->name);
	rootfs = dir_open_at(image, "rootfs", true);
	if (rootfs < 0)
		return fail_fd(why, FAILURE_DATA, errno, "image '%s' has no folder rootfs",
			       spec->policy->image);
	return rootfs;
}

bool plan_image_root(struct plan *plan, const struct container_spec *spec, int user_namespace,
		     struct failure *why)
{
	uint64_t attributes = MOUNT_ATTR_NODEV | (spec->policy->root ? 0 : MOUNT_ATTR_NOSUID);
	_cleanup_close_ int rootfs = open_image(spec, why);
	_cleanup_close_ int clone = -1;

	if (rootfs < 0)
		return false;
	clone = clone_mount(rootfs, "", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
	if (clone < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot mount image '%s'",
			    spec->policy->image);
	if (!map_mount(clone, user_namespace))
		return fail(
		    why, FAILURE_UNSUPPORTED, errno,
		    "the file system of image '%s' cannot map ids: put state_dir on ext4, xfs "
		    "or btrfs",
		    spec->policy->image);
	plan_attach(plan, take_fd(&clone), PLAN_IMAGE_POINT, PLAN_POINT_EXISTS);
	plan_new_fs(plan, "overlay",
		    "lowerdir=" PLAN_IMAGE_POINT ",upperdir=" PLAN_LAYER_POINT "/upper,"
		    "workdir=" PLAN_LAYER_POINT "/work,userxattr",
		    "/", PLAN_POINT_EXISTS, attributes);
	return true;
}

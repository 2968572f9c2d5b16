/* helper/container/image_root.c - a named image with the container's own changes on top of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/kernel_calls.h"
#include "helper/container/clones.h"
#include "helper/container/container.h"
#include "helper/images/use.h"
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

/*
 * A private, idmapped clone of the image's root. What is mounted below it on the host is no part of
 * the image: an overlay does not look there, and neither does who is given a folder of it.
 */
static int clone_image(const struct container_spec *spec, int root, uint64_t attributes,
		       int user_namespace, struct failure *why)
{
	_cleanup_close_ int clone = clone_mount_alone(root, attributes | MOUNT_ATTR_RDONLY);

	if (clone < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot mount image '%s'",
			       spec->policy->image);
	if (!map_mount(clone, user_namespace))
		return fail_fd(
		    why, FAILURE_UNSUPPORTED, errno,
		    "the file system of image '%s' cannot map ids: put state_dir on ext4, xfs "
		    "or btrfs",
		    spec->policy->image);
	return take_fd(&clone);
}

static bool is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* Mounted over later: nothing of the image or the layer is seen there. */
static const char *const covered[] = {"/class", "/dev", "/proc", "/run", "/sys", "/tmp"};

/* What is to be mounted in the root itself gets its place there, as it does below what is covered.
 */
static bool needs_place(const char *target)
{
	for (size_t i = 0; i < ARRAY_LENGTH(covered); i++)
		if (is_below(target, covered[i]))
			return false;
	return strchr(target + 1, '/') != NULL;
}

/*
 * Made while the overlay is the root, so that it makes no difference which links of the image a
 * path goes through: a folder of programs in which a place was new is then one that the layer has
 * something of, and stays with the overlay.
 */
static bool plan_places(struct plan *plan, const struct container_spec *spec, struct failure *why)
{
	const struct policy *policy = spec->policy;

	for (size_t i = 0; i < policy->bind_count; i++) {
		const struct bind_mount *bind = &policy->binds[i];
		_cleanup_close_ int source = -1;
		enum plan_mountpoint point = PLAN_POINT_FOLDER;

		if (!needs_place(bind->target))
			continue;
		source = bind_source_open(policy, bind, &point, why);
		if (source < 0)
			return false;
		plan_place(plan, bind->target, point);
	}
	if (needs_place(spec->account->home))
		plan_place(plan, spec->account->home, PLAN_POINT_FOLDER);
	return true;
}

/*
 * Without root nobody is to change the root or the programs, so they need no overlay, which costs
 * every look at a file (docs/performance.md): the root is a tmpfs, the programs are bound past it,
 * and the rest is bound from it. Of a container that several users share not all homes are known
 * yet, and they may be in /opt (home_path_check).
 */
static bool plan_plain_root(struct plan *plan, const struct container_spec *spec,
			    struct failure *why)
{
	bool keep_opt = policy_is_shared(spec->policy);

	if (!plan_places(plan, spec, why))
		return false;
	plan_new_fs(plan, "tmpfs", "size=4m,mode=755", "/", PLAN_POINT_EXISTS,
		    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	for (size_t i = 0; i < ARRAY_LENGTH(covered); i++)
		plan_folder(plan, covered[i], 0755, 0, 0);
	for (size_t i = 0; program_folders[i]; i++)
		if (!keep_opt || strcmp(program_folders[i], "/opt") != 0)
			plan_bind_image(plan, program_folders[i]);
	plan_path(plan, PLAN_TOP_LEVEL, "/");
	return true;
}

bool plan_image_root(struct plan *plan, const struct container_spec *spec, int user_namespace,
		     uint32_t *version, int *hold, struct failure *why)
{
	uint64_t attributes = MOUNT_ATTR_NODEV | (spec->policy->root ? 0 : MOUNT_ATTR_NOSUID);
	struct image_use use;
	int clone;

	if (!image_use_open(spec->registry, spec->policy->image, &use, why)) {
		failure_prefix(why, "policy '%s'", spec->policy->name);
		return false;
	}
	clone = clone_image(spec, use.root, attributes, user_namespace, why);
	*version = use.version;
	*hold = take_fd(&use.hold);
	image_use_close(&use);
	if (clone < 0)
		return false;
	plan_attach(plan, clone, PLAN_IMAGE_POINT, PLAN_POINT_EXISTS);
	/* index=off: the layer must not insist on the version that it was first mounted on. */
	plan_new_fs(plan, "overlay",
		    "lowerdir=" PLAN_IMAGE_POINT ",upperdir=" PLAN_LAYER_POINT "/upper,"
		    "workdir=" PLAN_LAYER_POINT "/work,userxattr,index=off",
		    "/", PLAN_POINT_EXISTS, attributes);
	return spec->policy->root || plan_plain_root(plan, spec, why);
}

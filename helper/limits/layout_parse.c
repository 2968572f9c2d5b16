/* helper/limits/layout_parse.c - which cgroup hierarchies there are, and where. Pure. */
#include "helper/limits/layout_parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "helper/limits/mountinfo.h"

#define BIT(controller) (1U << (controller))

/* Part of every v2 cgroup, whatever controllers are enabled: cgroup.kill and cpu.stat's usage. */
#define V2_CORE (BIT(CGROUP_FREEZER) | BIT(CGROUP_CPUACCT))

static const struct {
	const char *v2, *v1;
} controller_names[CGROUP_CONTROLLER_COUNT] = {
    [CGROUP_MEMORY] = {"memory", "memory"}, [CGROUP_CPU] = {"cpu", "cpu"},
    [CGROUP_PIDS] = {"pids", "pids"},       [CGROUP_IO] = {"io", "blkio"},
    [CGROUP_FREEZER] = {NULL, "freezer"},   [CGROUP_CPUACCT] = {NULL, "cpuacct"},
};

const char *cgroup_controller_name(enum cgroup_controller controller, bool v2)
{
	const char *name = v2 ? controller_names[controller].v2 : NULL;

	return name ? name : controller_names[controller].v1;
}

unsigned cgroup_controllers_parse(const char *text)
{
	unsigned found = 0;

	while (*text) {
		size_t length = strcspn(text, " \n");

		for (int i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
			const char *name = controller_names[i].v2;

			if (name && strlen(name) == length && strncmp(text, name, length) == 0)
				found |= BIT(i);
		}
		text += length + (text[length] != '\0');
	}
	return found;
}

static bool copy_path(char out[CGROUP_PATH_SIZE], const char *path, size_t length)
{
	if (length >= CGROUP_PATH_SIZE)
		return false;
	memcpy(out, path, length);
	out[length] = '\0';
	return true;
}

/* Which controllers a v1 hierarchy has, and its name for messages: "cpu,cpuacct". */
static void name_v1(struct cgroup_mount *mount, const char *super)
{
	size_t used = 0;

	for (int i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
		const char *name = controller_names[i].v1;

		if (!mountinfo_has_word(super, name))
			continue;
		mount->controllers |= BIT(i);
		used += (size_t)snprintf(mount->name + used, sizeof(mount->name) - used, "%s%s",
					 used ? "," : "", name);
	}
	if (mount->controllers == 0 && mountinfo_has_word(super, "name=systemd"))
		(void)snprintf(mount->name, sizeof(mount->name), "systemd");
}

/* "ID:CONTROLLERS:PATH", and "0::PATH" for v2 (cgroups(7)). */
static void find_own(struct cgroup_mount *mount, const char *cgroups)
{
	char word[sizeof(mount->name) + sizeof("name=")];

	/* One of the co-mounted controllers is enough to know the hierarchy by. */
	(void)snprintf(word, sizeof(word), "%s%.*s",
		       !mount->v2 && mount->controllers == 0 ? "name=" : "",
		       (int)strcspn(mount->name, ","), mount->name);
	for (const char *line = cgroups; *line;) {
		size_t length = strcspn(line, "\n");
		const char *list = memchr(line, ':', length);
		const char *path =
		    list ? memchr(list + 1, ':', length - (size_t)(list + 1 - line)) : NULL;
		char controllers[256];

		if (path && (size_t)(path - list - 1) < sizeof(controllers)) {
			memcpy(controllers, list + 1, (size_t)(path - list - 1));
			controllers[path - list - 1] = '\0';
			if (mount->v2 ? strncmp(line, "0::", 3) == 0
				      : mountinfo_has_word(controllers, word)) {
				(void)copy_path(mount->own, path + 1,
						length - (size_t)(path + 1 - line));
				return;
			}
		}
		line += length + (line[length] == '\n');
	}
}

const char *cgroup_mount_own(const struct cgroup_mount *mount)
{
	size_t root = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);

	/* "/.." is how the kernel shows a place outside of the cgroup namespace. */
	if (mount->own[0] != '/' || strncmp(mount->own, "/..", 3) == 0)
		return NULL;
	if (strncmp(mount->own, mount->root, root) != 0)
		return NULL;
	if (mount->own[root] == '\0')
		return ".";
	if (mount->own[root] != '/')
		return NULL;
	return mount->own[root + 1] ? mount->own + root + 1 : ".";
}

static bool read_mount(const struct mount_line *line, const char *cgroups,
		       struct cgroup_mount *mount)
{
	*mount = (struct cgroup_mount){.major = line->major, .minor = line->minor};
	if (strcmp(line->type, "cgroup2") == 0) {
		mount->v2 = true;
		mount->controllers = V2_CORE;
		(void)snprintf(mount->name, sizeof(mount->name), "unified");
	} else if (strcmp(line->type, "cgroup") == 0) {
		name_v1(mount, line->super);
	}
	if (mount->name[0] == '\0')
		return false;
	if (!copy_path(mount->point, line->point, strlen(line->point)) ||
	    !copy_path(mount->root, line->root, strlen(line->root)))
		return false;
	find_own(mount, cgroups);
	return true;
}

/*
 * A hierarchy may be mounted at several places (a container manager's bind mounts, a second mount
 * for a container). Wanted is the one that can be written and shows the most of it.
 */
static unsigned rank(const struct cgroup_mount *mount, bool writable)
{
	return (writable ? 4U : 0U) + (strcmp(mount->root, "/") == 0 ? 2U : 0U) +
	       (cgroup_mount_own(mount) ? 1U : 0U);
}

/* Where `mount` goes: the place of the same hierarchy, or a new one; NULL when it is worse. */
static struct cgroup_mount *place_for(struct cgroup_mounts *mounts,
				      unsigned ranks[CGROUP_MAX_ROOTS],
				      const struct cgroup_mount *mount, unsigned new_rank)
{
	size_t i = 0;

	while (i < mounts->count && strcmp(mounts->mounts[i].name, mount->name) != 0)
		i++;
	if (i == CGROUP_MAX_ROOTS)
		return NULL;
	if (i == mounts->count)
		mounts->count++;
	else if (ranks[i] >= new_rank && strcmp(mounts->mounts[i].point, mount->point) != 0)
		return NULL; /* at the same point the later mount covers the earlier */
	ranks[i] = new_rank;
	return &mounts->mounts[i];
}

static void drop_what_v2_does(struct cgroup_mounts *mounts)
{
	bool v2 = false;
	size_t kept = 0;

	for (size_t i = 0; i < mounts->count; i++)
		v2 |= mounts->mounts[i].v2;
	if (!v2)
		return;
	for (size_t i = 0; i < mounts->count; i++) {
		if (!mounts->mounts[i].v2 && (mounts->mounts[i].controllers & ~V2_CORE) == 0)
			continue;
		if (kept != i)
			mounts->mounts[kept] = mounts->mounts[i];
		/* cpuacct beside cpu: counted on v2, so that there is one answer. */
		if (!mounts->mounts[kept].v2)
			mounts->mounts[kept].controllers &= ~V2_CORE;
		kept++;
	}
	mounts->count = kept;
}

bool cgroup_layout_parse(const char *mountinfo, const char *cgroups, struct cgroup_mounts *mounts,
			 struct failure *why)
{
	_cleanup_free_ char *text = strdup(mountinfo);
	unsigned ranks[CGROUP_MAX_ROOTS] = {0};
	struct mount_line line;
	char *cursor = text;

	mounts->count = 0;
	if (!text)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the mounts");
	while (mountinfo_next(&cursor, &line)) {
		struct cgroup_mount mount, *place;

		if (!read_mount(&line, cgroups, &mount))
			continue;
		place = place_for(mounts, ranks, &mount,
				  rank(&mount, !mountinfo_has_word(line.options, "ro")));
		if (place)
			*place = mount;
	}
	if (mounts->count == 0)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "no cgroup file system is mounted, so no limit can be enforced: mount "
			    "one with 'mount -t cgroup2 none /sys/fs/cgroup'");
	drop_what_v2_does(mounts);
	return true;
}

/* helper/limits/layout.c - find the cgroup hierarchies and make Carrel's place in each of them. */
#include "helper/limits/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/limits/control_file.h"
#include "helper/limits/kept_mounts.h"

#define MOUNTINFO_LIMIT (16U << 20)
#define CGROUPS_LIMIT   (64U << 10)

#define SYSTEMD_RUNS   "/run/systemd/system" /* sd_booted(3) */
#define SYSTEMD_PARENT "system.slice/carrel.service"
#define OTHER_PARENT   "carrel"

#define DELEGATE_PATIENCE_MS 200

/* What a policy can limit, as opposed to what we use to kill and to count. */
#define LIMITING (1U << CGROUP_MEMORY | 1U << CGROUP_CPU | 1U << CGROUP_PIDS | 1U << CGROUP_IO)

bool cgroup_mounts_read(const char *cgroups, struct cgroup_mounts *mounts, struct failure *why)
{
	_cleanup_free_ char *mountinfo = NULL;

	mountinfo = file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_LIMIT, NULL, why);
	return mountinfo && cgroup_layout_parse(mountinfo, cgroups, mounts, why);
}

/* Is this a directory of that hierarchy, or of what is mounted over it? */
static bool is_of(int dir, const struct cgroup_mount *mount)
{
	struct stat status;

	if (fstat(dir, &status) < 0)
		return false;
	errno = ESTALE;
	return status.st_dev == makedev(mount->major, mount->minor);
}

int cgroup_mount_open(const struct cgroup_mount *mount)
{
	_cleanup_close_ int dir = control_open_dir(AT_FDCWD, mount->point);

	return dir >= 0 && is_of(dir, mount) ? take_fd(&dir) : -1;
}

static unsigned read_controllers(int dir, const char *file)
{
	char text[512];

	return control_read(dir, file, text, sizeof(text)) ? cgroup_controllers_parse(text) : 0;
}

/*
 * A cgroup with processes cannot hand out memory and io (EBUSY), but cpu and pids it can: it turns
 * into the root of a threaded subtree, and no process can go below it any more (cgroups(7), "Thread
 * mode"). The kernel's root cgroup, which has no cgroup.events, may hold some.
 */
static bool has_processes(int dir)
{
	char first[2];

	if (faccessat(dir, "cgroup.events", F_OK, 0) < 0)
		return false;
	return !control_read(dir, "cgroup.procs", first, sizeof(first)) || first[0] != '\0';
}

unsigned cgroup_enable_controllers(int dir, unsigned wanted)
{
	unsigned enabled = read_controllers(dir, "cgroup.subtree_control");
	unsigned missing = wanted & ~enabled;

	if (missing && has_processes(dir)) {
		errno = EBUSY;
		return enabled & wanted;
	}
	errno = ENODEV;
	if (missing)
		missing &= read_controllers(dir, "cgroup.controllers");
	/* One write each: a write with several takes none of them when one is refused. */
	for (int i = 0; missing && i < CGROUP_CONTROLLER_COUNT; i++) {
		char text[16];

		if (!(missing & 1U << i))
			continue;
		(void)snprintf(text, sizeof(text), "+%s", cgroup_controller_name(i, true));
		if (file_write_at(dir, "cgroup.subtree_control", text))
			enabled |= 1U << i;
	}
	return enabled & wanted;
}

/*
 * A controller can be enabled in a cgroup only when its parent has it enabled: go down from the
 * mount. What is refused on the way (cgroups of somebody else that hold processes) shows at the
 * end.
 */
static void enable_above(int mount, const char *parent, unsigned wanted)
{
	_cleanup_free_ char *path = strdup(parent);
	_cleanup_close_ int dir = dup(mount);
	char *save = NULL;

	for (char *part = path ? strtok_r(path, "/", &save) : NULL; part && dir >= 0;
	     part = strtok_r(NULL, "/", &save)) {
		int next;

		(void)cgroup_enable_controllers(dir, wanted);
		next = control_open_dir(dir, part);
		(void)close(dir);
		dir = next;
	}
}

/*
 * Where systemd is, only in the unit that it has delegated to us: it takes back what others set
 * elsewhere. The unit's process may just have been started and not yet left the unit's own cgroup.
 */
static unsigned enable_delegated(int dir, unsigned wanted)
{
	const struct timespec millisecond = {.tv_nsec = 1000000};
	unsigned enabled = cgroup_enable_controllers(dir, wanted);

	for (int i = 0; enabled != wanted && errno == EBUSY && i < DELEGATE_PATIENCE_MS; i++) {
		(void)nanosleep(&millisecond, NULL);
		enabled = cgroup_enable_controllers(dir, wanted);
	}
	return enabled;
}

static unsigned enable_v2(const struct cgroup_mount *about, int dir, const char *parent,
			  bool systemd, unsigned wanted)
{
	unsigned enabled = read_controllers(dir, "cgroup.subtree_control");
	_cleanup_close_ int mount = -1;

	if ((enabled & wanted) == wanted)
		return wanted;
	mount = cgroup_mount_open(about);
	wanted &= read_controllers(mount, "cgroup.controllers");
	if (systemd)
		return enable_delegated(dir, wanted);
	enabled = cgroup_enable_controllers(dir, wanted);
	if (enabled == wanted)
		return enabled;
	enable_above(mount, parent, wanted);
	return cgroup_enable_controllers(dir, wanted);
}

/* The hierarchy that systemd goes by; it knows nothing of what is made in the others. */
static bool is_systemds(const struct cgroup_mount *about)
{
	return about->v2 || about->controllers == 0;
}

/* systemd marks the cgroups that it leaves to a service (systemd.resource-control(5), Delegate=).
 */
static bool is_delegated(int dir)
{
	char self[sizeof("/proc/self/fd/") + 3 * sizeof(int)], value[8];

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", dir);
	return getxattr(self, "trusted.delegate", value, sizeof(value)) == 1 && value[0] == '1';
}

static bool make_place(int mount, const struct cgroup_mount *about, const char *parent,
		       bool systemd, struct failure *why)
{
	if (systemd && is_systemds(about))
		return fail(why, FAILURE_MISSING, 0,
			    "there is no cgroup %s below %s: start carrel.service ('systemctl "
			    "enable --now carrel'), or set cgroup_parent",
			    parent, about->point);
	if (!dir_make_at(mount, parent, 0755, why)) {
		failure_prefix(why, "cannot make a place for the containers in the cgroup %s",
			       about->point);
		return false;
	}
	return true;
}

/* In one step, when it is there, which it is but for the first time; -1 when it is not. */
static int open_made(const struct cgroup_mount *about, const char *parent)
{
	_cleanup_close_ int dir = -1;
	char path[CGROUP_PATH_SIZE + 256];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", about->point, parent) >= sizeof(path))
		return -1;
	dir = dir_open_at(AT_FDCWD, path, true);
	return dir >= 0 && is_of(dir, about) ? take_fd(&dir) : -1;
}

/* -1 with *why, or with why->error ESTALE when it is out of reach. */
static int open_place(const struct cgroup_mount *about, const char *parent, bool systemd,
		      struct failure *why)
{
	_cleanup_close_ int dir = open_made(about, parent);
	_cleanup_close_ int mount = dir < 0 ? cgroup_mount_open(about) : -1;

	if (dir < 0 && mount < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open the cgroup %s",
			       about->point);
	if (dir < 0)
		dir = dir_open_at(mount, parent, true);
	if (dir < 0 && errno == ENOENT) {
		if (!make_place(mount, about, parent, systemd, why))
			return -1;
		dir = dir_open_at(mount, parent, true);
	}
	if (dir < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot open the cgroup %s/%s",
			       about->point, parent);
	if (systemd && is_systemds(about) && !is_delegated(dir))
		return fail_fd(why, FAILURE_UNSUPPORTED, 0,
			       "systemd does not leave the cgroup %s to us: set Delegate=yes in "
			       "carrel.service and restart it, or set cgroup_parent",
			       parent);
	return take_fd(&dir);
}

static bool add_root(struct cgroup_layout *layout, const struct cgroup_mount *about, bool systemd,
		     unsigned wanted_of_v2, struct failure *why)
{
	struct cgroup_root *root = &layout->roots[layout->root_count];

	*root = (struct cgroup_root){.v2 = about->v2, .controllers = about->controllers};
	(void)snprintf(root->name, sizeof(root->name), "%s", about->name);
	root->dir = open_place(about, layout->parent, systemd, why);
	if (root->dir < 0)
		return why->error == ESTALE; /* out of reach: what it limits is not available */
	if (about->v2)
		root->controllers |=
		    enable_v2(about, root->dir, layout->parent, systemd, wanted_of_v2);
	layout->available |= root->controllers;
	layout->root_count++;
	return true;
}

/* systemd's first: where the unit is missing, nothing must be made in the others in its stead. */
static bool add_roots(struct cgroup_layout *layout, const struct cgroup_mounts *mounts,
		      bool systemd, unsigned wanted_of_v2, struct failure *why)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < mounts->count; i++)
			if (is_systemds(&mounts->mounts[i]) == (pass == 0) &&
			    !add_root(layout, &mounts->mounts[i], systemd, wanted_of_v2, why))
				return false;
	return true;
}

static bool choose_parent(const char *parent, char out[256], bool *systemd, struct failure *why)
{
	size_t length;

	*systemd = !parent && access(SYSTEMD_RUNS, F_OK) == 0;
	if (!parent)
		parent = *systemd ? SYSTEMD_PARENT : OTHER_PARENT;
	while (*parent == '/')
		parent++;
	length = strlen(parent);
	while (length > 0 && parent[length - 1] == '/')
		length--;
	if (length == 0 || length >= 256)
		return fail(why, FAILURE_POLICY, 0,
			    "cgroup_parent '%.64s' must be the path of a cgroup below the root",
			    parent);
	memcpy(out, parent, length);
	out[length] = '\0';
	for (const char *part = out; part; part = strchr(part, '/')) {
		size_t span;

		part += part[0] == '/';
		span = strcspn(part, "/");
		if (span == 0 || (part[0] == '.' && (span == 1 || (span == 2 && part[1] == '.'))))
			return fail(why, FAILURE_POLICY, 0,
				    "cgroup_parent '%.64s' must not contain '.', '..' or '//'",
				    out);
	}
	return true;
}

/* *all tells whether each of the mounts is within reach. */
static bool open_layout(struct cgroup_layout *layout, const struct cgroup_mounts *mounts,
			bool systemd, bool *all, struct failure *why)
{
	unsigned wanted = LIMITING;

	for (size_t i = 0; i < mounts->count; i++)
		if (!mounts->mounts[i].v2)
			wanted &= ~mounts->mounts[i].controllers;
	if (!add_roots(layout, mounts, systemd, wanted, why)) {
		cgroup_layout_close(layout);
		return false;
	}
	*all = layout->root_count == mounts->count;
	return true;
}

/* What was kept is true when every place is what it was, and only then. */
static bool open_kept(struct cgroup_layout *layout, int kept, const char *cgroups, bool systemd)
{
	struct cgroup_mounts mounts;
	struct failure ignored;
	bool all = false;

	if (kept < 0 || !kept_mounts_load(kept, cgroups, &mounts) ||
	    !open_layout(layout, &mounts, systemd, &all, &ignored))
		return false;
	if (!all)
		cgroup_layout_close(layout);
	return all;
}

static void empty_layout(struct cgroup_layout *layout)
{
	layout->root_count = 0;
	layout->available = 0;
}

bool cgroup_layout_find(const char *parent, int kept, struct cgroup_layout *layout,
			struct failure *why)
{
	_cleanup_free_ char *cgroups = NULL;
	struct cgroup_mounts mounts;
	bool systemd, all = false;

	*layout = (struct cgroup_layout){0};
	if (!choose_parent(parent, layout->parent, &systemd, why))
		return false;
	cgroups = file_read_at(AT_FDCWD, "/proc/self/cgroup", CGROUPS_LIMIT, NULL, why);
	if (!cgroups)
		return false;
	if (open_kept(layout, kept, cgroups, systemd))
		return true;
	empty_layout(layout);
	if (!cgroup_mounts_read(cgroups, &mounts, why) ||
	    !open_layout(layout, &mounts, systemd, &all, why))
		return false;
	if (layout->root_count == 0)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "every cgroup file system is covered by another mount");
	if (kept >= 0 && all)
		kept_mounts_store(kept, cgroups, &mounts);
	return true;
}

void cgroup_layout_close(struct cgroup_layout *layout)
{
	for (size_t i = 0; i < layout->root_count; i++) {
		cleanup_close(&layout->roots[i].dir);
		layout->roots[i].dir = -1;
	}
	layout->root_count = 0;
}

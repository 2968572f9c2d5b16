/* helper/container/common.c - what every container has inside: /proc, /sys, /dev, /run, /tmp,
 * binds. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "base/paths.h"
#include "helper/container/clones.h"
#include "helper/container/container.h"
#include "helper/container/trusted_path.h"
#include "helper/init/run_plan.h"
#include "helper/init/status.h"

#define PLAIN_FS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define DATA_FS  (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* Of /tmp, /run and /dev/shm together when the policy does not say. Pages count as memory anyway.
 */
#define TMP_BYTES_DEFAULT (256ull * 1024 * 1024)
#define PTYS_MAX          "256"
#define TEXT_MAX          (256 * 1024)

static void attach_host(struct plan *plan, const char *path, uint64_t attributes,
			enum plan_mountpoint point)
{
	int clone = clone_mount(AT_FDCWD, path, attributes);

	if (clone >= 0)
		plan_attach(plan, clone, path, point);
}

/*
 * Each mounted file system costs every container that runs: the kernel keeps for every memory
 * cgroup an entry for every file system that there is (shrinker_info, mm/shrinker.c), 16 bytes that
 * grow with the square. So what could be seven of them are folders of two: the shelf, where the
 * container's root alone writes and which users cannot fill, and the table, which is theirs.
 */
struct furniture {
	const char *shelf, *table;
	bool shelf_is_mount; /* and not a folder of the root */
};

/* Without an overlay the root is a tmpfs that can be the shelf; else it is one of its own. What is
 * at /sys is covered in the end. */
static const struct furniture of_host_image = {"/var/lib/carrel", "/tmp", false};
static const struct furniture of_named_image = {"/sys", "/tmp", false};
static const struct furniture of_overlay = {"/sys", "/tmp", true};

static const struct furniture *choose_furniture(const struct policy *policy)
{
	if (strcmp(policy->image, "host") == 0)
		return &of_host_image;
	return policy->root ? &of_overlay : &of_named_image;
}

static void plan_put(struct plan *plan, const char *place, const char *name, mode_t mode,
		     const char *path, uint64_t attributes)
{
	char folder[64];

	(void)snprintf(folder, sizeof(folder), "%s/%s", place, name);
	plan_folder(plan, folder, mode, 0, 0);
	plan_bind(plan, folder, path, PLAN_POINT_FOLDER, attributes);
}

static void plan_furniture(struct plan *plan, const struct furniture *at, const char *tmp_options)
{
	char blank[64];

	if (at->shelf_is_mount)
		plan_new_fs(plan, "tmpfs", "size=4m,mode=755", at->shelf, PLAN_POINT_FOLDER,
			    DATA_FS);
	else
		plan_folder(plan, at->shelf, 0700, 0, 0);
	(void)snprintf(blank, sizeof(blank), "%s/blank", at->shelf);
	plan_file(plan, blank, "", 0444);
	plan_new_fs(plan, "tmpfs", tmp_options, at->table, PLAN_POINT_FOLDER, PLAIN_FS);
}

/*
 * /proc: hide what tells of the host's kernel, make read-only what sets something. Most of it is
 * refused to the container's ids anyway; this is the second wall.
 */
static size_t plan_proc(struct plan *plan, const struct furniture *at)
{
	static const char *const masked[] = {
	    "/proc/kcore",         "/proc/keys",          "/proc/timer_list", "/proc/sched_debug",
	    "/proc/latency_stats", "/proc/sysrq-trigger", "/proc/acpi",       "/proc/scsi"};
	static const char *const readonly[] = {"/proc/sys", "/proc/bus", "/proc/fs", "/proc/irq"};
	char empty[64];
	size_t place;

	(void)snprintf(empty, sizeof(empty), "%s/empty", at->shelf);
	plan_folder(plan, empty, 0555, 0, 0);
	place = plan_attach_later(plan, "/proc", PLAN_POINT_FOLDER);
	/* No user namespace inside: the kernel code that one opens to its root is where exploits
	 * are. */
	plan_write(plan, "/proc/sys/user/max_user_namespaces", "0");
	for (size_t i = 0; i < ARRAY_LENGTH(masked); i++)
		plan_mask(plan, empty, masked[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(readonly); i++)
		plan_path(plan, PLAN_READONLY, readonly[i]);
	return place;
}

/* In CARREL_RUN. Whoever finds the last finds all. */
static bool make_sys_folders(int run, struct failure *why)
{
	static const char *const places[] = {"sys/devices/system/cpu", "sys/devices/system/node",
					     "sys/fs/cgroup"};

	if (faccessat(run, places[ARRAY_LENGTH(places) - 1], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
		if (!dir_make_at(run, places[i], 0755, why))
			return false;
	return true;
}

/* The folders of /sys, in which nobody makes anything, are the same of the host for all. */
static bool attach_sys_folders(struct plan *plan, const struct container_spec *spec,
			       int user_namespace, struct failure *why)
{
	int clone;

	if (!make_sys_folders(spec->registry->run, why))
		return false;
	clone = clone_mount(spec->registry->run, "sys", DATA_FS | MOUNT_ATTR_RDONLY);
	if (clone < 0)
		return fail(why, FAILURE_SYSTEM, errno,
			    "cannot show the folder sys of " CARREL_RUN);
	(void)map_mount(clone, user_namespace); /* tmpfs can since Linux 6.3 */
	plan_attach(plan, clone, "/sys", PLAN_POINT_FOLDER);
	return true;
}

/* /sys: only the shape of the machine, which thread libraries and lscpu ask for, and the own
 * limits. */
static bool plan_sys(struct plan *plan, const struct container_spec *spec, int user_namespace,
		     struct failure *why)
{
	const struct cgroup_layout *layout = spec->layout;
	bool v2 = false;

	if (!attach_sys_folders(plan, spec, user_namespace, why))
		return false;
	for (size_t i = 0; i < layout->root_count; i++)
		v2 = v2 || (layout->roots[i].v2 && layout->roots[i].controllers);
	attach_host(plan, "/sys/devices/system/cpu", DATA_FS | MOUNT_ATTR_RDONLY,
		    PLAN_POINT_EXISTS);
	attach_host(plan, "/sys/devices/system/node", DATA_FS | MOUNT_ATTR_RDONLY,
		    PLAN_POINT_EXISTS);
	if (v2)
		plan_new_fs(plan, "cgroup2", "", "/sys/fs/cgroup", PLAN_POINT_EXISTS,
			    DATA_FS | MOUNT_ATTR_RDONLY);
	return true;
}

/*
 * Bound from the host, since a user namespace cannot make device nodes (mknod(2)). What they are
 * bound to are names of one empty file: an inode takes a kilobyte.
 */
static void plan_device(struct plan *plan, const struct furniture *at, const char *path)
{
	int clone = clone_mount(AT_FDCWD, path, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	char blank[64], name[64];

	if (clone < 0)
		return;
	(void)snprintf(blank, sizeof(blank), "%s/blank", at->shelf);
	(void)snprintf(name, sizeof(name), "%s%s", at->shelf, path);
	plan_same_file(plan, blank, name);
	plan_attach(plan, clone, path, PLAN_POINT_EXISTS);
}

static void plan_dev(struct plan *plan, const struct furniture *at)
{
	static const char *const nodes[] = {"/dev/null",   "/dev/zero",    "/dev/full",
					    "/dev/random", "/dev/urandom", "/dev/tty"};
	static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
					       {"/proc/self/fd/0", "/dev/stdin"},
					       {"/proc/self/fd/1", "/dev/stdout"},
					       {"/proc/self/fd/2", "/dev/stderr"},
					       {"pts/ptmx", "/dev/ptmx"}};

	plan_put(plan, at->shelf, "dev", 0755, "/dev", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	for (size_t i = 0; i < ARRAY_LENGTH(nodes); i++)
		plan_device(plan, at, nodes[i]);
	plan_new_fs(plan, "devpts", "newinstance,ptmxmode=0666,mode=620,gid=5,max=" PTYS_MAX,
		    "/dev/pts", PLAN_POINT_FOLDER, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	for (size_t i = 0; i < ARRAY_LENGTH(links); i++)
		plan_link(plan, links[i][0], links[i][1]);
	plan_put(plan, at->table, "shm", 01777, "/dev/shm", PLAIN_FS);
	plan_new_fs(plan, "mqueue", "", "/dev/mqueue", PLAN_POINT_FOLDER, DATA_FS);
}

/* A stable id for the container: the same at every start, another for every name. */
static void machine_id(const char *name, char out[34])
{
	uint64_t high = 14695981039346656037ull, low = 0x6c62272e07bb0142ull;

	for (; *name; name++) {
		high = (high ^ (unsigned char)*name) * 1099511628211ull;
		low = (low + high) * 1099511628211ull ^ (high >> 29);
	}
	(void)snprintf(out, 34, "%016" PRIx64 "%016" PRIx64 "\n", high, low);
}

/* The host's file for network = host, which has the host's names and servers; "" when there is
 * none. */
static char *host_text(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct failure ignored;
	struct stat status;

	/* Rule of the host image: nothing that an ordinary user could not read on the host. */
	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    !(status.st_mode & S_IROTH))
		return strdup("");
	return file_read(fd, TEXT_MAX, NULL, path, &ignored);
}

/* Each small file takes a page: under the host image, where nobody can change it, it need not be
 * one.
 */
static void plan_hostname_file(struct plan *plan, const struct container_spec *spec,
			       bool host_image)
{
	char text[sizeof(spec->hostname) + 1];

	(void)snprintf(text, sizeof(text), "%s\n", spec->hostname);
	if (host_image)
		plan_link(plan, "/proc/sys/kernel/hostname", "/run/carrel/etc/hostname");
	else
		plan_file(plan, "/run/carrel/etc/hostname", text, 0644);
	plan_hostname(plan, spec->hostname);
}

static void plan_names(struct plan *plan, const struct container_spec *spec, bool host_image)
{
	bool host_network = spec->policy->network == NETWORK_HOST;
	_cleanup_free_ char *hosts = host_network ? host_text("/etc/hosts") : NULL;
	_cleanup_free_ char *servers = host_network ? host_text("/etc/resolv.conf") : NULL;
	_cleanup_free_ char *text = NULL;
	char id[34];

	machine_id(spec->name, id);
	plan_file(plan, "/run/carrel/etc/machine-id", id, 0444);
	plan_hostname_file(plan, spec, host_image);
	if (asprintf(&text,
		     "127.0.0.1\tlocalhost\n127.0.1.1\t%s\n"
		     "::1\tlocalhost ip6-localhost ip6-loopback\n%s",
		     spec->hostname, hosts ? hosts : "") < 0) {
		plan->failed = true;
		return;
	}
	plan_file(plan, "/run/carrel/etc/hosts", text, 0644);
	plan_file(plan, "/run/carrel/etc/resolv.conf", servers ? servers : "", 0644);
}

static void plan_run_folder(struct plan *plan, const struct furniture *at)
{
	plan_put(plan, at->table, "run", 0755, "/run", PLAIN_FS);
	plan_put(plan, at->shelf, "run", 0755, "/run/carrel", DATA_FS);
	plan_folder(plan, "/run/lock", 01777, 0, 0);
	plan_folder(plan, "/run/user", 0755, 0, 0);
	plan_folder(plan, "/run/carrel/etc", 0755, 0, 0);
	plan_folder(plan, "/run/carrel/homes", 0755, 0, 0);
	plan_file(plan, CARREL_INSIDE_MARK, "", 0444);
	plan_file(plan, "/run/utmp", "", 0644);
}

int bind_source_open(const struct policy *policy, const struct bind_mount *bind,
		     enum plan_mountpoint *point, struct failure *why)
{
	_cleanup_close_ int source = trusted_path_open(bind->source, why);
	struct stat status;

	if (source < 0) {
		failure_prefix(why, "bind \"%s\" of policy '%s'", bind->source, policy->name);
		return -1;
	}
	if (fstat(source, &status) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot look at \"%s\" of policy '%s'",
			       bind->source, policy->name);
	*point = S_ISDIR(status.st_mode) ? PLAN_POINT_FOLDER : PLAN_POINT_FILE;
	return take_fd(&source);
}

static bool plan_binds(struct plan *plan, const struct policy *policy, struct failure *why)
{
	for (size_t i = 0; i < policy->bind_count; i++) {
		const struct bind_mount *bind = &policy->binds[i];
		enum plan_mountpoint point = PLAN_POINT_FOLDER;
		_cleanup_close_ int source = bind_source_open(policy, bind, &point, why);
		int clone;

		if (source < 0)
			return false;
		clone =
		    clone_mount(source, "", PLAIN_FS | (bind->readonly ? MOUNT_ATTR_RDONLY : 0));
		if (clone < 0)
			return fail(why, FAILURE_SYSTEM, errno, "cannot bind \"%s\" of policy '%s'",
				    bind->source, policy->name);
		plan_attach(plan, clone, bind->target, point);
	}
	return true;
}

/*
 * /class: what teachers push to groups, `carrel push`. Always there, so that it is seen live; who
 * may look into which folder is said by the host's groups, which are the same inside.
 */
static bool plan_class(struct plan *plan, const struct container_spec *spec, struct failure *why)
{
	_cleanup_close_ int folder = -1;
	int clone;

	if (mkdirat(spec->registry->state, "class", 0755) < 0 && errno != EEXIST)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make the folder 'class' in %s",
			    spec->config->state_dir);
	folder = dir_open_at(spec->registry->state, "class", true);
	clone = folder < 0 ? -1 : clone_mount(folder, "", PLAIN_FS | MOUNT_ATTR_RDONLY);
	if (clone < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot show the folder 'class' of %s",
			    spec->config->state_dir);
	plan_attach(plan, clone, "/class", PLAN_POINT_FOLDER);
	return true;
}

static void tmp_size(const struct policy *policy, char *out, size_t size)
{
	uint64_t bytes = policy->limits.value[LIMIT_TMP];

	if (bytes >= LIMIT_UNLIMITED)
		bytes = TMP_BYTES_DEFAULT;
	(void)snprintf(out, size, "size=%" PRIu64 ",mode=755", bytes);
}

static bool plan_root(struct plan *plan, const struct container_spec *spec, int user_namespace,
		      uint32_t *image_version, int *hold, struct failure *why)
{
	if (strcmp(spec->policy->image, "host") == 0)
		return plan_host_root(plan, spec, user_namespace, hold, why);
	return plan_image_root(plan, spec, user_namespace, image_version, hold, why);
}

/* Last: the network is still being made, and sockets belong to that of their maker. */
static void plan_sockets(struct plan *plan, const struct policy *policy)
{
	if (container_namespaces(policy) & CLONE_NEWNET)
		plan_path(plan, PLAN_NETWORK, NULL);
	plan_path(plan, PLAN_LOG, "/dev/log");
	plan_path(plan, PLAN_STATUS, STATUS_SOCKET);
}

bool plan_inside(struct plan *plan, const struct container_spec *spec, int layer,
		 int user_namespace, size_t *proc, uint32_t *image_version, int *hold,
		 struct failure *why)
{
	bool host_image = strcmp(spec->policy->image, "host") == 0;
	const struct furniture *at = choose_furniture(spec->policy);
	char tmp_options[64];

	tmp_size(spec->policy, tmp_options, sizeof(tmp_options));
	*hold = -1;
	/* The layer first: an overlay needs it, and PID 1 keeps a descriptor of it for the homes.
	 */
	plan_attach(plan, layer, PLAN_LAYER_POINT, PLAN_POINT_EXISTS);
	if (!plan_root(plan, spec, user_namespace, image_version, hold, why))
		return false;
	plan_furniture(plan, at, tmp_options);
	plan_dev(plan, at); /* before /proc, whose files are masked with /dev/null */
	*proc = plan_proc(plan, at);
	plan_run_folder(plan, at);
	plan_names(plan, spec, host_image);
	if (!host_image)
		plan_image_etc(plan);
	else if (!plan_host_accounts(plan, why))
		return false;
	if (!plan_sys(plan, spec, user_namespace, why)) /* covers the shelf */
		return false;
	plan_put(plan, at->table, "tmp", 01777, "/tmp", PLAIN_FS); /* covers the table */
	plan_bind_layer(plan, "var-tmp", "/var/tmp", PLAN_POINT_FOLDER, PLAIN_FS);
	if (!plan_class(plan, spec, why))
		return false;
	if (!plan_binds(plan, spec->policy, why))
		return false;
	plan_sockets(plan, spec->policy);
	return true;
}

/* helper/container/build.c - build a container from nothing, in order, with an undo for every step.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/container/birth.h"
#include "helper/container/clones.h"
#include "helper/container/container.h"
#include "helper/container/empty_namespace.h"
#include "helper/limits/kept_mounts.h"
#include "helper/registry/note.h"
#include "helper/registry/process.h"
#include "helper/storage/storage.h"
#include "helper/storage/usage.h"

/* A container in the making: what each step leaves for the next and for the undo. */
struct build {
	const struct container_spec *spec;
	struct running_record *record;
	struct stored_record stored;
	struct id_map uids, gids;
	struct cgroup cgroup;
	struct birth birth;
	struct plan *plan;
	size_t proc; /* in the plan, for plan_give() */
	int layer;   /* detached mount */
	int hold;    /* lock on what it is made of, or -1 */
	int control; /* listening socket */
	int note;    /* file that PID 1 keeps */
	int used;    /* registry_open_used() */
	bool has_block, has_cgroup;
	bool *lent; /* storage_open() */
};

static const char *pool_name(const struct container_spec *spec)
{
	return spec->pool ? spec->pool->name : NULL;
}

static const struct limits *pool_limits(const struct container_spec *spec)
{
	return spec->pool ? &spec->pool->limits : NULL;
}

static bool make_block(struct build *build, struct failure *why)
{
	const struct config *config = build->spec->config;
	uint32_t block;

	if (!registry_take_block(build->spec->registry, build->spec->name, config->id_blocks,
				 &block, why))
		return false;
	build->has_block = true;
	build->record->block = block;
	return container_id_maps(build->spec, config->id_base + block * 65536u, &build->uids,
				 &build->gids, why);
}

static bool make_storage(struct build *build, struct failure *why)
{
	const struct container_spec *spec = build->spec;
	struct stored_record *stored = &build->stored;

	if (!registry_stored(spec->registry, spec->name, stored, why))
		return false;
	if (stored->version > STORED_VERSION)
		return fail(
		    why, FAILURE_DATA, 0,
		    "container '%s' was stored by a newer Carrel (layout %llu): install that "
		    "version again",
		    spec->name, (unsigned long long)stored->version);
	build->layer = storage_open(spec->registry, spec->name, spec->config, spec->policy, stored,
				    build->lent, why);
	if (build->layer < 0)
		return false;
	if (stored->version == 0) {
		stored->created_at = (uint64_t)time(NULL);
		(void)snprintf(stored->user, sizeof(stored->user), "%s", spec->account->name);
	}
	stored->version = STORED_VERSION;
	stored->last_used_at = (uint64_t)time(NULL);
	(void)snprintf(stored->policy, sizeof(stored->policy), "%s", spec->policy->name);
	(void)snprintf(stored->image, sizeof(stored->image), "%s", spec->policy->image);
	return true;
}

static bool make_stored(struct build *build, struct failure *why)
{
	const struct container_spec *spec = build->spec;

	if (!registry_write_stored(spec->registry, spec->name, &build->stored, why))
		return false;
	build->used = registry_open_used(spec->registry, spec->name, why);
	return build->used >= 0 &&
	       (used_write(build->used, build->stored.last_used_at) ||
		fail(why, FAILURE_SYSTEM, errno, "cannot note the use of '%s'", spec->name));
}

static bool make_cgroup(struct build *build, struct failure *why)
{
	const struct container_spec *spec = build->spec;
	/* The disk below, not the loop device of an image: it serves /usr and bound homes too. */
	_cleanup_close_ int place = registry_state_dir(spec->registry, spec->name, true, why);

	if (place < 0)
		return false;
	if (!cgroup_begin(spec->layout, spec->name, &spec->policy->limits, pool_name(spec),
			  pool_limits(spec), place, &build->cgroup, why)) {
		kept_mounts_forget(spec->registry->run);
		return false;
	}
	build->has_cgroup = true;
	/* One that ended while it was frozen has left its cgroup like that. */
	return cgroup_thaw(spec->layout, &build->cgroup, why);
}

/* Still before anybody may come in. */
static bool complete_cgroup(struct build *build, struct failure *why)
{
	const struct container_spec *spec = build->spec;

	return cgroup_complete(spec->layout, &build->cgroup, spec->name, &spec->policy->limits,
			       pool_limits(spec), why);
}

static bool start_init(struct build *build, struct failure *why)
{
	_cleanup_close_ int empty = empty_namespace_open(build->spec->registry, why);

	return empty >= 0 && birth_start(&build->birth, empty, why);
}

static bool admit_init(struct build *build, struct failure *why)
{
	return birth_admit(&build->birth, &build->uids, &build->gids, build->spec->layout,
			   &build->cgroup, container_namespaces(build->spec->policy), why);
}

/* The control socket, in the container's own runtime folder, where only root can reach it. */
static bool make_control(struct build *build, struct failure *why)
{
	_cleanup_close_ int dir =
	    dir_open_at(build->spec->registry->run_containers, build->spec->name, true);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	build->control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (dir < 0 || build->control < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make the control socket");
	(void)unlinkat(dir, "control", 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/control", dir);
	if (bind(build->control, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(build->control, 64) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make the control socket");
	return true;
}

static bool make_note(struct build *build, struct failure *why)
{
	_cleanup_close_ int dir =
	    dir_open_at(build->spec->registry->run_containers, build->spec->name, true);

	(void)unlinkat(dir, NOTE_FILE, 0);
	build->note =
	    openat(dir, NOTE_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return build->note >= 0 || fail(why, FAILURE_SYSTEM, errno, "cannot make the note");
}

static bool map_layer(const struct build *build, struct failure *why)
{
	return map_mount(build->layer, build->birth.user_namespace) ||
	       fail(
		   why, FAILURE_UNSUPPORTED, errno,
		   "the file system of state_dir '%s' cannot map ids: set state_dir to a folder on "
		   "ext4, xfs or btrfs",
		   build->spec->config->state_dir);
}

/* What PID 1 tells the inside about itself on its status socket. */
static size_t fill_settings(const struct build *build, struct channel_settings *settings,
			    int *cgroups)
{
	const struct container_spec *spec = build->spec;
	uint64_t sessions = spec->policy->limits.value[LIMIT_SESSIONS];

	(void)snprintf(settings->name, sizeof(settings->name), "%s", spec->name);
	(void)snprintf(settings->policy, sizeof(settings->policy), "%s", spec->policy->name);
	(void)snprintf(settings->image, sizeof(settings->image), "%s", spec->policy->image);
	settings->session_limit = sessions >= LIMIT_UNLIMITED ? 0 : (uint32_t)sessions;
	settings->bounded_disk = storage_is_bounded(&build->stored, spec->policy);
	settings->cgroup_count = (uint32_t)build->cgroup.count;
	for (size_t i = 0; i < build->cgroup.count; i++) {
		settings->cgroups[i].v2 = spec->layout->roots[i].v2;
		settings->cgroups[i].controllers = spec->layout->roots[i].controllers;
		cgroups[i] = build->cgroup.dirs[i];
	}
	return build->cgroup.count;
}

static bool make_plan(struct build *build, struct failure *why)
{
	build->plan = plan_new();
	if (!build->plan)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot plan the container");
	return map_layer(build, why) &&
	       plan_inside(build->plan, build->spec, take_fd(&build->layer),
			   build->birth.user_namespace, &build->proc, &build->record->image_version,
			   &build->hold, why);
}

static bool make_inside(struct build *build, struct failure *why)
{
	int proc = birth_meet(&build->birth, why) ? birth_mount_proc(&build->birth, why) : -1;

	if (proc < 0)
		return false;
	plan_give(build->plan, build->proc, proc);
	if (!birth_furnish(&build->birth, build->plan, why))
		return false;
	plan_free(take_ptr(build->plan));
	return true;
}

static bool finish_inside(struct build *build, struct failure *why)
{
	return birth_finish(&build->birth, why);
}

static bool fill_record(struct build *build, struct failure *why)
{
	const struct container_spec *spec = build->spec;
	struct running_record *record = build->record;

	record->pid = build->birth.pid;
	record->start_ticks = process_start_ticks(record->pid);
	/* A record that nobody can prove later would leave a container that runs beside the next.
	 */
	if (record->start_ticks == 0)
		return fail(why, FAILURE_SYSTEM, errno,
			    "cannot read the start time of carrel-init");
	record->pidfd_inode = process_pidfd_inode(build->birth.pidfd);
	record->started_at = (uint64_t)time(NULL);
	/* The PID namespace of the login service's children, and the user namespace, are joined
	 * too. */
	record->namespaces = container_namespaces(spec->policy) | CLONE_NEWUSER | CLONE_NEWPID;
	record->allow_root = spec->policy->root;
	record->uid = spec->account->uid;
	(void)snprintf(record->user, sizeof(record->user), "%s", spec->account->name);
	(void)snprintf(record->policy, sizeof(record->policy), "%s", spec->policy->name);
	(void)snprintf(record->image, sizeof(record->image), "%s", spec->policy->image);
	(void)snprintf(record->pool, sizeof(record->pool), "%s",
		       spec->pool ? spec->pool->name : "");
	(void)snprintf(record->hostname, sizeof(record->hostname), "%s", spec->hostname);
	return true;
}

static bool commit(struct build *build, struct failure *why)
{
	const struct container_spec *spec = build->spec;
	struct channel_settings settings = {.idle_seconds = spec->policy->time.idle_seconds,
					    .stop_seconds = spec->policy->time.stop_seconds,
					    .has_log = spec->log >= 0,
					    .has_events = spec->events >= 0,
					    .has_used = 1,
					    .has_hold = build->hold >= 0};
	int given[6 + CGROUP_MAX_ROOTS] = {build->control, build->note};
	size_t count = 2;

	if (settings.idle_seconds == TIME_UNSET || settings.idle_seconds == TIME_NEVER)
		settings.idle_seconds = UINT64_MAX;
	if (spec->log >= 0)
		given[count++] = spec->log;
	if (spec->events >= 0)
		given[count++] = spec->events;
	given[count++] = build->used;
	if (build->hold >= 0)
		given[count++] = build->hold;
	count += fill_settings(build, &settings, given + count);
	return birth_commit(&build->birth, &settings, given, count, why);
}

static bool make_record(struct build *build, struct failure *why)
{
	return registry_write_running(build->spec->registry, build->spec->name, build->record,
				      why) &&
	       commit(build, why);
}

static void undo(struct build *build)
{
	const struct container_spec *spec = build->spec;
	struct failure ignored;

	registry_forget_running(spec->registry, spec->name);
	if (build->has_cgroup) {
		(void)cgroup_kill(spec->layout, &build->cgroup, &ignored);
		(void)cgroup_remove(spec->layout, spec->name, pool_name(spec), &ignored);
	}
	if (build->has_block)
		registry_release_block(spec->registry, build->record->block);
}

bool container_start(const struct container_spec *spec, struct running_record *record, int *init,
		     bool *lent, struct failure *why)
{
	/*
	 * The order: carrel-init is on its way to where it waits for admit_init while the cgroup is
	 * made, which stands before there is any process of the container, so that none is ever
	 * outside of it. While it then makes the namespaces and PID 1, we plan, and while that
	 * carries out the plan we get ready what it needs afterwards, and write the limit that
	 * takes long, which holds before anybody comes in. The record is last, since whoever reads
	 * it takes the container for complete.
	 */
	static bool (*const steps[])(struct build *, struct failure *) = {
	    start_init,  make_block,      make_cgroup,   admit_init,  make_storage,
	    make_plan,   make_inside,     make_control,  make_note,   make_stored,
	    fill_record, complete_cgroup, finish_inside, make_record,
	};
	struct build build = {.spec = spec,
			      .record = record,
			      .lent = lent,
			      .layer = -1,
			      .hold = -1,
			      .control = -1,
			      .note = -1,
			      .used = -1,
			      .birth = BIRTH_NONE};
	bool made = true;

	memset(record, 0, sizeof(*record));
	/* A container that ended by itself left its record, socket and block: ours under this lock.
	 */
	registry_clear_runtime(spec->registry, spec->name);
	for (size_t i = 0; i < ARRAY_LENGTH(steps) && made; i++)
		made = steps[i](&build, why);
	*init = made ? take_fd(&build.birth.pidfd) : -1;
	birth_close(&build.birth);
	if (!made)
		undo(&build);
	if (build.has_cgroup)
		cgroup_close(&build.cgroup);
	plan_free(build.plan);
	cleanup_close(&build.layer);
	cleanup_close(&build.hold);
	cleanup_close(&build.control);
	cleanup_close(&build.note);
	cleanup_close(&build.used);
	return made;
}

/* helper/storage/project.c - the data of a container in a folder with a project quota. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/storage/kinds.h"
#include "helper/storage/project_quota.h"

#define ENTRY "layer.project"
/* In state_dir: a link for each project id that was given out, to the container's name. */
#define PROJECTS   "projects"
#define OWN_INODES 5 /* the folder of the layer and the four in it */
/* To a start, which takes some 25 files and blocks at most. */
#define LOAN_BYTES  (UINT64_C(1) << 20)
#define LOAN_INODES 64

static bool can_hold(int state, const struct config *config, const struct policy *policy,
		     const struct storage_wish *wish, struct failure *why)
{
	_cleanup_close_ int fd = openat(state, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)config;
	(void)wish;
	if (fd < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open state_dir");
	if (project_quota_in_force(fd, why))
		return true;
	failure_prefix(why, "policy '%s' asks for disk or inodes", policy->name);
	return false;
}

/* The folder with the links, locked against others who look for an id. -1 with errno. */
static int open_projects(int state)
{
	_cleanup_close_ int dir = -1;

	if (mkdirat(state, PROJECTS, 0700) < 0 && errno != EEXIST)
		return -1;
	dir = dir_open_at(state, PROJECTS, false);
	return dir >= 0 && flock(dir, LOCK_EX) == 0 ? take_fd(&dir) : -1;
}

/* Is there still a layer of this container, or one in the making, in that project? */
static bool is_held_by(int state, const char *owner, uint32_t project)
{
	static const char *const entries[] = {ENTRY, ".new-" ENTRY, ".moved-" ENTRY, ".old-" ENTRY};

	for (size_t i = 0; i < ARRAY_LENGTH(entries); i++) {
		_cleanup_close_ int layer = -1;
		char path[128];

		(void)snprintf(path, sizeof(path), "containers/%s/%s", owner, entries[i]);
		layer = dir_open_at(state, path, false);
		if (layer >= 0 && project_of(layer) == project)
			return true;
	}
	return false;
}

/* The name of the container to which the id was given; false when to none. */
static bool read_owner(int projects, uint32_t project, char owner[65])
{
	char link[16];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "%u", project);
	length = readlinkat(projects, link, owner, 64);
	owner[length > 0 ? length : 0] = '\0';
	return length > 0 && name_is_valid(owner);
}

/*
 * Nothing on the file system may be in the project: the admin may use ids of the range, and what a
 * removed container left may not be gone yet.
 */
static bool is_free(int state, int projects, int fd, uint32_t project)
{
	struct storage_facts facts;
	char owner[65];

	if (read_owner(projects, project, owner) && is_held_by(state, owner, project))
		return false;
	return project_quota_get(fd, project, &facts) && !facts.disk_bytes && !facts.inodes;
}

static bool record(int projects, uint32_t project, const char *name)
{
	char link[16];

	(void)snprintf(link, sizeof(link), "%u", project);
	return (unlinkat(projects, link, 0) == 0 || errno == ENOENT) &&
	       symlinkat(name, projects, link) == 0 && fsync(projects) == 0;
}

/* So that a container finds a free one at once, whatever the others have. FNV-1a. */
static uint32_t first_try(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash;
}

static bool join_free(const struct storage_place *place, int layer, uint32_t *project,
		      struct failure *why)
{
	const struct config *config = place->config;
	_cleanup_close_ int state = dir_open_at(AT_FDCWD, config->state_dir, true);
	_cleanup_close_ int projects = state < 0 ? -1 : open_projects(state);
	uint32_t first = first_try(place->name) % config->project_ids;

	if (projects < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open state_dir/projects");
	for (uint32_t i = 0; i < config->project_ids; i++) {
		*project =
		    config->project_base + (uint32_t)(((uint64_t)first + i) % config->project_ids);
		if (!is_free(state, projects, layer, *project))
			continue;
		return (record(projects, *project, place->name) && project_join(layer, *project)) ||
		       fail(why, FAILURE_SYSTEM, errno, "cannot give container '%s' project %u",
			    place->name, *project);
	}
	return fail(why, FAILURE_LIMIT, 0,
		    "all %u project ids from %u on are taken: raise project_ids in carrel.conf",
		    config->project_ids, config->project_base);
}

static bool set_limits(const struct storage_place *place, int layer, uint32_t project,
		       const struct storage_wish *wish, struct failure *why)
{
	struct storage_wish with_own = *wish;
	struct storage_facts facts;

	if (!project_quota_in_force(layer, why)) {
		if (!wish->disk && !wish->inodes)
			return true; /* nothing is asked for */
		failure_prefix(why, "the data of container '%s'", place->name);
		return false;
	}
	if (with_own.inodes)
		with_own.inodes += OWN_INODES;
	if (!project_quota_get(layer, project, &facts))
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the quota of '%s'",
			    place->name);
	if (wish->disk && facts.disk_bytes > wish->disk + LOAN_BYTES)
		return storage_too_small(place, "disk", facts.disk_bytes, wish->disk, why);
	if (wish->inodes && facts.inodes > with_own.inodes + LOAN_INODES)
		return storage_too_small(place, "inodes", facts.inodes - OWN_INODES, wish->inodes,
					 why);
	if (place->lent) {
		with_own.disk = storage_with_loan(wish->disk, facts.disk_bytes, LOAN_BYTES);
		with_own.inodes = storage_with_loan(with_own.inodes, facts.inodes, LOAN_INODES);
		*place->lent = wish->disk || wish->inodes;
	}
	return project_quota_set(layer, project, &with_own) ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot set the quota of '%s' (project %u)",
		    place->name, project);
}

static bool make(const struct storage_place *place, const char *entry,
		 const struct storage_wish *wish, struct failure *why)
{
	_cleanup_close_ int layer = -1;
	uint32_t project = 0;

	if (mkdirat(place->folder, entry, 0755) < 0)
		return fail(why, FAILURE_SYSTEM, errno,
			    "cannot make the layer of '%s' in state_dir", place->name);
	layer = folder_look(place, entry, why);
	return layer >= 0 && join_free(place, layer, &project, why) &&
	       set_limits(place, layer, project, wish, why);
}

static bool hold(const struct storage_place *place, const char *entry,
		 const struct storage_wish *wish, struct failure *why)
{
	_cleanup_close_ int layer = folder_look(place, entry, why);
	uint32_t project;

	if (layer < 0)
		return false;
	project = project_of(layer);
	if (project == 0)
		return fail(why, FAILURE_DATA, 0, "%s/%s is in no project", place->path, entry);
	return set_limits(place, layer, project, wish, why);
}

static int open_project(const struct storage_place *place, const char *entry,
			const struct storage_wish *wish, struct failure *why)
{
	return hold(place, entry, wish, why) ? folder_mount(place, entry, why) : -1;
}

/* Whatever is used by now. What fails here is in force from the next start on. */
static void take_back(const struct storage_place *place, const struct storage_wish *wish)
{
	struct failure ignored;
	_cleanup_close_ int layer = folder_look(place, ENTRY, &ignored);
	const struct storage_wish with_own = {
	    .disk = wish->disk, .inodes = wish->inodes ? wish->inodes + OWN_INODES : 0};

	if (layer >= 0)
		(void)project_quota_set(layer, project_of(layer), &with_own);
}

static bool apply(const struct storage_place *place, const struct storage_wish *wish,
		  struct failure *why)
{
	return hold(place, ENTRY, wish, why);
}

/* A copy, as a rollback or a restored backup leaves it, is in no project, or in another's. */
static bool is_astray(const struct storage_place *place)
{
	struct failure ignored;
	_cleanup_close_ int layer = folder_look(place, ENTRY, &ignored);
	_cleanup_close_ int state = dir_open_at(AT_FDCWD, place->config->state_dir, true);
	_cleanup_close_ int projects = state < 0 ? -1 : dir_open_at(state, PROJECTS, false);
	uint32_t project = layer < 0 ? 0 : project_of(layer);
	char owner[65];

	if (layer < 0)
		return false;
	return project == 0 || projects < 0 || !read_owner(projects, project, owner) ||
	       strcmp(owner, place->name) != 0;
}

static bool facts(const struct storage_place *place, struct storage_facts *facts,
		  struct failure *why)
{
	_cleanup_close_ int layer = folder_look(place, ENTRY, why);

	if (layer < 0)
		return false;
	return project_quota_get(layer, project_of(layer), facts) ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot read the quota of '%s'", place->name);
}

const struct storage_ops storage_project = {
    .kind = STORAGE_PROJECT,
    .entry = ENTRY,
    .can_hold = can_hold,
    .make = make,
    .open = open_project,
    .take_back = take_back,
    .apply = apply,
    .look = folder_look,
    .remove = folder_remove,
    .is_astray = is_astray,
    .facts = facts,
};

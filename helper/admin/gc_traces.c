/* helper/admin/gc_traces.c - find what was left in the cgroups and in /run by nobody known. */
#include "helper/admin/gc_traces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/containers.h"
#include "helper/limits/control_file.h"
#include "helper/limits/session_cgroup.h"

#define POOL_PREFIX "pool-"
#define ANCHOR      "anchor" /* carrel.service's own, helper/init/anchor.c */

struct sweep {
	const struct context *context;
	bool dry_run;
	traces_tell *tell;
	void *data;
};

static DIR *list(int dir)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = again < 0 ? NULL : fdopendir(again);

	if (!listing)
		cleanup_close(&again);
	return listing;
}

static bool is_running(const struct context *context, const char *name)
{
	struct running_record record;
	_cleanup_close_ int init = -1;
	struct failure ignored;

	/* A record that cannot be read may be one of a container that runs. */
	return !registry_running(&context->registry, name, &record, &init, &ignored) || init >= 0;
}

static bool is_empty(int above, const char *directory)
{
	_cleanup_close_ int dir = control_open_dir(above, directory);
	char text[16];

	return dir >= 0 && control_read(dir, "cgroup.procs", text, sizeof(text)) && !*text;
}

/* A name that a control file could have stands there with one '_' more (cgroup_name.c). */
static void clear_cgroup(const struct sweep *sweep, int above, const char *directory,
			 const char *pool)
{
	const char *name = directory[0] == '_' ? directory + 1 : directory;
	_cleanup_close_ int lock = -1;
	struct failure ignored;
	char known_pool[65];

	if (!name_is_valid(name) || is_running(sweep->context, name))
		return;
	if (sweep->dry_run) {
		/* What the registry knows of goes as a container. */
		if (is_empty(above, directory) &&
		    !container_has_traces(sweep->context, name, known_pool))
			sweep->tell(sweep->data, name);
		return;
	}
	/* Who has the lock may be about to put the first process in. */
	lock = registry_lock(&sweep->context->registry, name, 0, &ignored);
	if (lock >= 0 && !is_running(sweep->context, name) &&
	    cgroup_remove(&sweep->context->layout, name, pool, &ignored))
		sweep->tell(sweep->data, name);
}

static void sweep_running(int above, const char *directory)
{
	_cleanup_close_ int dir = control_open_dir(above, directory);

	if (dir >= 0)
		session_cgroups_sweep(dir);
}

static void clear_below(const struct sweep *sweep, int above, const char *pool)
{
	_cleanup_closedir_ DIR *listing = list(above);
	const struct dirent *entry;

	while (listing && (entry = readdir(listing))) {
		const char *name = entry->d_name;

		if (entry->d_type != DT_DIR || name[0] == '.' || strcmp(name, ANCHOR) == 0)
			continue;
		if (strncmp(name, POOL_PREFIX, strlen(POOL_PREFIX)) != 0) {
			if (!sweep->dry_run)
				sweep_running(above, name);
			clear_cgroup(sweep, above, name, pool);
		} else if (!pool) {
			_cleanup_close_ int below = control_open_dir(above, name);

			if (below >= 0)
				clear_below(sweep, below, name + strlen(POOL_PREFIX));
			if (!sweep->dry_run) /* stays unless it is empty; logins make it again */
				(void)unlinkat(above, name, AT_REMOVEDIR);
		}
	}
}

void traces_clear_cgroups(const struct context *context, bool dry_run, traces_tell *tell,
			  void *data)
{
	const struct sweep sweep = {context, dry_run, tell, data};

	for (size_t i = 0; context->has_layout && i < context->layout.root_count; i++) {
		clear_below(&sweep, context->layout.roots[i].dir, NULL);
		/* The same names are in every hierarchy, and are removed from all at once. */
		if (dry_run)
			break;
	}
}

static bool is_forgotten(const struct context *context, const char *name)
{
	char pool[65];

	return !is_running(context, name) && !container_has_traces(context, name, pool) &&
	       faccessat(context->registry.state_containers, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	       errno == ENOENT;
}

/* With the lock in it: who waits for that one sees that it is gone and makes another. */
static bool remove_folder(const struct context *context, const char *name)
{
	_cleanup_close_ int lock = -1, dir = -1;
	struct failure ignored;

	lock = registry_lock(&context->registry, name, 0, &ignored);
	if (lock < 0 || !is_forgotten(context, name))
		return false;
	dir = dir_open_at(context->registry.run_containers, name, true);
	return dir >= 0 && unlinkat(dir, "lock", 0) == 0 &&
	       unlinkat(context->registry.run_containers, name, AT_REMOVEDIR) == 0;
}

bool traces_clear_folders(const struct context *context, bool dry_run, traces_tell *tell,
			  void *data, struct failure *why)
{
	char **names;
	size_t count;

	if (!registry_names(&context->registry, &names, &count, why))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (is_forgotten(context, names[i]) &&
		    (dry_run || remove_folder(context, names[i])))
			tell(data, names[i]);
		free(names[i]);
	}
	free(names);
	return true;
}

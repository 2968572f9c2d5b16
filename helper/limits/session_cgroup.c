/* helper/limits/session_cgroup.c - make, list and remove the cgroups of sessions. */
#include "helper/limits/session_cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/limits/control_file.h"

#define NAME_SIZE 48

static DIR *open_listing(int dir)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = again < 0 ? NULL : fdopendir(again);

	if (!listing)
		cleanup_close(&again);
	return listing;
}

static const char *next_session(DIR *listing)
{
	const struct dirent *entry;

	while ((entry = readdir(listing)))
		if (strncmp(entry->d_name, SESSION_CGROUP_PREFIX, strlen(SESSION_CGROUP_PREFIX)) ==
		    0)
			return entry->d_name;
	return NULL;
}

void session_cgroups_sweep(int dir)
{
	_cleanup_closedir_ DIR *listing = open_listing(dir);
	const char *name;

	/* One that still holds processes stays (EBUSY). */
	while (listing && (name = next_session(listing)))
		(void)unlinkat(dir, name, AT_REMOVEDIR);
}

bool session_cgroups_each(int dir, bool (*each)(int session, struct failure *why),
			  struct failure *why)
{
	_cleanup_closedir_ DIR *listing = open_listing(dir);
	bool all = true;
	const char *name;

	if (!listing)
		return fail(why, FAILURE_SYSTEM, errno, "cannot list the cgroups of sessions");
	while ((name = next_session(listing))) {
		_cleanup_close_ int session = control_open_dir(dir, name);

		if (session >= 0 && !each(session, why))
			all = false;
	}
	return all;
}

static bool has_sessions(const struct cgroup_root *root)
{
	return root->controllers & (1U << CGROUP_FREEZER | 1U << CGROUP_CPUACCT);
}

static bool open_file(int dir, const char *name, int flags, int *file, struct failure *why)
{
	if (*file >= 0)
		return true;
	*file = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC);
	return *file >= 0 ||
	       fail(why, FAILURE_UNSUPPORTED, errno,
		    "a session cannot be ended on time: the kernel's cgroups have no %s", name);
}

static bool open_files(const struct cgroup_root *root, int dir, struct session_cgroup *session,
		       struct failure *why)
{
	int *files = session->files;

	if (root->controllers & 1U << CGROUP_FREEZER) {
		session->kill_is_v1 = !root->v2;
		if (!open_file(dir, "cgroup.procs", O_RDONLY, &files[SESSION_FILE_PROCS], why) ||
		    !open_file(dir, root->v2 ? "cgroup.kill" : "freezer.state",
			       root->v2 ? O_WRONLY : O_RDWR, &files[SESSION_FILE_KILL], why))
			return false;
	}
	if (!(root->controllers & 1U << CGROUP_CPUACCT))
		return true;
	session->cpu_is_v1 = !root->v2;
	return open_file(dir, root->v2 ? "cpu.stat" : "cpuacct.usage", O_RDONLY,
			 &files[SESSION_FILE_CPU], why);
}

/* Processes of an earlier session whose login service had this pid may be in one of the name. */
static bool free_name(const struct cgroup_layout *layout, const struct cgroup *container,
		      const char *name)
{
	for (size_t i = 0; i < layout->root_count && i < container->count; i++)
		if (has_sessions(&layout->roots[i]) &&
		    faccessat(container->dirs[i], name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return false;
	return true;
}

static bool make_in(const struct cgroup_root *root, int container, const char *name,
		    struct session_cgroup *session, struct failure *why)
{
	int *dir = &session->place.dirs[session->place.count];

	if (!has_sessions(root) || container < 0) {
		*dir = container < 0 ? -1 : fcntl(container, F_DUPFD_CLOEXEC, 0);
		session->place.count++;
		return true;
	}
	*dir = mkdirat(container, name, 0755) < 0 ? -1 : control_open_dir(container, name);
	session->place.count++;
	return *dir >= 0
		   ? open_files(root, *dir, session, why)
		   : fail(why, FAILURE_SYSTEM, errno,
			  "cannot make the session's cgroup '%s' (hierarchy %s)", name, root->name);
}

bool session_cgroup_make(const struct cgroup_layout *layout, const struct cgroup *container,
			 pid_t pid, struct session_cgroup *session, struct failure *why)
{
	char name[NAME_SIZE];
	bool made = true;

	*session = (struct session_cgroup){.files = {-1, -1, -1}};
	for (size_t i = 0; i < layout->root_count && i < container->count; i++)
		if (has_sessions(&layout->roots[i]) && container->dirs[i] >= 0)
			session_cgroups_sweep(container->dirs[i]);
	for (unsigned i = 0; i == 0 || !free_name(layout, container, name); i++)
		(void)snprintf(name, sizeof(name), SESSION_CGROUP_PREFIX "%d-%u", pid, i);
	for (size_t i = 0; i < layout->root_count && i < container->count && made; i++)
		made = make_in(&layout->roots[i], container->dirs[i], name, session, why);
	if (made && session->files[SESSION_FILE_KILL] < 0)
		made = fail(why, FAILURE_UNSUPPORTED, 0,
			    "a session cannot be ended on time: there is neither cgroup v2 nor the "
			    "v1 freezer");
	if (made)
		return true;
	session_cgroup_close(session);
	for (size_t i = 0; i < layout->root_count && i < container->count; i++)
		if (has_sessions(&layout->roots[i]) && container->dirs[i] >= 0)
			(void)unlinkat(container->dirs[i], name, AT_REMOVEDIR);
	return false;
}

void session_cgroup_close(struct session_cgroup *session)
{
	for (size_t i = 0; i < SESSION_FILE_COUNT; i++) {
		cleanup_close(&session->files[i]);
		session->files[i] = -1;
	}
	cgroup_close(&session->place);
}

int cgroup_open_cpu(const struct cgroup_layout *layout, const struct cgroup *container, bool *v1,
		    struct failure *why)
{
	for (size_t i = 0; i < layout->root_count && i < container->count; i++) {
		const struct cgroup_root *root = &layout->roots[i];
		int file = -1;

		if (!(root->controllers & 1U << CGROUP_CPUACCT) || container->dirs[i] < 0)
			continue;
		*v1 = !root->v2;
		return open_file(container->dirs[i], root->v2 ? "cpu.stat" : "cpuacct.usage",
				 O_RDONLY, &file, why)
			   ? file
			   : -1;
	}
	return fail_fd(why, FAILURE_UNSUPPORTED, 0,
		       "processor time is counted by neither cgroup v2 nor the v1 cpuacct "
		       "controller: a policy cannot limit it by the day");
}

/* helper/container/session_plan.c - what a login adds to a running container. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "helper/container/clones.h"
#include "helper/container/container.h"
#include "helper/container/trusted_path.h"
#include "helper/init/account_step.h"

#define HOME_FS            (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define HOME_BYTES_DEFAULT (256ull * 1024 * 1024)

bool home_path_check(const struct account *account, struct failure *why)
{
	static const char *const taken[] = {"/proc", "/sys", "/dev",   "/etc",  "/run",
					    "/usr",  "/bin", "/sbin",  "/lib",  "/lib64",
					    "/boot", "/tmp", "/layer", "/image"};
	const char *home = account->home;
	bool bad = home[0] != '/' || home[1] == '\0' || strstr(home, "//") ||
		   strstr(home, "/../") || strstr(home, "/./") || strlen(home) > 1024;

	for (size_t i = 0; i < ARRAY_LENGTH(taken) && !bad; i++) {
		size_t length = strlen(taken[i]);

		bad = strncmp(home, taken[i], length) == 0 &&
		      (home[length] == '\0' || home[length] == '/');
	}
	if (bad || account->name[0] == '.' || strchr(account->name, '/'))
		return fail(
		    why, FAILURE_POLICY, 0,
		    "user '%s' has the home '%s', which cannot be a home in a container: give "
		    "them another with usermod -d, or exempt them",
		    account->name, home);
	return true;
}

/* The user's groups without those that have no place in the container's id map. */
static bool plan_account(struct plan *plan, const struct container_spec *spec,
			 const struct id_map *gids, struct failure *why)
{
	struct account shown = *spec->account;
	_cleanup_free_ struct account_group *groups =
	    calloc(shown.group_count + 1, sizeof(struct account_group));
	_cleanup_free_ void *data = NULL;
	size_t length, kept = 0;
	bool host_image = strcmp(spec->policy->image, "host") == 0;

	if (!groups)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot list the groups of '%s'",
			    shown.name);
	for (size_t i = 0; i < shown.group_count; i++)
		if (id_map_contains(gids, shown.groups[i].gid))
			groups[kept++] = shown.groups[i];
	shown.groups = groups;
	shown.group_count = kept;
	data = account_pack(&shown, &length);
	if (!data)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot pack the account of '%s'",
			    shown.name);
	plan_data(plan, PLAN_ACCOUNT, host_image ? "/run/carrel/etc" : "/etc", data, length);
	return true;
}

/*
 * The host's home itself. Ids need no map: the user's own is the same on both sides, and files of
 * others in it are nobody's inside.
 */
static bool plan_bound_home(struct plan *plan, const struct account *account, struct failure *why)
{
	_cleanup_close_ int home = trusted_path_open(account->home, why);
	struct stat status;
	int clone;

	if (home < 0) {
		failure_prefix(why, "home of '%s' (home = bind)", account->name);
		return false;
	}
	if (fstat(home, &status) < 0 || !S_ISDIR(status.st_mode) ||
	    (status.st_uid != account->uid && status.st_uid != 0))
		return fail(
		    why, FAILURE_DATA, 0,
		    "the home %s does not belong to '%s': with home = bind it must be theirs",
		    account->home, account->name);
	clone = clone_mount(home, "", HOME_FS);
	if (clone < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot bind the home %s", account->home);
	plan_attach(plan, clone, account->home, PLAN_POINT_FOLDER);
	return true;
}

static void plan_tmpfs_home(struct plan *plan, const struct container_spec *spec)
{
	const struct account *account = spec->account;
	uint64_t bytes = spec->policy->limits.value[LIMIT_TMP];
	char options[128];

	if (bytes >= LIMIT_UNLIMITED)
		bytes = HOME_BYTES_DEFAULT;
	(void)snprintf(options, sizeof(options), "size=%" PRIu64 ",mode=700,uid=%u,gid=%u", bytes,
		       account->uid, account->gid);
	plan_new_fs(plan, "tmpfs", options, account->home, PLAN_POINT_FOLDER, HOME_FS);
	plan_skel(plan, account->home, account->uid, account->gid);
}

static bool plan_user_home(struct plan *plan, const struct container_spec *spec,
			   struct failure *why)
{
	const struct account *account = spec->account;

	switch (spec->policy->home) {
	case HOME_BIND:
		return plan_bound_home(plan, account, why);
	case HOME_TMPFS:
		plan_tmpfs_home(plan, spec);
		return true;
	case HOME_PRIVATE:
		plan_home(plan, account->name, account->home, account->uid, account->gid, HOME_FS);
		return true;
	}
	return fail(why, FAILURE_POLICY, 0, "unknown kind of home");
}

/* What login services and their PAM modules open after the join, and nobody checks before. */
static void clear_the_way(struct plan *plan)
{
	static const char *const paths[] = {
	    "/etc/environment",    "/etc/hosts",
	    "/etc/localtime",      "/etc/login.defs",
	    "/etc/motd",           "/etc/nologin",
	    "/etc/nsswitch.conf",  "/etc/security/group.conf",
	    "/etc/shadow",         "/etc/security/pam_env.conf",
	    "/etc/shells",         "/etc/ttytype",
	    "/etc/default/locale", "/run/motd.dynamic",
	    "/run/utmp",           "/run/nologin",
	    "/var/log/btmp",       "/var/log/lastlog",
	    "/var/log/wtmp",
	};

	for (size_t i = 0; i < ARRAY_LENGTH(paths); i++)
		plan_path(plan, PLAN_SET_ASIDE, paths[i]);
}

bool plan_session(struct plan *plan, const struct container_spec *spec, const struct id_map *gids,
		  const struct login_tty *tty, struct failure *why)
{
	const struct account *account = spec->account;
	char run[64], mark[320];
	size_t unless;

	if (!plan_account(plan, spec, gids, why))
		return false;
	if (spec->policy->root) {
		clear_the_way(plan);
		plan_grant_root(plan, account->name);
	}
	(void)snprintf(run, sizeof(run), "/run/user/%u", account->uid);
	plan_folder(plan, run, 0700, account->uid, account->gid);
	/* Once per start and user; the mark is written last, so a step that failed is done again.
	 */
	(void)snprintf(mark, sizeof(mark), "/run/carrel/homes/%s", account->name);
	unless = plan_unless(plan, mark);
	if (!plan_user_home(plan, spec, why))
		return false;
	plan_file(plan, mark, "", 0444);
	plan_unless_end(plan, unless);
	if (tty->fd >= 0) {
		int clone = clone_mount(tty->fd, "", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);

		if (clone < 0)
			return fail(why, FAILURE_SYSTEM, errno, "cannot bind the terminal %s",
				    tty->inside);
		unless = plan_unless(plan, tty->inside);
		plan_attach(plan, clone, tty->inside, PLAN_POINT_FILE);
		plan_unless_end(plan, unless);
	}
	return true;
}

/* helper/container/host_root.c - image = "host": the machine's own programs, and nothing else of
 * it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "helper/container/clones.h"
#include "helper/container/container.h"

#define READ_ONLY (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

/* A changed host file may be seen this late in new containers: looking costs a walk over /etc. */
#define ETC_RECHECK_SECONDS 30
#define ACCOUNTS_TEXT_MAX   (1024 * 1024)

const char *const program_folders[] = {"/usr",   "/bin",    "/sbin", "/lib", "/lib32",
				       "/lib64", "/libx32", "/opt",  NULL};

/*
 * A read-only copy of a host folder at the same path, with root's files as the container root's
 * where the file system can map ids. Where it cannot, they appear as nobody's, which only programs
 * mind that insist on the owner of their configuration.
 */
static bool attach_folder(struct plan *plan, const char *path, int user_namespace,
			  struct failure *why)
{
	int clone = clone_mount(AT_FDCWD, path, READ_ONLY);

	if (clone < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot show the host's %s", path);
	(void)map_mount(clone, user_namespace);
	plan_attach(plan, clone, path, PLAN_POINT_FOLDER);
	return true;
}

/* What is left out here would be missing as long as the container runs. */
static bool copy_link(struct plan *plan, const char *path, struct failure *why)
{
	char target[256];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the host's link %s", path);
	target[length] = '\0';
	plan_link(plan, target, path);
	return true;
}

/* /bin, /lib and so on: links into /usr on a merged system, folders on an older one. */
static bool plan_top_level(struct plan *plan, int user_namespace, struct failure *why)
{
	for (size_t i = 0; program_folders[i]; i++) {
		const char *path = program_folders[i];
		struct stat status;

		if (lstat(path, &status) < 0) {
			if (errno != ENOENT)
				return fail(why, FAILURE_SYSTEM, errno,
					    "cannot look at the host's %s", path);
		} else if (S_ISDIR(status.st_mode)) {
			if (!attach_folder(plan, path, user_namespace, why))
				return false;
		} else if (S_ISLNK(status.st_mode) && !copy_link(plan, path, why)) {
			return false;
		}
	}
	return true;
}

/* The empty folders a system has, the rest of /var as programs expect it. */
static void plan_folders(struct plan *plan)
{
	static const struct {
		const char *path;
		mode_t mode;
	} folders[] = {
	    {"/home", 0755},    {"/media", 0755},     {"/mnt", 0755},     {"/root", 0700},
	    {"/srv", 0755},     {"/var/cache", 0755}, {"/var/lib", 0755}, {"/var/local", 0755},
	    {"/var/log", 0755}, {"/var/mail", 0755},  {"/var/opt", 0755}, {"/var/spool", 0755},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(folders); i++)
		plan_folder(plan, folders[i].path, folders[i].mode, 0, 0);
	plan_link(plan, "/run", "/var/run");
	plan_link(plan, "/run/lock", "/var/lock");
	plan_file(plan, "/var/log/wtmp", "", 0644);
	plan_file(plan, "/var/log/lastlog", "", 0644);
}

static bool plan_etc(struct plan *plan, const struct container_spec *spec, int user_namespace,
		     int *hold, struct failure *why)
{
	_cleanup_close_ int etc = dir_open_at(AT_FDCWD, "/etc", false);
	_cleanup_close_ int store = -1;
	_cleanup_close_ int snapshot = -1;
	int clone;

	if (mkdirat(spec->registry->state, "host", 0700) < 0 && errno != EEXIST)
		return fail(why, FAILURE_SYSTEM, errno,
			    "cannot make the folder 'host' in state_dir '%s'",
			    spec->config->state_dir);
	store = dir_open_at(spec->registry->state, "host", false);
	if (etc < 0 || store < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open /etc for the host image");
	snapshot = etc_snapshot_open(etc, store, ETC_RECHECK_SECONDS, hold, why);
	if (snapshot < 0)
		return false;
	clone = clone_mount(snapshot, "", READ_ONLY | MOUNT_ATTR_NOEXEC);
	if (clone < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot mount the snapshot of /etc");
	(void)map_mount(clone, user_namespace);
	plan_attach(plan, clone, "/etc", PLAN_POINT_FOLDER);
	return true;
}

/* passwd and group begin with the system's accounts; the users are merged in at their logins. */
bool plan_host_accounts(struct plan *plan, struct failure *why)
{
	_cleanup_free_ char *passwd = NULL, *group = NULL, *passwd_text = NULL, *group_text = NULL;

	passwd = file_read_at(AT_FDCWD, "/etc/passwd", ACCOUNTS_TEXT_MAX, NULL, why);
	group = passwd ? file_read_at(AT_FDCWD, "/etc/group", ACCOUNTS_TEXT_MAX, NULL, why) : NULL;
	passwd_text = group ? passwd_system_entries(passwd, why) : NULL;
	group_text = passwd_text ? group_system_entries(group, why) : NULL;
	if (!group_text)
		return false;
	plan_file(plan, "/run/carrel/etc/passwd", passwd_text, 0644);
	plan_file(plan, "/run/carrel/etc/group", group_text, 0644);
	return true;
}

bool plan_host_root(struct plan *plan, const struct container_spec *spec, int user_namespace,
		    int *hold, struct failure *why)
{
	plan_new_fs(plan, "tmpfs", "size=4m,mode=755", "/", PLAN_POINT_EXISTS,
		    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (!plan_top_level(plan, user_namespace, why) ||
	    !plan_etc(plan, spec, user_namespace, hold, why))
		return false;
	plan_folders(plan);
	return true;
}

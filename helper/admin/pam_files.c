/* helper/admin/pam_files.c - read and replace the files of PAM services. */
#include "helper/admin/pam_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/pam_text.h"

#define PAM_FILE_MAX (1024 * 1024)
#define NEW_NAME     ".carrel-new"

static bool service_name_check(const char *service, struct failure *why)
{
	if (*service && *service != '.' && strlen(service) < 256 && !strchr(service, '/'))
		return true;
	return fail(why, FAILURE_REQUEST, 0, "'%s' is not the name of a PAM service", service);
}

static char *read_in(const char *directory, const char *service, struct failure *why)
{
	_cleanup_close_ int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int file = -1;
	struct stat status;

	/* Links are followed here, unlike anywhere else: libpam does, and only root writes there.
	 */
	if (dir >= 0)
		file = openat(dir, service, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (file < 0 || fstat(file, &status) < 0) {
		(void)fail(why, errno == ENOENT ? FAILURE_MISSING : FAILURE_SYSTEM, errno,
			   "cannot read %s/%s", directory, service);
		return NULL;
	}
	if (!S_ISREG(status.st_mode)) {
		(void)fail(why, FAILURE_DATA, 0, "%s/%s is not a regular file", directory, service);
		return NULL;
	}
	return file_read(file, PAM_FILE_MAX, NULL, service, why);
}

char *pam_service_read(const char *service, bool *from_vendor, struct failure *why)
{
	struct failure vendor_why;
	char *text;

	*from_vendor = false;
	if (!service_name_check(service, why))
		return NULL;
	text = read_in(PAM_DIRECTORY, service, why);
	if (text || why->kind != FAILURE_MISSING)
		return text;
	text = read_in(PAM_VENDOR_DIRECTORY, service, &vendor_why);
	*from_vendor = text != NULL;
	return text;
}

/* The SELinux label decides whether sshd may read the file at all: keep it where there is one. */
static void copy_label(int from, int to)
{
	char label[512];
	ssize_t length = fgetxattr(from, "security.selinux", label, sizeof(label));

	if (length > 0)
		(void)fsetxattr(to, "security.selinux", label, (size_t)length, 0);
}

/* Fill ".carrel-new" in `dir` with the text, and make it look like the file it will replace. */
static bool write_new(int dir, const char *service, const char *text, struct failure *why)
{
	_cleanup_close_ int old = openat(dir, service, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat like = {.st_mode = 0644};
	_cleanup_close_ int new = -1;

	if (old < 0 && errno != ENOENT)
		return fail(why, FAILURE_DATA, errno == ELOOP ? 0 : errno,
			    errno == ELOOP ? PAM_DIRECTORY "/%s is a link: change what it points to"
					   : "cannot open " PAM_DIRECTORY "/%s",
			    service);
	if (old >= 0 && fstat(old, &like) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot stat " PAM_DIRECTORY "/%s",
			    service);
	(void)unlinkat(dir, NEW_NAME, 0);
	new = openat(dir, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (new < 0 || !file_write_all(new, text, strlen(text)) ||
	    fchown(new, like.st_uid, like.st_gid) < 0 || fchmod(new, like.st_mode & 07777) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot write " PAM_DIRECTORY "/" NEW_NAME);
	if (old >= 0)
		copy_label(old, new);
	if (fsync(new) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot write " PAM_DIRECTORY "/" NEW_NAME);
	return true;
}

bool pam_service_write(const char *service, const char *text, struct failure *why)
{
	_cleanup_close_ int dir = open(PAM_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || flock(dir, LOCK_EX) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot lock " PAM_DIRECTORY);
	if (!write_new(dir, service, text, why)) {
		(void)unlinkat(dir, NEW_NAME, 0);
		return false;
	}
	if (renameat(dir, NEW_NAME, dir, service) < 0) {
		(void)fail(why, FAILURE_SYSTEM, errno, "cannot replace " PAM_DIRECTORY "/%s",
			   service);
		(void)unlinkat(dir, NEW_NAME, 0);
		return false;
	}
	(void)fsync(dir);
	return true;
}

bool pam_service_drop_copy(const char *service, const char *text, struct failure *why)
{
	_cleanup_close_ int dir = open(PAM_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *vendor = read_in(PAM_VENDOR_DIRECTORY, service, why);

	if (!vendor || strcmp(vendor, text) != 0)
		return true;
	if (dir < 0 || unlinkat(dir, service, 0) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot remove " PAM_DIRECTORY "/%s",
			    service);
	return true;
}

/* helper/accounts/etc_listing.c - the part of /etc that every user may read, entry by entry. */
#include "helper/accounts/etc_listing.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Each level keeps a descriptor open. */
#define DEPTH_MAX 32

#define MAY_READ  04u
#define MAY_ENTER 05u

/* A device or pipe that takes the name of a file must neither keep us waiting nor be our tty. */
#define FILE_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

const struct etc_replacement etc_replacements[] = {
    {"passwd", "/run/carrel/etc/passwd"},
    {"group", "/run/carrel/etc/group"},
    {"hostname", "/run/carrel/etc/hostname"},
    {"hosts", "/run/carrel/etc/hosts"},
    {"resolv.conf", "/run/carrel/etc/resolv.conf"},
    {"machine-id", "/run/carrel/etc/machine-id"},
    {"mtab", "/proc/self/mounts"},
};
const size_t etc_replacement_count = ARRAY_LENGTH(etc_replacements);

/*
 * Never shown, wherever and whatever the mode says: a mode is wrong for the minute in which
 * somebody edits the file, and a backup often has the mode that the editor gives.
 */
static const char *const secrets[] = {
    "shadow",     "shadow[!A-Za-z0-9]*",  "[.#]shadow*",
    "gshadow",    "gshadow[!A-Za-z0-9]*", "[.#]gshadow*",
    "opasswd*", /* pam_pwhistory(8): the hashes of old passwords */
    "sudoers",    "sudoers[!A-Za-z0-9]*", "[.#]sudoers*",
    "ssh_host_*", "[.#]ssh_host_*",       "*.keytab",
};

/* The same right below /etc. */
static const char *const secrets_at_top[] = {
    "passwd[-+~.]*", "group[-+~]*", "subuid*", "subgid*", "carrel",
};

static bool matches(const char *name, const char *const *patterns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fnmatch(patterns[i], name, 0) == 0)
			return true;
	return false;
}

static bool is_secret(const struct etc_dir *dir, const char *name)
{
	if (fnmatch("ssh_host_*.pub", name, 0) == 0)
		return false;
	if (dir->depth == 1 && strcmp(dir->name, "ssl") == 0 && strcmp(name, "private") == 0)
		return true;
	return matches(name, secrets, ARRAY_LENGTH(secrets)) ||
	       (dir->depth == 0 && matches(name, secrets_at_top, ARRAY_LENGTH(secrets_at_top)));
}

static bool is_replaced(const struct etc_dir *dir, const char *name)
{
	if (dir->depth > 0)
		return false;
	for (size_t i = 0; i < etc_replacement_count; i++)
		if (strcmp(etc_replacements[i].name, name) == 0)
			return true;
	return false;
}

/*
 * Others alone do not tell: the members of the group of a file 0604 cannot read it, though
 * everybody else can.
 */
static bool mode_allows(mode_t mode, unsigned need)
{
	const mode_t all = need << 6 | need << 3 | need;

	return (mode & all) == all;
}

/* The same for the users and groups that an access control list names; see acl(5). */
static bool acl_allows(int fd, unsigned need)
{
	struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[512];
	} acl;
	ssize_t length = fgetxattr(fd, "system.posix_acl_access", &acl, sizeof(acl));
	size_t count;

	if (length < 0)
		return errno == ENODATA || errno == EOPNOTSUPP;
	if ((size_t)length < sizeof(acl.header) ||
	    le32toh(acl.header.a_version) != POSIX_ACL_XATTR_VERSION)
		return false;
	count = ((size_t)length - sizeof(acl.header)) / sizeof(acl.entries[0]);
	for (size_t i = 0; i < count; i++)
		if ((le16toh(acl.entries[i].e_perm) & need) != need)
			return false;
	return true;
}

/* Whether an open(2) failed for want of our own means. Anything else is how the host has it. */
static bool lacks_means(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

/* Takes the descriptor. */
static bool list(struct etc_dir *dir, int fd, struct failure *why)
{
	dir->stream = fdopendir(fd);
	if (!dir->stream) {
		int error = errno;

		(void)close(fd);
		return fail(why, FAILURE_SYSTEM, error, "cannot list /etc");
	}
	return true;
}

bool etc_dir_open(struct etc_dir *dir, int etc, struct failure *why)
{
	_cleanup_close_ int fd = openat(etc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*dir = (struct etc_dir){.name = ""};
	if (fd < 0 || fstat(fd, &dir->status) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open /etc for a snapshot");
	if (!mode_allows(dir->status.st_mode, MAY_ENTER) || !acl_allows(fd, MAY_ENTER))
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "the host image shows what all users can read in /etc, but it has mode "
			    "%04o; give it 0755",
			    dir->status.st_mode & 07777);
	return list(dir, take_fd(&fd), why);
}

void etc_dir_close(struct etc_dir *dir)
{
	cleanup_closedir(&dir->stream);
	dir->stream = NULL;
}

static bool may_show(const struct stat *status)
{
	switch (status->st_mode & S_IFMT) {
	case S_IFDIR:
		return mode_allows(status->st_mode, MAY_ENTER);
	case S_IFREG:
		return mode_allows(status->st_mode, MAY_READ) && status->st_size >= 0 &&
		       (size_t)status->st_size <= ETC_FILE_MAX;
	case S_IFLNK:
		return true;
	default:
		return false;
	}
}

bool etc_dir_next(const struct etc_dir *dir, struct etc_entry *entry, struct failure *why)
{
	const struct dirent *found;

	entry->name = NULL;
	while (errno = 0, found = readdir(dir->stream)) {
		const char *name = found->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || is_secret(dir, name) ||
		    is_replaced(dir, name))
			continue;
		if (fstatat(dirfd(dir->stream), name, &entry->status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !may_show(&entry->status))
			continue;
		entry->name = name;
		return true;
	}
	if (errno != 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot list /etc");
	return true;
}

bool etc_dir_enter(const struct etc_dir *dir, const struct etc_entry *entry, struct etc_dir *child,
		   struct failure *why)
{
	_cleanup_close_ int fd = -1;

	*child = (struct etc_dir){.name = entry->name, .depth = dir->depth + 1};
	/* Another file system may be a network's, and hang, or mount itself when it is opened. */
	if (entry->status.st_dev != dir->status.st_dev)
		return true;
	if (child->depth > DEPTH_MAX)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "/etc has folders more than %d deep, at '%s'", DEPTH_MAX, entry->name);
	fd = openat(dirfd(dir->stream), entry->name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && lacks_means(errno))
		return fail(why, FAILURE_SYSTEM, errno, "cannot open '%s' in /etc", entry->name);
	if (fd < 0 || fstat(fd, &child->status) < 0 || child->status.st_dev != dir->status.st_dev ||
	    !mode_allows(child->status.st_mode, MAY_ENTER) || !acl_allows(fd, MAY_ENTER))
		return true;
	return list(child, take_fd(&fd), why);
}

bool etc_file_open(const struct etc_dir *dir, const struct etc_entry *entry, int *fd, bool *hidden,
		   struct failure *why)
{
	_cleanup_close_ int opened = openat(dirfd(dir->stream), entry->name, FILE_FLAGS);
	struct stat status;

	*fd = -1;
	*hidden = false;
	if (opened < 0 && lacks_means(errno))
		return fail(why, FAILURE_SYSTEM, errno, "cannot open '%s' in /etc", entry->name);
	if (opened < 0 || fstat(opened, &status) < 0)
		return true;
	*hidden = !S_ISREG(status.st_mode) || !may_show(&status) || !acl_allows(opened, MAY_READ);
	if (!*hidden)
		*fd = take_fd(&opened);
	return true;
}

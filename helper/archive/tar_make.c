/* helper/archive/tar_make.c - make the members of an archive below a folder, and only there. */
#include "helper/archive/tar_make.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/* A folder that gets its attributes when everything is in it, and would refuse it otherwise. */
struct tar_later {
	char *path;
	mode_t mode;
	uint32_t uid, gid;
	struct timespec changed;
};

/* Where a member is to be made: the open parent and a name in it. */
struct place {
	int parent;
	char path[PATH_MAX]; /* below the top */
	const char *name;    /* the last component, within `path` */
};

static bool cannot(struct tar_reader *reader, const char *what, struct failure *why)
{
	return fail(why, FAILURE_SYSTEM, errno, "cannot %s %s", what, reader->entry->path);
}

static bool outside(const char *path, struct failure *why)
{
	return fail(why, FAILURE_DATA, 0, "the archive names a place outside of itself: %s", path);
}

/* Only below `top`, over no link and no mount: what a member made before cannot lead a later one
 * astray. */
static int open_below(int top, const char *path, int flags)
{
	const struct open_how how = {
	    .flags = (uint64_t)(flags | O_DIRECTORY | O_CLOEXEC),
	    .resolve =
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};

	return (int)syscall(SYS_openat2, top, *path ? path : ".", &how, sizeof(how));
}

/* The path below the top; with a name for ".", that and what is below it. */
static bool place_path(const struct tar_reader *reader, const char *member, char out[PATH_MAX],
		       struct failure *why)
{
	char copy[PATH_MAX];
	const char *safe;

	(void)snprintf(copy, sizeof(copy), "%s", member);
	safe = tar_safe_path(copy);
	if (!safe)
		return outside(member, why);
	if (!reader->name)
		(void)snprintf(out, PATH_MAX, "%s", safe);
	else if ((size_t)snprintf(out, PATH_MAX, "%s%s%s", reader->name, *safe ? "/" : "", safe) >=
		 PATH_MAX)
		return fail(why, FAILURE_DATA, ENAMETOOLONG, "%s", member);
	return true;
}

static bool find_place(struct tar_reader *reader, const char *member, struct place *place,
		       struct failure *why)
{
	char *slash;

	place->parent = -1;
	if (!place_path(reader, member, place->path, why))
		return false;
	slash = strrchr(place->path, '/');
	if (slash)
		*slash = '\0';
	place->parent = open_below(reader->top, slash ? place->path : "", O_PATH);
	if (slash)
		*slash = '/';
	place->name = slash ? slash + 1 : place->path;
	if (place->parent >= 0)
		return true;
	if (errno == ELOOP || errno == EXDEV || errno == ENOTDIR)
		return fail(why, FAILURE_DATA, 0,
			    "cannot make %s: its folder is not one, but a link or a mount", member);
	return fail(why, errno == ENOENT ? FAILURE_DATA : FAILURE_SYSTEM, errno,
		    "cannot open the folder of %s", member);
}

/* Away with what is there, unless it is a folder; in the fresh folder of a layer nothing is. */
static bool make_room(struct tar_reader *reader, const struct place *place, struct failure *why)
{
	if (reader->is_layer || unlinkat(place->parent, place->name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno == EISDIR || errno == EPERM)
		return fail(why, FAILURE_DATA, 0, "cannot make %s: there is a folder in its place",
			    place->path);
	return cannot(reader, "replace", why);
}

static bool is_kept(const char *name)
{
	return strncmp(name, "user.", 5) == 0 || strcmp(name, "security.capability") == 0 ||
	       strcmp(name, "system.posix_acl_access") == 0 ||
	       strcmp(name, "system.posix_acl_default") == 0;
}

static bool set_attributes(const struct tar_entry *entry, int fd)
{
	for (size_t i = 0; i < entry->attribute_count; i++) {
		const struct tar_attribute *it = &entry->attributes[i];

		if (is_kept(it->name) && fsetxattr(fd, it->name, it->value, it->length, 0) < 0)
			return false;
	}
	return true;
}

/* In this order: a change of owner takes away set-user-ID bits and file capabilities. */
static bool finish_file(struct tar_reader *reader, int fd, struct failure *why)
{
	const struct tar_entry *entry = reader->entry;
	const struct timespec times[2] = {{entry->seconds, entry->nanoseconds},
					  {entry->seconds, entry->nanoseconds}};
	bool good =
	    !reader->is_layer || (fchown(fd, entry->uid, entry->gid) == 0 &&
				  fchmod(fd, entry->mode) == 0 && set_attributes(entry, fd));

	return (good && futimens(fd, times) == 0) || cannot(reader, "set the attributes of", why);
}

static bool make_file(struct tar_reader *reader, const struct place *place, struct failure *why)
{
	_cleanup_close_ int fd = -1;
	mode_t mode = reader->is_layer ? 0600 : reader->entry->mode & 0777;
	bool made;

	if (!make_room(reader, place, why))
		return false;
	fd = openat(place->parent, place->name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return cannot(reader, "make", why);
	made = tar_make_content(reader, fd, why) && finish_file(reader, fd, why);
	if (!made && !reader->is_layer)
		(void)unlinkat(place->parent, place->name, 0); /* no part looks like the whole */
	reader->files += made;
	return made;
}

static bool remember(struct tar_reader *reader, const struct place *place, struct failure *why)
{
	const struct tar_entry *entry = reader->entry;

	if (reader->later_count == reader->later_size) {
		size_t size = reader->later_size ? reader->later_size * 2 : 64;
		struct tar_later *later = reallocarray(reader->later, size, sizeof(*later));

		if (!later)
			return cannot(reader, "remember", why);
		reader->later = later;
		reader->later_size = size;
	}
	reader->later[reader->later_count] =
	    (struct tar_later){.path = strdup(place->path),
			       .mode = entry->mode,
			       .uid = entry->uid,
			       .gid = entry->gid,
			       .changed = {entry->seconds, entry->nanoseconds}};
	if (!reader->later[reader->later_count].path)
		return cannot(reader, "remember", why);
	reader->later_count++;
	return true;
}

static bool make_directory(struct tar_reader *reader, const struct place *place,
			   struct failure *why)
{
	mode_t mode = reader->is_layer ? 0700 : (reader->entry->mode & 0777) | 0700;
	_cleanup_close_ int fd = -1;
	struct stat status;

	if (!*place->name) /* the top itself */
		return true;
	if (mkdirat(place->parent, place->name, mode) < 0 &&
	    (errno != EEXIST ||
	     fstatat(place->parent, place->name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
	     !S_ISDIR(status.st_mode))) {
		if (errno == EEXIST || errno == 0)
			return fail(why, FAILURE_DATA, 0,
				    "cannot make the folder %s: something else is in its place",
				    place->path);
		return cannot(reader, "make the folder", why);
	}
	if (!reader->is_layer)
		return true;
	fd = openat(place->parent, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || !set_attributes(reader->entry, fd))
		return cannot(reader, "set the attributes of", why);
	return remember(reader, place, why);
}

static bool make_symlink(struct tar_reader *reader, const struct place *place, struct failure *why)
{
	const struct tar_entry *entry = reader->entry;
	const struct timespec times[2] = {{entry->seconds, entry->nanoseconds},
					  {entry->seconds, entry->nanoseconds}};

	if (!make_room(reader, place, why))
		return false;
	if (symlinkat(entry->target, place->parent, place->name) < 0)
		return cannot(reader, "make the link", why);
	if (reader->is_layer &&
	    fchownat(place->parent, place->name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(reader, "give away the link", why);
	reader->files++;
	return utimensat(place->parent, place->name, times, AT_SYMLINK_NOFOLLOW) == 0 ||
	       cannot(reader, "set the time of", why);
}

/* To a file that the archive has brought: what it names is looked for below the top as well. */
static bool make_link(struct tar_reader *reader, const struct place *place, struct failure *why)
{
	struct place target;
	struct stat status;
	bool made;

	if (!reader->is_layer)
		return fail(why, FAILURE_DATA, 0, "the stream has a hard link, %s: it is not ours",
			    reader->entry->path);
	if (!find_place(reader, reader->entry->target, &target, why))
		return false;
	made = fstatat(target.parent, target.name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(status.st_mode) &&
	       linkat(target.parent, target.name, place->parent, place->name, 0) == 0;
	if (!made)
		(void)fail(why, FAILURE_DATA, 0,
			   "cannot link %s to %s, which is no file of the archive",
			   reader->entry->path, reader->entry->target);
	cleanup_close(&target.parent);
	return made;
}

static bool make_node(struct tar_reader *reader, const struct place *place, struct failure *why)
{
	const struct tar_entry *entry = reader->entry;
	bool is_whiteout = entry->type == TAR_CHARACTER && entry->major == 0 && entry->minor == 0;
	mode_t kind = entry->type == TAR_FIFO ? S_IFIFO : S_IFCHR;

	if (!reader->is_layer || (entry->type != TAR_FIFO && !is_whiteout)) {
		reader->left_out++;
		reader->tell(place->path, entry->type == TAR_FIFO ? "a pipe" : "a device node");
		return true;
	}
	if (mknodat(place->parent, place->name, kind | 0600, 0) < 0 ||
	    fchownat(place->parent, place->name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(place->parent, place->name, entry->mode, 0) < 0)
		return cannot(reader, "make", why);
	return true;
}

static bool make(struct tar_reader *reader, const struct place *place, struct failure *why)
{
	if (!*place->name && reader->entry->type != TAR_DIRECTORY)
		return outside(reader->entry->path, why);
	switch (reader->entry->type) {
	case TAR_FILE:
		return make_file(reader, place, why);
	case TAR_DIRECTORY:
		return make_directory(reader, place, why);
	case TAR_SYMLINK:
		return make_symlink(reader, place, why);
	case TAR_LINK:
		return make_link(reader, place, why);
	default:
		return make_node(reader, place, why);
	}
}

bool tar_read_make(struct tar_reader *reader, struct failure *why)
{
	struct place place;
	bool made;

	if (!find_place(reader, reader->entry->path, &place, why))
		return false;
	made = make(reader, &place, why);
	cleanup_close(&place.parent);
	return made;
}

bool tar_make_finish(struct tar_reader *reader, struct failure *why)
{
	/* From the last to the first: what is below comes after its folder in the archive. */
	for (size_t i = reader->later_count; i-- > 0;) {
		const struct tar_later *it = &reader->later[i];
		const struct timespec times[2] = {it->changed, it->changed};
		_cleanup_close_ int fd = open_below(reader->top, it->path, O_RDONLY);

		if (fd < 0 || fchown(fd, it->uid, it->gid) < 0 || fchmod(fd, it->mode) < 0 ||
		    futimens(fd, times) < 0)
			return fail(why, FAILURE_SYSTEM, errno, "cannot set the attributes of %s",
				    it->path);
	}
	return true;
}

void tar_make_forget(struct tar_reader *reader)
{
	for (size_t i = 0; i < reader->later_count; i++)
		free(reader->later[i].path);
	free(reader->later);
	reader->later = NULL;
	reader->later_count = 0;
}

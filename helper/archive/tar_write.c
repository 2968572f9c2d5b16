/* helper/archive/tar_write.c - write a tree into a tar archive, following no link. */
#include "helper/archive/tar_write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <search.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/archive/tar_format.h"

#define BUFFER_SIZE  (256U << 10)
#define DEPTH_MAX    200 /* each level holds a descriptor or two */
#define SEGMENTS_MAX (1U << 20)

struct known {
	dev_t device;
	ino_t inode;
	char path[];
};

/* One member: what tar_encode takes, and what its attributes point to. */
struct member {
	struct tar_entry entry;
	char *names, *values;
};

struct segment {
	uint64_t offset, length;
};

static bool cannot(struct failure *why, const char *what, const char *path)
{
	return fail(why, FAILURE_SYSTEM, errno, "cannot %s %s", what, path);
}

static bool put(struct tar_writer *writer, const void *data, size_t length, struct failure *why)
{
	return file_write_all(writer->fd, data, length) ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot write the archive");
}

static bool put_padding(struct tar_writer *writer, uint64_t length, struct failure *why)
{
	static const char zeros[TAR_BLOCK];
	size_t rest = length % TAR_BLOCK;

	return !rest || put(writer, zeros, TAR_BLOCK - rest, why);
}

static bool put_header(struct tar_writer *writer, const struct tar_entry *entry,
		       struct failure *why)
{
	struct tar_bytes bytes = {0};
	bool good;

	tar_encode(entry, &bytes);
	good = bytes.failed
		   ? fail(why, FAILURE_DATA, 0, "%s has too many extended attributes", entry->path)
		   : put(writer, bytes.data, bytes.length, why);
	free(bytes.data);
	return good;
}

static void leave_out(struct tar_writer *writer, const char *path, const char *what)
{
	writer->left_out++;
	writer->tell(path, what);
}

static int by_identity(const void *left, const void *right)
{
	const struct known *a = left, *b = right;

	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	return a->inode < b->inode ? -1 : a->inode > b->inode;
}

/* The name under which the file is in the archive; NULL when this is the first. */
static const char *find_known(struct tar_writer *writer, const struct stat *status,
			      const char *path)
{
	struct known *it = malloc(sizeof(*it) + strlen(path) + 1);
	struct known **found;

	if (!it)
		return NULL; /* one file more, no link: still the same content */
	it->device = status->st_dev;
	it->inode = status->st_ino;
	memcpy(it->path, path, strlen(path) + 1);
	found = tsearch(it, &writer->known, by_identity);
	if (found && *found == it)
		return NULL;
	free(it);
	return found ? (*found)->path : NULL;
}

static void fill_entry(struct tar_entry *entry, const struct stat *status, const char *path)
{
	memset(entry, 0, offsetof(struct tar_entry, attributes));
	entry->attribute_count = 0;
	(void)snprintf(entry->path, sizeof(entry->path), "%s", path);
	entry->mode = status->st_mode & 07777;
	entry->uid = status->st_uid;
	entry->gid = status->st_gid;
	entry->seconds = status->st_mtim.tv_sec;
	entry->nanoseconds = (uint32_t)status->st_mtim.tv_nsec;
}

static bool is_kept(const char *name)
{
	return strncmp(name, "user.", 5) == 0 || strcmp(name, "security.capability") == 0 ||
	       strncmp(name, "system.posix_acl_", 17) == 0;
}

/* Values stand one after the other in `values`, of TAR_PAX_MAX bytes. */
static bool read_attributes(int fd, struct member *member, struct failure *why)
{
	size_t used = 0;
	ssize_t length;

	member->names = malloc(XATTR_LIST_MAX);
	member->values = malloc(TAR_PAX_MAX);
	if (!member->names || !member->values)
		return cannot(why, "read the attributes of", member->entry.path);
	length = flistxattr(fd, member->names, XATTR_LIST_MAX);
	if (length < 0)
		return errno == ENOTSUP ||
		       cannot(why, "list the attributes of", member->entry.path);
	for (char *name = member->names; name < member->names + length; name += strlen(name) + 1) {
		struct tar_entry *entry = &member->entry;
		ssize_t size;

		if (!is_kept(name))
			continue;
		size = fgetxattr(fd, name, member->values + used, TAR_PAX_MAX - used);
		if (size < 0 || entry->attribute_count == TAR_ATTRIBUTES_MAX)
			return cannot(why, "read all attributes of", entry->path);
		entry->attributes[entry->attribute_count++] =
		    (struct tar_attribute){.name = name,

					   .value = member->values + used,
					   .length = (size_t)size};
		used += (size_t)size;
	}
	return true;
}

static void free_member(struct member *member)
{
	free(member->names);
	free(member->values);
}

/* Exactly `length` bytes; what has gone from the file meanwhile is zeros, as tar(1) does it. */
static bool put_data(struct tar_writer *writer, int fd, const char *path, struct segment segment,
		     struct failure *why)
{
	uint64_t at = segment.offset, end = segment.offset + segment.length;

	while (at < end) {
		size_t want = end - at < BUFFER_SIZE ? (size_t)(end - at) : BUFFER_SIZE;
		ssize_t got = pread(fd, writer->buffer, want, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cannot(why, "read", path);
		if (got == 0) {
			memset(writer->buffer, 0, want);
			got = (ssize_t)want;
		}
		if (!put(writer, writer->buffer, (size_t)got, why))
			return false;
		at += (uint64_t)got;
	}
	writer->bytes += segment.length;
	return true;
}

/* What of the file is not a hole. *count is 0 with NULL when there are no holes. */
static bool find_segments(int fd, uint64_t size, struct segment **segments, size_t *count)
{
	off_t data = 0, hole;

	*segments = NULL;
	*count = 0;
	for (off_t at = 0; (uint64_t)at < size; at = hole) {
		struct segment *more;

		data = lseek(fd, at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
		if (hole < 0 || *count == SEGMENTS_MAX)
			return false;
		more = reallocarray(*segments, *count + 1, sizeof(*more));
		if (!more)
			return false;
		*segments = more;
		if ((uint64_t)hole > size)
			hole = (off_t)size;
		more[(*count)++] = (struct segment){(uint64_t)data, (uint64_t)(hole - data)};
	}
	return !(*count == 1 && (*segments)[0].offset == 0 && (*segments)[0].length == size);
}

/* GNU.sparse 1.0: how many, then offset and length of each, each on a line, filled to a block. */
static bool make_map(const struct segment *segments, size_t count, uint64_t size, char **map,
		     size_t *length)
{
	FILE *out = open_memstream(map, length);
	static const char zeros[TAR_BLOCK];
	bool good;
	long at;

	if (!out)
		return false;
	/* GNU tar closes the map with an empty piece at the end of the file. */
	(void)fprintf(out, "%zu\n", count + 1);
	for (size_t i = 0; i < count; i++)
		(void)fprintf(out, "%" PRIu64 "\n%" PRIu64 "\n", segments[i].offset,
			      segments[i].length);
	(void)fprintf(out, "%" PRIu64 "\n0\n", size);
	at = ftell(out);
	if (at > 0 && at % TAR_BLOCK)
		(void)fwrite(zeros, 1, TAR_BLOCK - (size_t)at % TAR_BLOCK, out);
	good = !ferror(out);
	return fclose(out) == 0 && good;
}

static bool write_sparse(struct tar_writer *writer, int fd, struct tar_entry *entry,
			 const struct segment *segments, size_t count, struct failure *why)
{
	_cleanup_free_ char *map = NULL;
	size_t length = 0;
	bool good = make_map(segments, count, entry->real_size, &map, &length);

	if (!good)
		return cannot(why, "make the map of", entry->path);
	entry->is_sparse = true;
	entry->size = length;
	for (size_t i = 0; i < count; i++)
		entry->size += segments[i].length;
	good = put_header(writer, entry, why) && put(writer, map, length, why);
	for (size_t i = 0; good && i < count; i++)
		good = put_data(writer, fd, entry->path, segments[i], why);
	return good && put_padding(writer, entry->size, why);
}

static bool write_content(struct tar_writer *writer, int fd, struct tar_entry *entry,
			  struct failure *why)
{
	struct segment *segments, whole = {0, entry->real_size};
	size_t count;
	bool good, sparse = find_segments(fd, entry->real_size, &segments, &count);

	if (sparse && entry->real_size) {
		good = write_sparse(writer, fd, entry, segments, count, why);
	} else {
		entry->size = entry->real_size;
		good = put_header(writer, entry, why) &&
		       put_data(writer, fd, entry->path, whole, why) &&
		       put_padding(writer, entry->size, why);
	}
	free(segments);
	writer->files++;
	return good;
}

static bool write_file(struct tar_writer *writer, int fd, const struct stat *status,
		       const char *path, struct failure *why)
{
	_cleanup_free_ struct member *member = calloc(1, sizeof(*member));
	const char *known =
	    writer->is_layer && status->st_nlink > 1 ? find_known(writer, status, path) : NULL;
	bool good = true;

	if (!member)
		return cannot(why, "remember", path);
	fill_entry(&member->entry, status, path);
	if (known) {
		member->entry.type = TAR_LINK;
		(void)snprintf(member->entry.target, sizeof(member->entry.target), "%s", known);
		return put_header(writer, &member->entry, why);
	}
	member->entry.type = TAR_FILE;
	member->entry.real_size = (uint64_t)status->st_size;
	if (writer->is_layer)
		good = read_attributes(fd, member, why);
	good = good && write_content(writer, fd, &member->entry, why);
	free_member(member);
	return good;
}

static bool write_below(struct tar_writer *writer, int fd, char path[PATH_MAX],
			struct failure *why);

static bool write_directory(struct tar_writer *writer, int fd, const struct stat *status,
			    char path[PATH_MAX], struct failure *why)
{
	_cleanup_free_ struct member *member = calloc(1, sizeof(*member));
	bool good = true;

	if (!member)
		return cannot(why, "remember", path);
	if (writer->depth == DEPTH_MAX)
		return fail(why, FAILURE_DATA, 0, "%s is nested too deeply", path);
	fill_entry(&member->entry, status, path);
	member->entry.type = TAR_DIRECTORY;
	if (writer->is_layer)
		good = read_attributes(fd, member, why);
	good = good && put_header(writer, &member->entry, why);
	free_member(member);
	writer->depth++;
	good = good && write_below(writer, fd, path, why);
	writer->depth--;
	return good;
}

static bool write_other(struct tar_writer *writer, int parent, const char *name,
			const struct stat *status, const char *path, struct failure *why)
{
	_cleanup_free_ struct tar_entry *entry = calloc(1, sizeof(*entry));
	ssize_t length;

	if (!entry)
		return cannot(why, "remember", path);
	fill_entry(entry, status, path);
	if (S_ISLNK(status->st_mode)) {
		entry->type = TAR_SYMLINK;
		length = readlinkat(parent, name, entry->target, sizeof(entry->target) - 1);
		if (length < 0)
			return cannot(why, "read the link", path);
		entry->target[length] = '\0';
	} else if (writer->is_layer && S_ISFIFO(status->st_mode)) {
		entry->type = TAR_FIFO;
	} else if (writer->is_layer && S_ISCHR(status->st_mode) &&
		   status->st_rdev == makedev(0, 0)) {
		entry->type = TAR_CHARACTER;
	} else {
		leave_out(writer, path,
			  S_ISSOCK(status->st_mode)   ? "a socket"
			  : S_ISFIFO(status->st_mode) ? "a pipe"
						      : "a device node");
		return true;
	}
	return put_header(writer, entry, why);
}

/* Opened without waiting on a pipe, and asked itself what it is: the name may lead elsewhere now.
 */
static bool write_entry(struct tar_writer *writer, int parent, const char *name,
			char path[PATH_MAX], struct failure *why)
{
	_cleanup_close_ int fd = -1;
	struct stat status;

	if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || cannot(why, "look at", path);
	if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		return write_other(writer, parent, name, &status, path, why);
	fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && !writer->is_layer) {
		leave_out(writer, path, "may not be read");
		return true;
	}
	if (fd < 0 || fstat(fd, &status) < 0)
		return errno == ENOENT || cannot(why, "open", path);
	if (S_ISREG(status.st_mode))
		return write_file(writer, fd, &status, path, why);
	if (S_ISDIR(status.st_mode))
		return write_directory(writer, fd, &status, path, why);
	leave_out(writer, path, "it was replaced meanwhile");
	return true;
}

static bool write_below(struct tar_writer *writer, int fd, char path[PATH_MAX], struct failure *why)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = again < 0 ? NULL : fdopendir(again);
	size_t length = strlen(path);
	const struct dirent *entry;

	if (!stream && errno == EACCES && !writer->is_layer) {
		leave_out(writer, path, "may not be read");
		return true;
	}
	if (!stream)
		return cannot(why, "read", path);
	while (errno = 0, entry = readdir(stream)) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if ((size_t)snprintf(path + length, PATH_MAX - length, "/%s", entry->d_name) >=
		    PATH_MAX - length)
			return fail(why, FAILURE_DATA, ENAMETOOLONG, "%s", path);
		if (!write_entry(writer, fd, entry->d_name, path, why))
			return false;
		path[length] = '\0';
	}
	return errno == 0 || cannot(why, "read", path);
}

bool tar_write_begin(struct tar_writer *writer, struct failure *why)
{
	writer->known = NULL;
	writer->depth = 0;
	writer->files = writer->bytes = writer->left_out = 0;
	writer->buffer = malloc(BUFFER_SIZE);
	return writer->buffer || fail(why, FAILURE_SYSTEM, ENOMEM, "cannot write the archive");
}

bool tar_write_text(struct tar_writer *writer, const char *name, const char *text, size_t length,
		    struct failure *why)
{
	_cleanup_free_ struct tar_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return cannot(why, "write", name);
	entry->type = TAR_FILE;
	entry->mode = 0644;
	entry->size = length;
	(void)snprintf(entry->path, sizeof(entry->path), "%s", name);
	return put_header(writer, entry, why) && put(writer, text, length, why) &&
	       put_padding(writer, length, why);
}

bool tar_write_tree(struct tar_writer *writer, int fd, const char *name, struct failure *why)
{
	char path[PATH_MAX];
	struct stat status;

	(void)snprintf(path, sizeof(path), "%s", name);
	if (fstat(fd, &status) < 0)
		return cannot(why, "look at", name);
	return S_ISDIR(status.st_mode) ? write_directory(writer, fd, &status, path, why)
				       : write_file(writer, fd, &status, path, why);
}

bool tar_write_finish(struct tar_writer *writer, struct failure *why)
{
	static const char zeros[2 * TAR_BLOCK];

	return put(writer, zeros, sizeof(zeros), why);
}

void tar_write_end(struct tar_writer *writer)
{
	tdestroy(writer->known, free);
	free(writer->buffer);
	writer->known = NULL;
	writer->buffer = NULL;
}

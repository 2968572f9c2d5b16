/* helper/admin/image_source.c - what an image is to be made from. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/admin/image_build.h"
#include "helper/admin/image_tool.h"

#define DEBIAN "debian:"

static const struct {
	unsigned steps;
	bool (*fill)(struct image_build *, struct failure *);
} kinds[] = {
    [SOURCE_DIRECTORY] = {1, image_fill_directory},
    [SOURCE_TAR] = {2, image_fill_tar},
    [SOURCE_OCI] = {3, image_fill_oci},
    [SOURCE_DEBIAN] = {2, image_fill_debian},
};

static bool is_layout(int directory)
{
	return faccessat(directory, "oci-layout", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* "DIRECTORY:TAG" is an image of that OCI layout, unless there is a file of that very name. */
static int open_with_tag(struct image_source *source)
{
	const char *colon = strrchr(source->text, ':');
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int directory = -1;

	if (!colon || !(path = strndup(source->text, (size_t)(colon - source->text))))
		return -1;
	directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0 || !is_layout(directory) || !(source->tag = strdup(colon + 1)))
		return -1;
	return take_fd(&directory);
}

static bool open_path(struct image_source *source, struct failure *why)
{
	struct stat status;

	source->fd = open(source->text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (source->fd < 0 && errno == ENOENT) {
		source->fd = open_with_tag(source);
		errno = source->fd < 0 ? ENOENT : 0;
	}
	if (source->fd < 0 || fstat(source->fd, &status) < 0)
		return fail(why, FAILURE_MISSING, errno, "cannot open %s", source->text);
	if (S_ISREG(status.st_mode))
		source->kind = SOURCE_TAR;
	else if (S_ISDIR(status.st_mode))
		source->kind = is_layout(source->fd) ? SOURCE_OCI : SOURCE_DIRECTORY;
	else
		return fail(why, FAILURE_REQUEST, 0, "%s is neither a directory nor a tar file",
			    source->text);
	return true;
}

bool image_source_open(const char *text, const char *include, struct image_source *source,
		       struct failure *why)
{
	*source = (struct image_source){.text = text, .fd = -1, .include = include};
	if (strncmp(text, DEBIAN, strlen(DEBIAN)) == 0) {
		source->kind = SOURCE_DEBIAN;
		source->suite = text + strlen(DEBIAN);
		return image_debian_check(source->suite, include, why);
	}
	if (!open_path(source, why))
		return false;
	if (include)
		return fail(why, FAILURE_REQUEST, 0,
			    "--include is for --from debian:SUITE only: %s has its packages", text);
	return source->kind != SOURCE_OCI || image_oci_check(why);
}

void image_source_close(struct image_source *source)
{
	cleanup_close(&source->fd);
	source->fd = -1;
	free(take_ptr(source->tag));
}

unsigned image_source_steps(const struct image_source *source)
{
	return kinds[source->kind].steps;
}

bool image_source_fill(struct image_build *build, struct failure *why)
{
	return kinds[build->source.kind].fill(build, why);
}

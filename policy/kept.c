/* policy/kept.c - policies that were read once are not parsed again until a file changes. */
#include "policy/kept.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "policy/image.h"
#include "policy/layout.h"
#include "policy/stamp.h"

#define KEPT_FILE       "policies"
#define KEPT_MOST       (64u << 20)
#define SETTLED_SECONDS 2
#define ALIGNMENT       8

enum { BUILD, STAMP, IMAGE, PARTS };

/* A kept file begins with their lengths; each is at a multiple of 8. */
struct parts {
	const void *bytes[PARTS];
	uint64_t length[PARTS];
};

static void stamp_clear(struct stamp *stamp)
{
	free(stamp->bytes);
}

#define _cleanup_stamp_ __attribute__((cleanup(stamp_clear)))

/* A clock that was set back makes files of the future, which wait until it has caught up. */
static bool has_settled(const struct stamp *stamp)
{
	return stamp->latest + SETTLED_SECONDS < time(NULL);
}

static bool is_as_we_wrote_it(const struct stat *status)
{
	return S_ISREG(status->st_mode) && status->st_uid == geteuid() &&
	       (status->st_mode & 07777) == 0600 && status->st_nlink == 1;
}

static uint64_t round_up(uint64_t length)
{
	return (length + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1);
}

/* They are the whole of it: what was cut off shows. */
static bool find_parts(const char *bytes, size_t length, struct parts *parts)
{
	size_t used = sizeof(parts->length);

	if (length < used)
		return false;
	memcpy(parts->length, bytes, used);
	for (size_t i = 0; i < PARTS; i++) {
		if (parts->length[i] > KEPT_MOST || round_up(parts->length[i]) > length - used)
			return false;
		parts->bytes[i] = bytes + used;
		used += round_up(parts->length[i]);
	}
	return used == length;
}

static struct config *unpack(const char *bytes, size_t length, int dir, const char *build)
{
	struct parts parts;

	if (!find_parts(bytes, length, &parts) || parts.length[BUILD] != strlen(build) ||
	    memcmp(parts.bytes[BUILD], build, parts.length[BUILD]) != 0 ||
	    !stamp_holds(parts.bytes[STAMP], parts.length[STAMP], dir))
		return NULL;
	return config_unpack(parts.bytes[IMAGE], parts.length[IMAGE]);
}

/* Mapped, because most of it is not looked at. A file that is kept is never written again. */
static struct config *take(int kept, int dir, const char *build)
{
	_cleanup_close_ int fd =
	    openat(kept, KEPT_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct config *config;
	struct stat status;
	size_t length;
	void *map;

	if (fd < 0 || fstat(fd, &status) < 0 || !is_as_we_wrote_it(&status) ||
	    status.st_size <= 0 || status.st_size > KEPT_MOST)
		return NULL;
	length = (size_t)status.st_size;
	map = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return NULL;
	config = unpack(map, length, dir, build);
	if (config)
		config_image_own(config, map, length);
	else
		(void)munmap(map, length);
	return config;
}

static void write_kept(int kept, const struct parts *parts)
{
	size_t length = sizeof(parts->length), used = length;
	_cleanup_free_ char *data = NULL;
	struct failure ignored;

	for (size_t i = 0; i < PARTS; i++)
		length += round_up(parts->length[i]);
	data = length <= KEPT_MOST ? calloc(1, length) : NULL;
	if (!data)
		return;
	memcpy(data, parts->length, used);
	for (size_t i = 0; i < PARTS; i++) {
		memcpy(data + used, parts->bytes[i], parts->length[i]);
		used += round_up(parts->length[i]);
	}
	(void)file_replace_at(kept, KEPT_FILE, data, length, 0600, false, &ignored);
}

static void keep(int kept, const char *build, const struct stamp *stamp,
		 const struct config *config)
{
	size_t length = 0;
	_cleanup_free_ void *image = config_pack(config, &length);
	const struct parts parts = {.bytes = {build, stamp->bytes, image},
				    .length = {strlen(build), stamp->length, length}};

	if (image)
		write_kept(kept, &parts);
}

static bool is_same(const struct stamp *a, const struct stamp *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* Read the files, and keep what they say when they were left alone for a while. */
static struct config *load_and_keep(int dir, int kept, const char *build, struct config **exempt,
				    struct failure *why)
{
	_cleanup_stamp_ struct stamp before = {0}, after = {0};
	bool stamped = stamp_take(dir, &before);
	struct config *config = config_load(dir, exempt, why);

	if (config && stamped && has_settled(&before) && stamp_take(dir, &after) &&
	    is_same(&before, &after))
		keep(kept, build, &before, config);
	return config;
}

struct config *config_load_kept(int dir, int kept, const char *build, struct config **exempt,
				struct failure *why)
{
	_cleanup_free_ char *text = NULL;
	struct config *config;

	if (exempt)
		*exempt = NULL;
	if (kept < 0 || asprintf(&text, "%s %s", POLICY_LAYOUT, build) < 0)
		return config_load(dir, exempt, why);
	config = take(kept, dir, text);
	return config ? config : load_and_keep(dir, kept, text, exempt, why);
}

void config_forget_kept(int kept)
{
	(void)unlinkat(kept, KEPT_FILE, 0);
}

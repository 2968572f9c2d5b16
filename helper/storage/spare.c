/* helper/storage/spare.c - room that a file system of one container keeps back for its next start.
 */
#include "helper/storage/spare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/files.h"

#define FOLDER "spare"
#define ROOM   "room" /* the blocks; made after the empty files, so that it tells of all */

/* A first start on a named image takes some 25 files, any other three; of a small disk its part. */
#define FILES_MOST  32u
#define FILES_PART  32u
#define BYTES_MOST  (UINT64_C(256) << 10)
#define BYTES_PART  128u
#define NAME_LENGTH 12

struct spare {
	uint64_t bytes, files;
};

static uint64_t part(uint64_t whole, unsigned divisor, uint64_t most)
{
	return whole / divisor < most ? whole / divisor : most;
}

static bool measure(int layer, struct spare *spare, struct statvfs *room)
{
	if (fstatvfs(layer, room) < 0)
		return false;
	spare->bytes = part((uint64_t)room->f_blocks * room->f_frsize, BYTES_PART, BYTES_MOST);
	spare->files = part(room->f_files, FILES_PART, FILES_MOST);
	return true;
}

bool spare_is_needed(int layer)
{
	struct spare spare;
	struct statvfs room;

	return measure(layer, &spare, &room) &&
	       ((uint64_t)room.f_bavail * room.f_frsize < spare.bytes ||
		room.f_favail < spare.files);
}

static bool is_whole(int layer, const struct spare *spare)
{
	struct stat status;

	return fstatat(layer, FOLDER "/" ROOM, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (uint64_t)status.st_size >= spare->bytes;
}

static bool make_file(int folder, const char *name, uint64_t bytes)
{
	_cleanup_close_ int fd =
	    openat(folder, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	return fd >= 0 && (bytes == 0 || fallocate(fd, 0, 0, (off_t)bytes) == 0);
}

static void file_name(uint64_t i, char name[NAME_LENGTH])
{
	(void)snprintf(name, NAME_LENGTH, "%u", (unsigned)i);
}

void spare_keep(int layer)
{
	_cleanup_close_ int folder = -1;
	struct spare spare;
	struct statvfs room;
	char name[NAME_LENGTH];

	if (!measure(layer, &spare, &room) || is_whole(layer, &spare))
		return;
	(void)mkdirat(layer, FOLDER, 0700);
	folder = dir_open_at(layer, FOLDER, false);
	for (uint64_t i = 0; folder >= 0 && i < spare.files; i++) {
		file_name(i, name);
		if (!make_file(folder, name, 0))
			return;
	}
	if (folder >= 0)
		(void)make_file(folder, ROOM, spare.bytes);
}

void spare_give(int layer)
{
	_cleanup_close_ int folder = dir_open_at(layer, FOLDER, false);
	char name[NAME_LENGTH];

	if (folder < 0)
		return;
	(void)unlinkat(folder, ROOM, 0);
	for (uint64_t i = 0; i < FILES_MOST; i++) {
		file_name(i, name);
		(void)unlinkat(folder, name, 0);
	}
	(void)unlinkat(layer, FOLDER, AT_REMOVEDIR);
	(void)syncfs(folder);
}

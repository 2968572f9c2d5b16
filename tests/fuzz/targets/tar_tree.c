/* targets/tar_tree.c - whole archives of others, made below a folder and nowhere else. */
/* Sources: helper/archive/tar_format.c helper/archive/tar_read.c helper/archive/tar_make.c
 * helper/archive/tar_content.c base/files.c base/directories.c base/tree_remove.c base/failure.c
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/archive/tar_read.h"
#include "tests/fuzz/targets/fuzz.h"

#define GUARD "guard" /* stands beside the folder */

static void tell(const char *path, const char *what)
{
	MUST(path && what);
}

/* The folder around the one that is filled, with $FUZZ_ROOM for its place. */
static int open_room(void)
{
	const char *path = getenv("FUZZ_ROOM");
	int room = open(path ? path : "", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int guard = openat(room, GUARD, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0400);
	/* A sparse file may be as large as it likes; only a whole disk is too large. */
	const struct rlimit most = {1 << 26, 1 << 26};

	MUST(room >= 0 && guard >= 0 && file_write_all(guard, "good", 4));
	MUST(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && setrlimit(RLIMIT_FSIZE, &most) == 0);
	(void)close(guard);
	return room;
}

/* Nothing but the folder and the guard, which is as it was. */
static void check_room(int room)
{
	DIR *stream = fdopendir(openat(room, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;
	struct stat status;
	size_t count = 0;

	MUST(stream);
	while ((entry = readdir(stream)))
		count++;
	MUST(count == 4); /* with "." and ".." */
	(void)closedir(stream);
	MUST(fstatat(room, GUARD, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode));
	MUST(status.st_size == 4 && (status.st_mode & 07777) == 0400 && status.st_nlink == 1);
}

static void read_all(struct tar_reader *reader)
{
	struct failure why = {0};
	bool more = true, good = tar_read_begin(reader, &why);

	MUST(good);
	while ((good = tar_read_next(reader, &more, &why)) && more) {
		MUST(reader->entry->type == TAR_FILE || reader->entry->size == 0);
		if (!(good = tar_read_make(reader, &why)))
			break;
	}
	if (good)
		good = tar_read_finish(reader, &why);
	MUST(good || (why.kind != FAILURE_NONE && why.text[0]));
	tar_read_end(reader);
}

static void extract(int room, int archive, bool is_layer, const char *name)
{
	struct tar_reader reader = {
	    .fd = archive, .is_layer = is_layer, .name = name, .tell = tell};
	struct failure why = {0};
	struct stat status;

	MUST(lseek(archive, 0, SEEK_SET) == 0 && mkdirat(room, "top", 0700) == 0);
	reader.top = openat(room, "top", O_PATH | O_DIRECTORY | O_CLOEXEC);
	read_all(&reader);
	MUST(fstat(reader.top, &status) == 0 && S_ISDIR(status.st_mode));
	(void)close(reader.top);
	check_room(room);
	MUST(tree_remove_at(room, "top", &why));
}

/* The sums of what could be headers, or hardly any input would be an archive. */
static void sign(unsigned char *data, size_t size)
{
	for (size_t at = 0; at + TAR_BLOCK <= size; at += TAR_BLOCK) {
		unsigned sum = 0;

		if (memcmp(data + at + 257, "ustar", 5) != 0)
			continue;
		memset(data + at + 148, ' ', 8);
		for (size_t i = 0; i < TAR_BLOCK; i++)
			sum += data[at + i];
		(void)snprintf((char *)data + at + 148, 8, "%06o", sum);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char end[2 * TAR_BLOCK];
	static int room = -1;
	unsigned char *copy = fuzz_copy(data, size);
	int archive = memfd_create("archive", MFD_CLOEXEC);

	if (room < 0)
		room = open_room();
	sign(copy, size);
	MUST(archive >= 0 && file_write_all(archive, copy, size));
	MUST(file_write_all(archive, end, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK));
	MUST(file_write_all(archive, end, sizeof(end)));
	extract(room, archive, true, NULL);
	extract(room, archive, false, NULL);
	extract(room, archive, false, "name");
	(void)close(archive);
	free(copy);
	return 0;
}

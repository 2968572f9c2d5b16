/* helper/archive/tar_content.c - the data of a member of an archive into a file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/archive/tar_make.h"

static bool cannot_write(struct tar_reader *reader, struct failure *why)
{
	return fail(why, FAILURE_SYSTEM, errno, "cannot write %s", reader->entry->path);
}

static bool write_at(int fd, const char *data, size_t length, uint64_t offset)
{
	while (length) {
		ssize_t put = pwrite(fd, data, length, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		data += put;
		offset += (uint64_t)put;
		length -= (size_t)put;
	}
	return true;
}

static bool copy(struct tar_reader *reader, int fd, uint64_t offset, uint64_t length,
		 struct failure *why)
{
	while (length) {
		size_t step = length < TAR_STREAM_BUFFER ? (size_t)length : TAR_STREAM_BUFFER;

		if (!tar_stream_read(reader, reader->buffer, step, why))
			return false;
		if (!write_at(fd, reader->buffer, step, offset))
			return cannot_write(reader, why);
		offset += step;
		length -= step;
		reader->bytes += step;
	}
	return true;
}

/* The map of a sparse file, read as it is needed: a line at a time from blocks of the archive. */
struct map {
	struct tar_reader *reader;
	char block[TAR_BLOCK];
	size_t at;
	uint64_t taken; /* bytes of the member's data, in blocks */
};

static bool bad_map(const struct map *map, struct failure *why)
{
	return fail(why, FAILURE_DATA, 0, "the map of the sparse file %s is damaged",
		    map->reader->entry->path);
}

static bool next_number(struct map *map, uint64_t *number, struct failure *why)
{
	*number = 0;
	for (unsigned digits = 0; digits < 20; digits++) {
		char byte;

		if (map->at == TAR_BLOCK) {
			if (map->taken + TAR_BLOCK > map->reader->entry->size)
				return bad_map(map, why);
			if (!tar_stream_read(map->reader, map->block, TAR_BLOCK, why))
				return false;
			map->at = 0;
			map->taken += TAR_BLOCK;
		}
		byte = map->block[map->at++];
		if (byte == '\n')
			return digits > 0 || bad_map(map, why);
		if (byte < '0' || byte > '9')
			return bad_map(map, why);
		*number = *number * 10 + (uint64_t)(byte - '0');
	}
	return bad_map(map, why);
}

#define SEGMENTS_MAX ((1U << 20) + 1)

/* The whole map comes before the data. Pieces lie in the file and take no more than there is. */
static bool read_map(struct map *map, uint64_t **numbers, uint64_t *count, struct failure *why)
{
	const struct tar_entry *entry = map->reader->entry;
	uint64_t left, end = 0;

	if (!next_number(map, count, why))
		return false;
	if (*count > SEGMENTS_MAX || *count > entry->size)
		return bad_map(map, why);
	*numbers = calloc(*count + 1, 2 * sizeof(**numbers));
	if (!*numbers)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot read the map of %s", entry->path);
	for (uint64_t i = 0; i < 2 * *count; i++)
		if (!next_number(map, &(*numbers)[i], why))
			return false;
	left = entry->size - map->taken;
	for (uint64_t i = 0; i < *count; i++) {
		uint64_t offset = (*numbers)[2 * i], length = (*numbers)[2 * i + 1];

		if (offset < end || offset > entry->real_size ||
		    length > entry->real_size - offset || length > left)
			return bad_map(map, why);
		end = offset + length;
		left -= length;
	}
	return left == 0 || bad_map(map, why);
}

static bool copy_sparse(struct tar_reader *reader, int fd, struct failure *why)
{
	struct map map = {.reader = reader, .at = TAR_BLOCK};
	_cleanup_free_ uint64_t *numbers = NULL;
	uint64_t count = 0;

	if (!read_map(&map, &numbers, &count, why))
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (!copy(reader, fd, numbers[2 * i], numbers[2 * i + 1], why))
			return false;
	return true;
}

bool tar_make_content(struct tar_reader *reader, int fd, struct failure *why)
{
	const struct tar_entry *entry = reader->entry;
	bool good =
	    entry->is_sparse ? copy_sparse(reader, fd, why) : copy(reader, fd, 0, entry->size, why);

	if (!good || !tar_stream_skip_padding(reader, entry->size, why))
		return false;
	return ftruncate(fd, (off_t)entry->real_size) == 0 || cannot_write(reader, why);
}

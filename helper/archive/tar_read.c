/* helper/archive/tar_read.c - the stream: heads, data and the end of a tar archive. */
#include "helper/archive/tar_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/archive/tar_make.h"

/* Members that only say something about the next one, in a row. */
#define RECORDS_MAX 8

bool tar_stream_read(struct tar_reader *reader, void *data, size_t length, struct failure *why)
{
	char *next = data;

	while (length) {
		ssize_t got = read(reader->fd, next, length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(why, FAILURE_SYSTEM, errno, "cannot read the archive");
		if (got == 0) {
			reader->ended = true;
			return fail(why, FAILURE_DATA, 0, "the archive ends in the middle");
		}
		next += got;
		length -= (size_t)got;
	}
	return true;
}

bool tar_stream_skip(struct tar_reader *reader, uint64_t length, struct failure *why)
{
	while (length) {
		size_t step = length < TAR_STREAM_BUFFER ? (size_t)length : TAR_STREAM_BUFFER;

		if (!tar_stream_read(reader, reader->buffer, step, why))
			return false;
		length -= step;
	}
	return true;
}

bool tar_stream_skip_padding(struct tar_reader *reader, uint64_t length, struct failure *why)
{
	uint64_t rest = length % TAR_BLOCK;

	return !rest || tar_stream_skip(reader, TAR_BLOCK - rest, why);
}

bool tar_read_begin(struct tar_reader *reader, struct failure *why)
{
	reader->files = reader->bytes = reader->left_out = 0;
	reader->later = NULL;
	reader->later_count = reader->later_size = 0;
	reader->buffer = malloc(TAR_STREAM_BUFFER);
	reader->records = malloc(TAR_PAX_MAX + 1);
	reader->entry = calloc(1, sizeof(*reader->entry));
	if (reader->buffer && reader->records && reader->entry)
		return true;
	tar_read_end(reader);
	return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot read the archive");
}

/* Extended records before a member; those for all that follow ('g') are of no use to us. */
static bool read_records(struct tar_reader *reader, char kind, size_t *length, struct failure *why)
{
	uint64_t size = reader->entry->size;

	if (size > TAR_PAX_MAX)
		return fail(why, FAILURE_DATA, 0, "an extended header is larger than %u bytes",
			    TAR_PAX_MAX);
	if (kind == 'g')
		return tar_stream_skip(reader, size, why) &&
		       tar_stream_skip_padding(reader, size, why);
	*length = (size_t)size;
	if (!tar_stream_read(reader, reader->records, *length, why) ||
	    !tar_stream_skip_padding(reader, size, why))
		return false;
	reader->records[*length] = '\0';
	return true;
}

bool tar_read_next(struct tar_reader *reader, bool *more, struct failure *why)
{
	unsigned char block[TAR_BLOCK];
	size_t length = 0;
	char kind;

	*more = false;
	for (unsigned i = 0; i < RECORDS_MAX; i++) {
		if (!tar_stream_read(reader, block, sizeof(block), why) ||
		    !tar_decode(block, reader->entry, &kind, why))
			return false;
		if (kind == '\0')
			return true;
		if (kind != 'x' && kind != 'g') {
			*more = true;
			return tar_apply(reader->records, length, reader->entry, why);
		}
		if (!read_records(reader, kind, &length, why))
			return false;
	}
	return fail(why, FAILURE_DATA, 0, "the archive has too many extended headers in a row");
}

char *tar_read_text(struct tar_reader *reader, size_t limit, size_t *length, struct failure *why)
{
	_cleanup_free_ char *text = NULL;
	uint64_t size = reader->entry->size;

	if (reader->entry->type != TAR_FILE || reader->entry->is_sparse || size > limit) {
		(void)fail(why, FAILURE_DATA, 0, "%.80s is not a small file", reader->entry->path);
		return NULL;
	}
	text = malloc((size_t)size + 1);
	if (!text || !tar_stream_read(reader, text, (size_t)size, why) ||
	    !tar_stream_skip_padding(reader, size, why))
		return NULL;
	text[size] = '\0';
	*length = (size_t)size;
	return take_ptr(text);
}

/* Who writes the archive must not be told of a broken pipe while it writes what pads its end. */
static void drain(struct tar_reader *reader)
{
	ssize_t got;

	do
		got = read(reader->fd, reader->buffer, TAR_STREAM_BUFFER);
	while (got > 0 || (got < 0 && errno == EINTR));
}

bool tar_read_skip(struct tar_reader *reader, struct failure *why)
{
	return tar_stream_skip(reader, reader->entry->size, why) &&
	       tar_stream_skip_padding(reader, reader->entry->size, why);
}

bool tar_read_finish(struct tar_reader *reader, struct failure *why)
{
	drain(reader);
	return tar_make_finish(reader, why);
}

void tar_read_end(struct tar_reader *reader)
{
	tar_make_forget(reader);
	free(reader->buffer);
	free(reader->records);
	free(reader->entry);
	reader->buffer = reader->records = NULL;
	reader->entry = NULL;
}

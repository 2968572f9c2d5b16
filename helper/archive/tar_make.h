/* helper/archive/tar_make.h - what the halves of the reader share: the stream and what is made. */
#ifndef CARREL_HELPER_ARCHIVE_TAR_MAKE_H
#define CARREL_HELPER_ARCHIVE_TAR_MAKE_H

#include "helper/archive/tar_read.h"

#define TAR_STREAM_BUFFER (256U << 10)

/* Exactly `length` bytes of the archive, or a failure. */
bool tar_stream_read(struct tar_reader *reader, void *data, size_t length, struct failure *why);
bool tar_stream_skip(struct tar_reader *reader, uint64_t length, struct failure *why);
/* What fills the last block of `length` bytes of data. */
bool tar_stream_skip_padding(struct tar_reader *reader, uint64_t length, struct failure *why);

/* The data of reader->entry into the new file `fd`, holes as holes. */
bool tar_make_content(struct tar_reader *reader, int fd, struct failure *why);

/* Give the folders their attributes. */
bool tar_make_finish(struct tar_reader *reader, struct failure *why);
void tar_make_forget(struct tar_reader *reader);

#endif

/* helper/archive/tar_read.h - make the tree of a tar archive that may come from anybody. */
#ifndef CARREL_HELPER_ARCHIVE_TAR_READ_H
#define CARREL_HELPER_ARCHIVE_TAR_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"
#include "helper/archive/tar_format.h"

/*
 * Whatever the archive says, nothing is made, changed or read outside of `top`: a member that names
 * a place outside of it, or one behind a symbolic link, ends the reading with FAILURE_DATA.
 */
struct tar_reader {
	int fd;  /* the archive; not owned */
	int top; /* the folder below which everything is made; not owned */
	/*
	 * For a layer: owners, all of the mode, times, extended attributes, hard links, pipes and
	 * whiteouts, into an empty folder. Otherwise files, folders and symbolic links that belong
	 * to the caller, with the nine bits of the mode that umask leaves, in place of what is not
	 * a folder there.
	 */
	bool is_layer;
	const char
	    *name; /* not NULL: what the member "." (and all below "./") is called in `top` */
	void (*tell)(const char *path, const char *what); /* what is left out and why */

	uint64_t files, bytes, left_out;
	bool ended; /* the stream did, in the middle: whoever writes it has failed */
	char *buffer, *records;
	struct tar_entry *entry;
	struct tar_later *later; /* folders whose attributes wait until all is in them */
	size_t later_count, later_size;
};

bool tar_read_begin(struct tar_reader *reader, struct failure *why);

/*
 * The next member's head: reader->entry. *more is false at the end of the archive. Its data, if it
 * is a file, must then be read with one of the following. False with *why, also when the archive
 * ends without saying so.
 */
bool tar_read_next(struct tar_reader *reader, bool *more, struct failure *why);

/* The data as a text of at most `limit` bytes, NUL-terminated, caller frees; NULL with *why. */
char *tar_read_text(struct tar_reader *reader, size_t limit, size_t *length, struct failure *why);

/* Its data are of no interest. */
bool tar_read_skip(struct tar_reader *reader, struct failure *why);

/* Make the member below `top`. */
bool tar_read_make(struct tar_reader *reader, struct failure *why);

/* After the last member: give the folders their attributes, read what pads the end. */
bool tar_read_finish(struct tar_reader *reader, struct failure *why);
void tar_read_end(struct tar_reader *reader);

#endif

/* helper/archive/tar_write.h - write a tree into a tar archive, following no link. */
#ifndef CARREL_HELPER_ARCHIVE_TAR_WRITE_H
#define CARREL_HELPER_ARCHIVE_TAR_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

struct tar_writer {
	int fd; /* where the archive goes; not owned */
	/*
	 * For a layer: extended attributes, hard links, overlayfs's whiteouts. Otherwise what one
	 * would send to another person: files, folders and symbolic links.
	 */
	bool is_layer;
	void (*tell)(const char *path, const char *what); /* what is left out and why */

	uint64_t files, bytes, left_out;
	void *known;  /* hard links seen: tsearch(3) */
	char *buffer; /* of reads */
	unsigned depth;
};

/* False when there is no memory. End with tar_write_end. */
bool tar_write_begin(struct tar_writer *writer, struct failure *why);

/* A member `name` with this text. */
bool tar_write_text(struct tar_writer *writer, const char *name, const char *text, size_t length,
		    struct failure *why);

/*
 * What is open in `fd` (a file or folder, O_RDONLY), and all that is below it, as `name`. False
 * with *why.
 */
bool tar_write_tree(struct tar_writer *writer, int fd, const char *name, struct failure *why);

/* The end of the archive, which tells a whole one from a part. */
bool tar_write_finish(struct tar_writer *writer, struct failure *why);
void tar_write_end(struct tar_writer *writer);

#endif

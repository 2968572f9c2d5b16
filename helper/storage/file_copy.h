/* helper/storage/file_copy.h - copy one file's content and attributes between open descriptors. */
#ifndef CARREL_HELPER_STORAGE_FILE_COPY_H
#define CARREL_HELPER_STORAGE_FILE_COPY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Is `fd` the file that was looked at? False with errno ESTALE when it is another. */
bool file_is_same(int fd, const struct stat *status);

/* Copy `size` bytes, by reflink where the file systems can, else without filling holes. False with
 * errno. */
bool file_copy_data(int from, int to, uint64_t size);

/*
 * Owner, mode, extended attributes and times of an open file or directory. Those of overlayfs come
 * along only with `overlay`: for a layer, which is nothing without them. False with errno.
 */
bool file_copy_attributes(int from, int to, const struct stat *status, bool overlay);

/*
 * Does the extended attribute belong to the place and not to the file? Labels and hashes of this
 * machine's security modules, and without `overlay` those of overlayfs, with which an image could
 * lead its reader astray.
 */
bool file_attribute_stays(const char *name, bool overlay);

#endif

/* helper/registry/note.c - what PID 1 of a running container keeps written down for the admin's
 * list. */
#include "helper/registry/note.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"

bool note_write(int file, const struct note *note)
{
	return pwrite(file, note, sizeof(*note), 0) == (ssize_t)sizeof(*note);
}

bool note_read(int dir, const char *path, struct note *note)
{
	_cleanup_close_ int file =
	    openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return file >= 0 && read(file, note, sizeof(*note)) == (ssize_t)sizeof(*note) &&
	       note->version == NOTE_VERSION;
}

/* helper/registry/note.h - what PID 1 of a running container keeps written down for the admin's
 * list. */
#ifndef CARREL_HELPER_REGISTRY_NOTE_H
#define CARREL_HELPER_REGISTRY_NOTE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The file `note` beside the record `running`, made by the helper; PID 1 has it open for writing
 * and rewrites it when something in it changes. So thousands of containers are listed without
 * waking, and waiting for, a single one of them. Native byte order, as on the control socket.
 */
#define NOTE_FILE    "note"
#define NOTE_VERSION 1

struct note {
	uint32_t version;
	uint32_t session_count;
	uint32_t stopping; /* 0 or 1 */
	uint32_t reserved;
	uint64_t idle_since; /* seconds since the epoch, 0 while there are sessions */
};

/* In one write(2) at the file's start. False with errno. */
bool note_write(int file, const struct note *note);

/* False when there is none below `dir`, or it is of another version. */
bool note_read(int dir, const char *path, struct note *note);

#endif

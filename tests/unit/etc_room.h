/* tests/unit/etc_room.h - an /etc and a store of snapshots for one test. */
#ifndef CARREL_TESTS_UNIT_ETC_ROOM_H
#define CARREL_TESTS_UNIT_ETC_ROOM_H

#include <stdbool.h>
#include <sys/types.h>

struct etc_room {
	char path[64];
	int etc, store;
};

/* A snapshot that is held; etc_shot_close when done. */
struct etc_shot {
	int fd, hold;
	ino_t inode;
};

/* With the umask of a login service. */
void etc_room_make(struct etc_room *room);
void etc_room_remove(struct etc_room *room);

/* Put things below a directory; the mode is exact. What exists is written anew in place. */
void etc_put(int dir, const char *path, const char *text, mode_t mode);
void etc_put_size(int dir, const char *path, off_t size);
void etc_make_dir(int dir, const char *path, mode_t mode);

/* Open a snapshot, which must work. */
struct etc_shot etc_shoot(const struct etc_room *room, unsigned recheck_seconds);
void etc_shot_close(struct etc_shot *shot);

/* What stands at a path without following a link; 0 for nothing. */
mode_t etc_mode(int dir, const char *path);
void etc_assert_text(int dir, const char *path, const char *expected);
void etc_assert_link(int dir, const char *path, const char *expected);

/* Pretend that the last check was `seconds` ago. */
void etc_age_stamp(const struct etc_room *room, int seconds);

/* How many entries the store has whose names start so. */
unsigned etc_count(const struct etc_room *room, const char *prefix);

#endif

/* helper/storage/loop.h - a file as a block device, for as long as it is mounted. */
#ifndef CARREL_HELPER_STORAGE_LOOP_H
#define CARREL_HELPER_STORAGE_LOOP_H

#include <stdbool.h>

#include "base/failure.h"

struct loop {
	int fd;          /* owned; keeps the device until it is mounted. -1: none */
	char device[24]; /* "/dev/loopN" */
};

/* Does this machine have loop devices? */
bool loop_exists(void);

/*
 * The device to which this file, known there as `file_name`, is attached already; fd is -1 when
 * there is none. False with *why when that cannot be told.
 */
bool loop_find(int image, const char *file_name, struct loop *loop, struct failure *why);

/*
 * Attach the file to a free device, which lets go of it when it is no longer open or mounted. The
 * device keeps the open file description of `image`, and with it any lock on that (fcntl(2)).
 */
bool loop_attach(int image, struct loop *loop, struct failure *why);

/* Take on the size that the file has by now. False with errno. */
bool loop_resize(const struct loop *loop);

#endif

/* policy/vet.h - open what only root can have written, and read it once. */
#ifndef CARREL_POLICY_VET_H
#define CARREL_POLICY_VET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"

/* A directory whose entries only root can change, judged by its descriptor. */
bool vet_directory(int dir, const char *what, struct failure *why);

/*
 * Open `name` below `dir` without following a link or waiting for a FIFO, and judge it by its
 * descriptor: a regular file of root's that neither group nor others may write, at most 1 MiB.
 * `shown` is its name in messages. -1 with *why; why->error is ENOENT when there is none.
 */
int vet_open_file(int dir, const char *name, const char *shown, struct failure *why);

/* The same for a directory. */
int vet_open_directory(int dir, const char *name, struct failure *why);

/* The whole text of a file that vet_open_file opened; no NUL bytes. The caller frees it. */
char *vet_read(int fd, size_t *length, const char *shown, struct failure *why);

#endif

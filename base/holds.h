/* base/holds.h - a directory that thousands use, and nobody may remove meanwhile. */
#ifndef CARREL_BASE_HOLDS_H
#define CARREL_BASE_HOLDS_H

#include <stdbool.h>

/*
 * Who uses the directory holds a shared lock (flock(2)) below it, who wants to remove it an
 * exclusive one. The kernel keeps all holders of a file in one list, and walks it for each that
 * comes or goes: with 2,000 of them 0.2 ms each time. So the shared locks are spread over
 * HOLDS_FILES files named `hold-0`..., and a lock on `gate`, which belongs to the caller, is only
 * passed through: whoever has that exclusively keeps newcomers out while it looks at the files. Who
 * holds `gate` itself, as programs from before did, is in the way as well.
 */
#define HOLDS_FILES 64

/*
 * Take a shared hold of `dir` (O_PATH will do). `gate` is a descriptor of our own that is open for
 * flock(2); its lock is given up. Never waits: -1 with errno, EWOULDBLOCK when somebody is removing
 * it. The caller closes the hold, and sees itself that the directory is still the one it was.
 */
int hold_shared(int dir, int gate);

/*
 * Lock `gate` exclusively, as long as it is open, and see that nobody has a hold of `dir`. False
 * with errno, EWOULDBLOCK when it is in use.
 */
bool hold_exclusive(int dir, int gate);

#endif

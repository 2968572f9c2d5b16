/* helper/init/terminals.h - write to the terminals of a container. */
#ifndef CARREL_HELPER_INIT_TERMINALS_H
#define CARREL_HELPER_INIT_TERMINALS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Write to a terminal that was opened for writing without waiting (O_NONBLOCK): one that takes
 * nothing now is left alone. True when it took it; false for -1 too.
 */
bool terminal_write(int terminal, const char *text);
bool terminal_write_number(int number, const char *text); /* /dev/pts/NUMBER */

/* The number N of the /dev/pts/N that a process is on, -1 for none. */
int terminal_of(pid_t pid);

/* The number in the path of a bound terminal of the host, "/dev/pts-3"; -1 for another kind. */
int terminal_number(const char *path);

#endif

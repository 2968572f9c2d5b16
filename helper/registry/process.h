/* helper/registry/process.h - tell one process from a later one with the same pid. */
#ifndef CARREL_HELPER_REGISTRY_PROCESS_H
#define CARREL_HELPER_REGISTRY_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Start time of a process in clock ticks since boot: field 22 of /proc/PID/stat (proc(5)). With
 * the pid it names one process of this boot. 0 when there is no such process.
 */
uint64_t process_start_ticks(pid_t pid);

/*
 * The inode number of a pidfd, which no other process has until the machine is booted anew (pidfs,
 * Linux 6.9, 64-bit machines); 0 where it says nothing.
 */
uint64_t process_pidfd_inode(int pidfd);

/* The same, with the state of the process: field 3, 'S', 'T' (stopped), 'Z' (ended), ... */
uint64_t process_look(pid_t pid, char *state);

/* Pure half: the field from the text of a stat file, whose second field may hold any bytes. */
uint64_t process_parse_start_ticks(const char *stat_text);

#endif

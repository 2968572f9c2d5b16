/* helper/init/log_relay.h - pass log lines from inside to the host's log, marked and in measure. */
#ifndef CARREL_HELPER_INIT_LOG_RELAY_H
#define CARREL_HELPER_INIT_LOG_RELAY_H

#include <stddef.h>
#include <stdint.h>

/* A burst of lines passes at once, then so many a second; what is over is counted and told. */
#define LOG_RELAY_BURST      200
#define LOG_RELAY_PER_SECOND 50

struct log_relay {
	int host;          /* connected to the host's syslog, or -1 */
	char tag[80];      /* "carrel[NAME]" */
	uint64_t tokens;   /* lines that may pass now */
	uint64_t refilled; /* CLOCK_BOOTTIME seconds */
	uint64_t dropped;  /* since the last line that passed */
};

/*
 * Take what waits on the socket (at most a burst, so that a flood cannot keep PID 1 from its other
 * work) and pass it on.
 */
void log_relay_take(struct log_relay *relay, int socket);

/*
 * Pure: the priority and text to pass on for a datagram as syslog(3) sends it, "<PRI>Mon dd
 * hh:mm:ss tag: text". The facility "kern" is not for user space: it becomes "user", as syslogd
 * does. Control bytes are shown as '?'. `out` has room for the line and a NUL.
 */
int log_relay_line(const char *line, size_t length, char *out, size_t size);

#endif
